"""People who work here, and the keys of machines that do."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from shop.models.members import Member
from shop.models.stores import Store


class Staff(AbstractUser):
    """A person who signs in to the back office.

    What they may do comes from their groups; what they may see, from their stores.
    """

    covers_all_stores = models.BooleanField(_("sees every store"), default=False)
    stores = models.ManyToManyField(
        Store, related_name="staff", blank=True, verbose_name=_("stores")
    )
    member = models.OneToOneField(
        Member,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="staff",
        verbose_name=_("own membership"),
        help_text=_("Nobody adjusts or approves points of their own."),
    )
    adjustment_limit_points = models.PositiveIntegerField(
        _("adjusts points up to"),
        null=True,
        blank=True,
        help_text=_("More needs a second person. Without it: the programme's limit."),
    )

    class Meta(AbstractUser.Meta):
        verbose_name = _("staff member")  # type: ignore[assignment]  # the base is not lazy
        verbose_name_plural = _("staff")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Till(models.Model):
    """A point of sale in a store."""

    store = models.ForeignKey(Store, models.PROTECT, related_name="tills", verbose_name=_("store"))
    code = models.SlugField(_("code"), max_length=16)

    class Meta:
        verbose_name = _("till")
        verbose_name_plural = _("tills")
        constraints = [
            models.UniqueConstraint(name="till_code_once_per_store", fields=["store", "code"])
        ]

    def __str__(self) -> str:
        return f"{self.store.code}/{self.code}"


class AccessKey(models.Model):
    """A bearer key of a machine; only its hash is stored.

    Invariants:
        The secret has 256 random bits, so a plain hash protects it.
    """

    public_id = models.CharField(_("key id"), max_length=32, unique=True)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=32), default=list, verbose_name=_("scopes"))
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.public_id


class TillKey(AccessKey):
    """The key of one till; a till may have two while they are being exchanged."""

    till = models.ForeignKey(Till, models.PROTECT, related_name="keys", verbose_name=_("till"))

    class Meta:
        verbose_name = _("till key")
        verbose_name_plural = _("till keys")


class ReportKey(AccessKey):
    """The key of an analyst's tool: reads reports of its stores."""

    name = models.CharField(_("name"), max_length=80)
    covers_all_stores = models.BooleanField(_("sees every store"), default=False)
    stores = models.ManyToManyField(
        Store, related_name="report_keys", blank=True, verbose_name=_("stores")
    )

    class Meta:
        verbose_name = _("report key")
        verbose_name_plural = _("report keys")
