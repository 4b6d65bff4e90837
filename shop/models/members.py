"""Members: people who come back."""

import uuid

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.kernel import crypto
from shop.models.stores import Store


class Member(models.Model):
    """A person known by phone.

    Invariants:
        The phone is stored encrypted; `phone_hash` finds it, by `phone_last4` staff recognise it.
        At most one living member per phone.
        A merged member is closed and names whom they were merged into; an erased one is closed,
        and their name, phone and birthday are gone for good.
        Somebody who `joined_before` gets no newcomer's gift again.
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
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_from",
        verbose_name=_("merged into"),
    )
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)
    joined_before = models.BooleanField(_("was a member before"), default=False, db_default=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        permissions = [
            ("freeze_member", "Can freeze and close members"),
            ("merge_member", "Can merge members"),
            ("erase_member", "Can erase members"),
        ]
        constraints = [
            models.CheckConstraint(
                name="member_gone_is_closed",
                condition=Q(merged_into__isnull=True, erased_at__isnull=True) | Q(status="closed"),
            ),
            models.CheckConstraint(
                name="member_erased_is_nobody",
                condition=Q(erased_at__isnull=True)
                | Q(name="", birthday__isnull=True, phone_last4=""),
            ),
            models.CheckConstraint(
                name="member_not_merged_into_oneself", condition=~Q(merged_into=F("id"))
            ),
            models.UniqueConstraint(
                name="member_once_per_phone", fields=["phone_hash"], condition=~Q(status="closed")
            ),
        ]
        indexes = [
            models.Index(name="member_by_store", fields=["store", "-joined_at"]),
            models.Index(name="member_by_last4", fields=["phone_last4"]),
        ]

    def __str__(self) -> str:
        if self.erased_at is not None:
            return f"#{str(self.public_id)[:8]}"
        return self.name or f"•••• {self.phone_last4}"

    @property
    def phone(self) -> str:
        """Return the phone in E.164 form, decrypted; only for sending to it."""
        return crypto.decrypt(bytes(self.phone_sealed), context=f"member:{self.public_id}")


class ExternalId(models.Model):
    """What another system calls a member.

    Invariants:
        One member per id of a system. Gone with who the member was when they are erased.
    """

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="external_ids", verbose_name=_("member")
    )
    system = models.SlugField(_("system"), max_length=32)
    external_id = models.CharField(_("number there"), max_length=64)
    actor = models.CharField(_("by"), max_length=64)
    bound_at = models.DateTimeField(_("bound"))

    class Meta:
        verbose_name = _("number elsewhere")
        verbose_name_plural = _("numbers elsewhere")
        constraints = [
            models.UniqueConstraint(name="external_id_once", fields=["system", "external_id"])
        ]

    def __str__(self) -> str:
        return f"{self.system}:{self.external_id}"


class MemberStatusChange(models.Model):
    """That a membership was frozen, unfrozen, closed, merged or erased: by whom and why."""

    class Kind(models.TextChoices):
        FREEZE = "freeze", _("Frozen")
        UNFREEZE = "unfreeze", _("Unfrozen")
        CLOSE = "close", _("Closed")
        MERGE = "merge", _("Merged into another")
        ERASE = "erase", _("Erased")

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="status_changes", verbose_name=_("member")
    )
    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    reason = models.CharField(_("reason"), max_length=200)
    actor = models.CharField(_("by"), max_length=64)
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        constraints = [
            models.UniqueConstraint(
                name="member_ends_once",
                fields=["member", "kind"],
                condition=Q(kind__in=["close", "merge", "erase"]),
            )
        ]
        indexes = [
            models.Index(name="member_status_history", fields=["member", "-occurred_at"]),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%F %T}"


class ErasedPhone(models.Model):
    """That somebody with this phone was erased: a keyed hash that only the same phone leads to.

    It keeps whoever joins again from a second newcomer's gift, and is forgotten after a while.
    """

    tombstone = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"until {self.expires_at:%F}"


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
