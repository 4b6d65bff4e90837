"""Corrections of a balance by hand, and who agreed to the large ones."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from loyalty.models.points import PointsAccount
from shop.kernel.fields import PointsField
from shop.models.staff import Staff


class PointsAdjustment(models.Model):
    """A correction that a person asked for: posted at once, or once a second person agreed.

    Longer life for points is one too: of those that expire by `bound_at`, or have since, `points`
    live until `until`.

    Invariants:
        pending → approved or rejected, once, by another person; a small one is posted from the
        start. Posted and approved ones have exactly one entry in the ledger, under `source`; but
        each expiry that is given back has its own.
    """

    class Kind(models.TextChoices):
        ADJUST = "adjust", _("Points adjusted")
        EXTEND = "extend", _("Points extended")
        REINSTATE = "reinstate", _("Expired points given back")

    class State(models.TextChoices):
        PENDING = "pending", _("Waits for a second person")
        POSTED = "posted", _("Posted at once")
        APPROVED = "approved", _("Approved and posted")
        REJECTED = "rejected", _("Rejected")

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="adjustments", verbose_name=_("account")
    )
    kind = models.CharField(
        _("kind"), max_length=9, choices=Kind, default=Kind.ADJUST, db_default=Kind.ADJUST
    )
    points = PointsField(_("points"))
    bound_at = models.DateTimeField(_("expiring by, or expired since"), null=True, blank=True)
    until = models.DateTimeField(_("live until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=8, choices=State)
    source = models.CharField(_("source"), max_length=64, unique=True)
    requested_by = models.ForeignKey(
        Staff, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    requested_at = models.DateTimeField(_("asked"))
    decided_by = models.ForeignKey(
        Staff,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("points adjustment")
        verbose_name_plural = _("points adjustments")
        permissions = [("approve_pointsadjustment", "Can approve points adjustments")]
        constraints = [
            models.CheckConstraint(name="points_adjustment_of_something", condition=~Q(points=0)),
            models.CheckConstraint(
                name="points_adjustment_renews_until",
                condition=Q(kind="adjust", bound_at__isnull=True, until__isnull=True)
                | (~Q(kind="adjust") & Q(bound_at__isnull=False, until__isnull=False)),
            ),
            models.CheckConstraint(
                name="points_adjustment_decided_by_another",
                condition=Q(
                    state__in=["pending", "posted"],
                    decided_by__isnull=True,
                    decided_at__isnull=True,
                )
                | (
                    Q(
                        state__in=["approved", "rejected"],
                        decided_by__isnull=False,
                        decided_at__isnull=False,
                    )
                    & ~Q(decided_by=F("requested_by"))
                ),
            ),
        ]
        indexes = [
            models.Index(
                name="points_adjustment_waiting",
                fields=["requested_at"],
                condition=Q(state="pending"),
            ),
            models.Index(
                name="points_adjustment_by_person", fields=["requested_by", "requested_at"]
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="decided_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="pending"),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.state}"
