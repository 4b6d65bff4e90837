"""Members: people who come back."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.kernel import crypto
from shop.models.stores import Store


class Member(models.Model):
    """A person known by phone.

    Invariants:
        The phone is stored encrypted; `phone_hash` finds it, by `phone_last4` staff recognise it.
        At most one living member per phone.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        FROZEN = "frozen", _("Frozen")
        CLOSED = "closed", _("Closed")

    public_id = models.UUIDField(_("public id"), unique=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    name = models.CharField(_("name"), max_length=40, blank=True, default="")
    phone_sealed = models.BinaryField(editable=False)
    phone_hash = models.BinaryField(max_length=32, editable=False)
    phone_last4 = models.CharField(_("last four digits"), max_length=4)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    birthday_changed_at = models.DateTimeField(
        _("birthday changed"), null=True, blank=True, editable=False
    )
    store = models.ForeignKey(
        Store, models.PROTECT, related_name="members", verbose_name=_("joined at")
    )
    joined_at = models.DateTimeField(_("joined"))

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(
                name="member_once_per_phone", fields=["phone_hash"], condition=~Q(status="closed")
            )
        ]
        indexes = [
            models.Index(name="member_by_store", fields=["store", "-joined_at"]),
            models.Index(name="member_by_last4", fields=["phone_last4"]),
        ]

    def __str__(self) -> str:
        return self.name or f"•••• {self.phone_last4}"

    @property
    def phone(self) -> str:
        """Return the phone in E.164 form, decrypted; only for sending to it."""
        return crypto.decrypt(bytes(self.phone_sealed), context=f"member:{self.public_id}")


class MemberSession(models.Model):
    """A signed-in phone; the token's secret is stored hashed."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="sessions")
    public_id = models.CharField(max_length=32, unique=True)
    secret_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.public_id


class LoginCode(models.Model):
    """A one-time code sent to a phone; five wrong tries burn it."""

    phone_hash = models.BinaryField(max_length=32)
    code_hash = models.BinaryField(max_length=32)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(name="login_code_of_phone", fields=["phone_hash", "-created_at"])]

    def __str__(self) -> str:
        return f"code of {self.created_at:%F %T}"


class MemberCode(models.Model):
    """What the member shows at the till: lives 30 seconds, works once."""

    code = models.CharField(max_length=16, unique=True)
    member = models.ForeignKey(Member, models.CASCADE, related_name="codes")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"code of {self.created_at:%F %T}"
