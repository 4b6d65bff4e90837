"""The points ledger: accounts, entries, lots, draws, holds and what is still pending."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from shop.kernel.fields import PointsField
from shop.kernel.money import Points
from shop.models.members import Member


class PointsAccount(models.Model):
    """A member's wallet of points.

    Invariants:
        balance = Σ entries = the last entry's balance_after; the balance is a cache of the ledger.
        Σ lots remaining − debt = balance, where debt is what a negative balance owes.
        held = Σ holds pending; balance − held ≥ 0 unless there is debt.
        A closed wallet holds nothing, and nothing comes into it.
    """

    class Wallet(models.TextChoices):
        POINTS = "points", _("Spendable points")
        QUALIFYING = "qualifying", _("Qualifying points")
        STAMPS = "stamps", _("Stamps")

    member = models.ForeignKey(
        Member, models.PROTECT, related_name="points_accounts", verbose_name=_("member")
    )
    wallet = models.CharField(_("wallet"), max_length=16, choices=Wallet)
    balance = PointsField(_("balance"), default=Points(0))
    held = PointsField(_("held"), default=Points(0))
    is_closed = models.BooleanField(_("closed"), default=False, db_default=False)

    class Meta:
        verbose_name = _("points account")
        verbose_name_plural = _("points accounts")
        constraints = [
            models.UniqueConstraint(
                name="points_account_once_per_wallet", fields=["member", "wallet"]
            ),
            models.CheckConstraint(
                name="points_account_held_not_negative", condition=Q(held__gte=0)
            ),
            models.CheckConstraint(
                name="points_account_closed_is_empty",
                condition=Q(is_closed=False) | Q(balance=0, held=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.wallet}: {self.balance}"

    @property
    def available(self) -> Points:
        """Return what may be spent now."""
        return Points(max(self.balance - self.held, 0))


class PointsEntry(models.Model):
    """One immutable line of the ledger. To correct an entry, add another.

    Invariants:
        balance_after = the previous entry's balance_after + points, within an account.
        At most one entry per (account, kind, source): replaying a flow is harmless.
    """

    class Kind(models.TextChoices):
        EARN = "earn", _("Earned by an order")
        REFERRAL = "referral", _("For a friend")
        SPEND = "spend", _("Spent")
        EXPIRE = "expire", _("Expired")
        ADJUST = "adjust", _("Adjusted by staff")
        REVERSE_EARN = "reverse_earn", _("Taken back after a refund")
        REVERSE_SPEND = "reverse_spend", _("Given back after a refund")
        REVERSE_REFERRAL = "reverse_referral", _("Referral taken back")
        EXTEND_OUT = "extend_out", _("Moved to a later expiry")
        EXTEND_IN = "extend_in", _("Moved from an earlier expiry")
        REINSTATE = "reinstate", _("Given back after they expired")
        MERGE_OUT = "merge_out", _("Moved to another membership")
        MERGE_IN = "merge_in", _("Moved from another membership")
        FORFEIT = "forfeit", _("Given up with the membership")

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="entries", verbose_name=_("account")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    points = PointsField(_("points"), help_text=_("Positive adds to the balance."))
    balance_after = PointsField(_("balance after"))
    source = models.CharField(_("source"), max_length=64)
    note = models.CharField(_("note"), max_length=200, blank=True, default="")
    actor = models.CharField(_("by"), max_length=64, blank=True, default="")
    occurred_at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("points entry")
        verbose_name_plural = _("points entries")
        constraints = [
            models.UniqueConstraint(
                name="points_entry_once_per_source", fields=["account", "kind", "source"]
            ),
            models.CheckConstraint(
                name="points_entry_sign_matches_kind",
                condition=Q(
                    kind__in=[
                        *["earn", "referral", "reverse_spend", "extend_in", "reinstate"],
                        "merge_in",
                    ],
                    points__gt=0,
                )
                | Q(
                    kind__in=[
                        *["spend", "expire", "extend_out"],
                        *["reverse_earn", "reverse_referral", "merge_out", "forfeit"],
                    ],
                    points__lt=0,
                )
                | (Q(kind="adjust") & ~Q(points=0)),
            ),
        ]
        indexes = [models.Index(name="points_entry_history", fields=["account", "-occurred_at"])]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="no_truncate",
                operation=pgtrigger.Truncate,
                when=pgtrigger.Before,
                level=pgtrigger.Statement,
                func="RAISE EXCEPTION 'the points ledger is append-only';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.get_kind_display()} {self.source}"


class PointsLot(models.Model):
    """The unspent rest of one credit, with its own expiry.

    Invariants:
        0 ≤ remaining ≤ points; remaining = points − debt repaid − Σ draws.
        Only `remaining` changes, and only downwards: longer life is another lot.
    """

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="lots", verbose_name=_("account")
    )
    entry = models.OneToOneField(
        PointsEntry, models.PROTECT, related_name="lot", verbose_name=_("points entry")
    )
    points = PointsField(_("points"))
    remaining = PointsField(_("remaining"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("points lot")
        verbose_name_plural = _("points lots")
        constraints = [
            models.CheckConstraint(
                name="points_lot_remaining_within_points",
                condition=Q(remaining__gte=0, remaining__lte=F("points")),
            )
        ]
        indexes = [
            models.Index(
                name="points_lot_open",
                fields=["account", "expires_at", "id"],
                condition=Q(remaining__gt=0),
            ),
            models.Index(
                name="points_lot_due",
                fields=["expires_at", "id"],
                condition=Q(remaining__gt=0, expires_at__isnull=False),
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="only_drawn",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__remaining__gt=pgtrigger.F("old__remaining"))
                | pgtrigger.Q(old__points__df=pgtrigger.F("new__points"))
                | pgtrigger.Q(old__account__df=pgtrigger.F("new__account"))
                | pgtrigger.Q(old__entry__df=pgtrigger.F("new__entry"))
                | pgtrigger.Q(old__expires_at__df=pgtrigger.F("new__expires_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remaining}/{self.points}"


class PointsDraw(models.Model):
    """Which lot a debit took its points from."""

    entry = models.ForeignKey(
        PointsEntry, models.PROTECT, related_name="draws", verbose_name=_("points entry")
    )
    lot = models.ForeignKey(
        PointsLot, models.PROTECT, related_name="draws", verbose_name=_("points lot")
    )
    points = PointsField(_("points"))

    class Meta:
        verbose_name = _("points draw")
        verbose_name_plural = _("points draws")
        constraints = [
            models.UniqueConstraint(name="points_draw_once", fields=["entry", "lot"]),
            models.CheckConstraint(name="points_draw_positive", condition=Q(points__gt=0)),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.points} from {self.lot_id}"


class PointsHold(models.Model):
    """Points set aside for an order or a reward; resolved at most once.

    Invariants:
        pending → posted (an entry is written), voided or expired; the step is a guarded update,
        and a resolved hold never changes again.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Held")
        POSTED = "posted", _("Spent")
        VOIDED = "voided", _("Released")
        EXPIRED = "expired", _("Expired")

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="holds", verbose_name=_("account")
    )
    points = PointsField(_("points"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    source = models.CharField(_("source"), max_length=64)
    held_at = models.DateTimeField(_("held"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("points hold")
        verbose_name_plural = _("points holds")
        constraints = [
            models.UniqueConstraint(
                name="points_hold_once_per_source", fields=["account", "source"]
            ),
            models.CheckConstraint(name="points_hold_positive", condition=Q(points__gt=0)),
        ]
        indexes = [
            models.Index(
                name="points_hold_due", fields=["expires_at"], condition=Q(state="pending")
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="resolved_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="pending"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.points} {self.state} {self.source}"


class PendingPoints(models.Model):
    """Points promised for later: they become an entry when their time has come.

    Invariants:
        pending → posted or voided, once; never counted in the balance before.
        What refunds take back of it while it is pending is `taken_back`; the rest is posted.
        Without `available_at` it waits for its order to be completed.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        POSTED = "posted", _("Posted")
        VOIDED = "voided", _("Void")

    account = models.ForeignKey(
        PointsAccount, models.PROTECT, related_name="pending", verbose_name=_("account")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=PointsEntry.Kind)
    points = PointsField(_("points"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    source = models.CharField(_("source"), max_length=64)
    promised_at = models.DateTimeField(_("promised"))
    available_at = models.DateTimeField(_("available from"), null=True, blank=True)
    taken_back = PointsField(_("taken back"), default=Points(0))
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)

    class Meta:
        verbose_name = _("pending points")
        verbose_name_plural = _("pending points")
        constraints = [
            models.UniqueConstraint(
                name="pending_points_once_per_source", fields=["account", "kind", "source"]
            ),
            models.CheckConstraint(name="pending_points_positive", condition=Q(points__gt=0)),
            models.CheckConstraint(
                name="pending_points_taken_back_within",
                condition=Q(taken_back__gte=0, taken_back__lte=F("points")),
            ),
        ]
        indexes = [
            models.Index(
                name="pending_points_due",
                fields=["available_at"],
                condition=Q(state="pending"),
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="resolved_once",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__state="pending"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.points} {self.state} {self.source}"

    @property
    def left(self) -> Points:
        """Return what is still promised."""
        is_pending = self.state == self.State.PENDING
        return Points(self.points - self.taken_back if is_pending else 0)
