"""Members as staff see them: who they are, what they have, what they did lately."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.models import Acquisition, Coupon
from loyalty import pins
from loyalty.models import (
    Membership,
    PendingPoints,
    PointsAccount,
    PointsEntry,
    Tier,
    TierChange,
    TierPin,
)
from shop import members
from shop.admin.buttons import Button, Text, button
from shop.admin.days import DayWidget
from shop.admin.pages import Page, ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter, principal_of
from shop.kernel import crypto
from shop.kernel.errors import InvalidInput
from shop.models import ExternalId, Member, MemberStatusChange, Order
from shop.storefront import milestones, tier_reviews, timelines
from shop.storefront.admin.event_texts import tell
from shop.storefront.admin.member_buttons import MemberButtons

LATEST_ENTRIES = 10
LATEST_EVENTS = 40


class OrderRows(ReadOnlyRows):
    """The member's latest orders at stores that the reader sees."""

    model = Order
    store_lookup = "store_id"
    fields = ["number", "store", "status", "payable_cents", "refunded_cents", "placed_at"]
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("store")


class CouponRows(ReadOnlyRows):
    """The member's latest coupons."""

    model = Coupon
    fields = ["code", "definition", "status", "issued_at", "expires_at"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("definition")


class TierChangeRows(ReadOnlyRows):
    """The member's latest moves between tiers."""

    model = TierChange
    fields = ["occurred_at", "from_tier", "to_tier", "reason", "source"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("from_tier", "to_tier")


class ExternalIdRows(ReadOnlyRows):
    """What other systems call the member."""

    model = ExternalId
    fields = ["system", "external_id", "actor", "bound_at"]
    readonly_fields = fields


class PinForm(BaseDialogForm):
    """Which tier, until the end of which day, and why."""

    tier = forms.ModelChoiceField(
        label=_("tier"), queryset=Tier.objects.order_by("level"), widget=UnfoldAdminSelectWidget
    )
    until = forms.DateField(label=_("until the end of"), widget=DayWidget)
    reason = forms.CharField(label=_("reason"), max_length=200, widget=UnfoldAdminTextInputWidget)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a member has and where they came from."""

    membership: Membership | None
    pin: TierPin | None
    wallets: dict[str, PointsAccount]
    promised: int
    acquisition: Acquisition | None
    entries: list[PointsEntry]


def standing_of(member: Member) -> Standing:
    """Return a member's standing, read once: the theme asks for each value several times."""
    known: Standing | None = member.__dict__.get("_standing")
    if known is None:
        known = member.__dict__["_standing"] = _read_standing(member)
    return known


def _read_standing(member: Member) -> Standing:
    waiting = PendingPoints.objects.filter(
        account__member=member,
        account__wallet=PointsAccount.Wallet.POINTS,
        state=PendingPoints.State.PENDING,
    )
    spendable = PointsEntry.objects.filter(
        account__member=member, account__wallet=PointsAccount.Wallet.POINTS
    )
    return Standing(
        membership=Membership.objects.select_related("tier").filter(member=member).first(),
        pin=TierPin.objects.filter(member=member, ended_at=None).first(),
        wallets={row.wallet: row for row in PointsAccount.objects.filter(member=member)},
        promised=sum(waiting.values_list("points", flat=True)),
        acquisition=Acquisition.objects.select_related("channel").filter(member=member).first(),
        entries=list(spendable.order_by("-id")[:LATEST_ENTRIES]),
    )


@admin.register(Member)
class MemberPage(MemberButtons, Page):
    """A member; the phone is known by its last four digits only.

    People join at the till or on their phone, where they prove the number: not here.
    """

    store_lookup = "store_id"
    list_display = ["__str__", "phone", "store", "status", "joined_at"]
    list_filter = [("store", VisibleFilter), ("status", ChoicesDropdownFilter)]
    list_select_related = ["store"]
    search_fields = ["phone_last4", "name", "=public_id"]
    search_help_text = _("Last four digits, whole phone number or name")
    ordering = ["-pk"]
    date_hierarchy = "joined_at"
    inlines = [OrderRows, CouponRows, TierChangeRows, ExternalIdRows]
    actions_detail = [
        "adjust_points",
        {
            "title": _("Longer life for points"),
            "icon": "more_time",
            "items": ["extend_points", "reinstate_points"],
        },
        *["sell_plan", "pin_tier", "unpin_tier"],
        {
            "title": _("Membership"),
            "icon": "badge",
            "items": ["freeze", "unfreeze", "merge", "close", "erase"],
        },
    ]
    readonly_fields = [
        "status",
        "merged_into",
        "erased_at",
        "public_id",
        "phone",
        "store",
        "joined_at",
        "tier",
        "balance",
        "qualifying",
        "promised",
        "stamps",
        "came_from",
        "ledger",
        "timeline",
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("name", "phone"),
                    ("birthday", "status"),
                    ("store", "joined_at"),
                    ("public_id", "came_from"),
                    ("merged_into", "erased_at"),
                ]
            },
        ),
        (
            _("Loyalty"),
            {"fields": [("tier", "balance"), ("qualifying", "promised"), "stamps", "ledger"]},
        ),
        (_("Timeline"), {"fields": ["timeline"]}),
    ]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Member | None:
        """Load a member once to show the page: the buttons ask for the row once more."""
        shown: dict[str, Member | None] = request.__dict__.setdefault("_members_shown", {})
        if request.method == "GET" and object_id in shown:
            return shown[object_id]
        member: Member | None = super().get_object(request, object_id, from_field)
        if member is not None:
            member.__dict__["_visible_stores"] = principal_of(request).store_ids
        shown[object_id] = member
        return member

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save a corrected name or birthday, which may complete the profile."""
        super().save_model(request, obj, form, change)
        by = principal_of(request).key
        milestones.complete_profile(obj, actor=by, now=timezone.now())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_readonly_fields(request, obj)
        is_over = obj is not None and obj.status == Member.Status.CLOSED
        return [*fields, "name", "birthday"] if is_over else fields

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find a whole phone number by its hash; anything else by last digits and name."""
        try:
            phone = members.parse_phone(search_term)
        except InvalidInput:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(phone_hash=crypto.lookup_hash(phone)), False

    @admin.display(description=_("phone"), ordering="phone_last4")
    def phone(self, member: Member) -> str:
        """Show what staff may know of the phone."""
        return f"•••• {member.phone_last4}"

    @admin.display(description=_("tier"))
    def tier(self, member: Member) -> str:
        """Show the tier and since when."""
        place, pin = standing_of(member).membership, standing_of(member).pin
        if place is None:
            return "–"
        since = f"{place.tier} · {timezone.localtime(place.tier_since):%F}"
        if pin is not None:
            return _("%(tier)s, pinned until %(day)s: %(reason)s") % {
                "tier": since,
                "day": f"{timezone.localtime(pin.until):%F}",
                "reason": pin.reason,
            }
        if place.kept_until is None:
            return since
        return _("%(tier)s, kept until %(day)s") % {
            "tier": since,
            "day": f"{timezone.localtime(place.kept_until):%F}",
        }

    @admin.display(description=_("points"))
    def balance(self, member: Member) -> str:
        """Show what may be spent, and what is set aside."""
        return _amount(standing_of(member).wallets.get(PointsAccount.Wallet.POINTS))

    @admin.display(description=_("qualifying points"))
    def qualifying(self, member: Member) -> str:
        """Show what decides the tier."""
        account = standing_of(member).wallets.get(PointsAccount.Wallet.QUALIFYING)
        return str(account.balance) if account else "–"

    @admin.display(description=_("stamps"))
    def stamps(self, member: Member) -> str:
        """Show what is on the stamp card, and what is set aside."""
        return _amount(standing_of(member).wallets.get(PointsAccount.Wallet.STAMPS))

    @admin.display(description=_("promised points"))
    def promised(self, member: Member) -> str:
        """Show what comes after the refund window."""
        return str(standing_of(member).promised)

    @admin.display(description=_("came from"))
    def came_from(self, member: Member) -> str:
        """Show the channel that brought the member."""
        origin = standing_of(member).acquisition
        return str(origin.channel) if origin else "–"

    @admin.display(description=_("newest first"))
    def timeline(self, member: Member) -> str:
        """Show what happened lately, orders at the reader's stores only."""
        known: str | None = member.__dict__.get("_timeline")
        if known is None:  # the theme asks for each value several times
            stores = member.__dict__.get("_visible_stores", frozenset())
            events = timelines.page(member.pk, size=LATEST_EVENTS, store_ids=stores).events
            told = [(event, timelines.TEXTS[event.kind], tell(event)) for event in events]
            known = render_to_string("admin/member_timeline.html", {"events": told})
            member.__dict__["_timeline"] = known
        return known

    @admin.display(description=_("latest points"))
    def ledger(self, member: Member) -> str:
        """Show the last lines of the ledger."""
        entries = standing_of(member).entries
        return render_to_string("admin/member_ledger.html", {"entries": entries})

    @button(
        Button(
            label=_("Pin the tier"),
            question=_("Automatic moves wait until then. The reason and your name are kept."),
            permission="loyalty.add_tierpin",
            form=PinForm,
            when=lambda member: standing_of(member).pin is None,
        ),
        icon="push_pin",
    )
    def pin_tier(self, request: HttpRequest, member: Any, answers: dict[str, Any]) -> Text:
        """Give a tier until a date."""
        pins.pin(
            member.pk,
            tier_code=answers["tier"].code,
            until=_end_of(answers["until"], member),
            reason=answers["reason"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("The tier is pinned.")

    @button(
        Button(
            label=_("End the pin"),
            question=_("The member goes to the tier they have earned."),
            permission="loyalty.add_tierpin",
            when=lambda member: standing_of(member).pin is not None,
        ),
        icon="keep_off",
    )
    def unpin_tier(self, request: HttpRequest, member: Any, answers: dict[str, Any]) -> Text:
        """Let the tier follow what is earned again."""
        tier_reviews.unpin(member.pk, now=timezone.now())
        return _("The tier follows what is earned again.")


def _amount(account: PointsAccount | None) -> str:
    if account is None:
        return "–"
    held = _(" (%(held)s held)") % {"held": account.held} if account.held else ""
    return f"{account.balance}{held}"


def _end_of(day: date, member: Member) -> datetime:
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(member.store.timezone))
    return midnight.astimezone(UTC)


@admin.register(MemberStatusChange)
class StatusChangePage(ReadOnlyPage):
    """Memberships that were frozen, closed, merged, erased: by whom and why."""

    store_lookup = "member__store_id"
    list_display = ["occurred_at", "member", "kind", "reason", "actor"]
    list_display_links = ["occurred_at"]
    list_filter = [("kind", ChoicesDropdownFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member"]
    search_fields = ["member__phone_last4", "member__name", "reason"]
    search_help_text = _("Last four digits, name or reason")
    date_hierarchy = "occurred_at"
    fields = [("member", "kind"), "reason", ("actor", "occurred_at")]
