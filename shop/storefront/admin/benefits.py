"""Benefits and paid memberships, head office's to write; what was given and bought, to be read."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns.models import CouponDefinition
from loyalty.models import (
    Benefit,
    BenefitGrant,
    BenefitVersion,
    MembershipPlan,
    PlanOrder,
    PlanPurchase,
)
from shop.admin.buttons import Button, Text, button
from shop.admin.choices import Choice
from shop.admin.money import YuanField, yuan
from shop.admin.pages import Page, ReadOnlyPage, ReadOnlyRows
from shop.admin.scoping import VisibleFilter, principal_of
from shop.kernel.clock import chain_day
from shop.kernel.money import Cents
from shop.models import Category, Product
from shop.storefront import benefit_grants, plan_returns

MONTHS_AHEAD = 12
ALL = _("None chosen: all.")


class VersionRows(ReadOnlyRows):
    """What the benefit was and will be, month by month."""

    model = BenefitVersion
    fields = [
        "effective_month",
        "is_active",
        "coupon",
        "quantity",
        "percent",
        "amount_cents",
        "goods",
        "text_zh",
        "text_en",
        "actor",
    ]
    readonly_fields = fields
    most = 24

    @admin.display(description=_("of what"))
    def goods(self, version: BenefitVersion) -> str:
        """Show the codes of what has a member price; nothing: all."""
        return " ".join([*version.categories, *version.products])


class VersionForm(BaseDialogForm):
    """What the benefit is from a month on."""

    month = forms.TypedChoiceField(
        label=_("from month"), coerce=date.fromisoformat, widget=UnfoldAdminSelectWidget
    )
    is_active = forms.BooleanField(
        label=_("given"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )
    coupon = forms.ModelChoiceField(
        label=_("coupon definition"),
        queryset=CouponDefinition.objects.order_by("code"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    quantity = forms.IntegerField(
        label=_("how many"),
        initial=1,
        min_value=1,
        max_value=9,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    percent = forms.IntegerField(
        label=_("points at (%)"),
        initial=100,
        min_value=100,
        max_value=1000,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    amount = YuanField(label=_("less for each"), initial=Cents(0))
    products = Choice(Product, label=_("products"), help_text=ALL)
    categories = Choice(Category, label=_("categories"), help_text=ALL)
    text_zh = forms.CharField(
        label=_("Chinese text"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    text_en = forms.CharField(
        label=_("English text"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first = chain_day(timezone.now()).replace(day=1)
        months = [_month_after(first, ahead) for ahead in range(MONTHS_AHEAD + 1)]
        self.fields["month"].choices = [(m.isoformat(), f"{m:%Y-%m}") for m in months]  # type: ignore[attr-defined]


def _month_after(first: date, ahead: int) -> date:
    years, month = divmod(first.month - 1 + ahead, 12)
    return date(first.year + years, month + 1, 1)


@admin.register(Benefit)
class BenefitPage(Page):
    """What a tier or a plan gives; a version per change, and none is ever changed."""

    list_display = ["code", "title", "kind", "tier", "plan"]
    list_display_links = ["code", "title"]
    list_filter = [("kind", ChoicesDropdownFilter), ("tier", VisibleFilter)]
    list_select_related = ["tier", "plan"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]
    inlines = [VersionRows]
    actions_detail = ["append_version"]
    fieldsets = [
        (None, {"fields": [("code", "kind"), ("name_zh", "name_en"), ("tier", "plan")]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = ["code", "kind", "tier", "plan"] if obj is not None else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @button(
        Button(
            label=_("Change from a month on"),
            question=_("What members have this month stands."),
            permission="loyalty.add_benefitversion",
            form=VersionForm,
        ),
        icon="edit_calendar",
        variant=ActionVariant.PRIMARY,
    )
    def append_version(self, request: HttpRequest, benefit: Any, answers: dict[str, Any]) -> Text:
        """Append a version."""
        coupon = answers["coupon"]
        benefit_grants.append_version(
            benefit,
            month=answers["month"],
            actor=principal_of(request).key,
            now=timezone.now(),
            is_active=answers["is_active"],
            coupon=coupon.code if coupon else "",
            quantity=answers["quantity"],
            percent=answers["percent"],
            amount_cents=answers["amount"],
            products=answers["products"],
            categories=answers["categories"],
            text_zh=answers["text_zh"],
            text_en=answers["text_en"],
        )
        return _("The benefit changes in %(month)s.") % {"month": f"{answers['month']:%Y-%m}"}


@admin.register(BenefitGrant)
class BenefitGrantPage(ReadOnlyPage):
    """Who was given what for which month, or for which year's birthday."""

    store_lookup = "member__store_id"
    list_display = ["granted_at", "member", "benefit", "period"]
    list_display_links = ["granted_at"]
    list_filter = [("benefit", VisibleFilter), ("member__store", VisibleFilter)]
    list_select_related = ["member", "benefit"]
    search_fields = ["member__phone_last4", "member__name", "benefit__code"]
    search_help_text = _("Last four digits, name or benefit")
    date_hierarchy = "granted_at"
    fields = [("member", "benefit"), ("period", "granted_at")]


@admin.register(MembershipPlan)
class MembershipPlanPage(Page):
    """Memberships that are paid for."""

    list_display = ["code", "title", "price_cents", "days", "is_active"]
    list_display_links = ["code", "title"]
    list_filter = ["is_active"]
    search_fields = ["code", "name_zh", "name_en"]
    search_help_text = _("Code or name")
    ordering = ["code"]
    fieldsets = [
        (None, {"fields": [("code", "is_active"), ("name_zh", "name_en")]}),
        (None, {"fields": [("price_cents", "days")]}),
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PlanOrder)
class PlanOrderPage(ReadOnlyPage):
    """What members ordered on their phones, and whether the provider has the money."""

    store_lookup = "store_id"
    list_display = ["placed_at", "number", "member", "plan", "price_cents", "is_paid"]
    list_display_links = ["placed_at", "number"]
    list_filter = [("plan", VisibleFilter), ("store", VisibleFilter)]
    list_select_related = ["member", "plan", "payment"]
    search_fields = ["number", "member__phone_last4", "payment__provider_ref"]
    search_help_text = _("Number, last four digits or the provider's number")
    date_hierarchy = "placed_at"
    readonly_fields = ["is_paid", "provider_ref"]
    fields = [
        ("number", "plan", "price_cents"),
        ("member", "store", "placed_at"),
        ("is_paid", "provider_ref"),
    ]

    @admin.display(description=_("paid for"), boolean=True)
    def is_paid(self, order: PlanOrder) -> bool:
        """Show whether the money is there."""
        return hasattr(order, "payment")

    @admin.display(description=_("provider's number"))
    def provider_ref(self, order: PlanOrder) -> str:
        """Show by which payment, to ask the provider about it."""
        return order.payment.provider_ref if hasattr(order, "payment") else "–"


@admin.register(PlanPurchase)
class PlanPurchasePage(ReadOnlyPage):
    """Periods that members paid for; sold and given back at the till, or by staff."""

    store_lookup = "store_id"
    list_display = ["bought_at", "member", "plan", "price_cents", "starts_at", "ends_at"]
    list_display_links = ["bought_at"]
    list_filter = [("plan", VisibleFilter), ("store", VisibleFilter)]
    list_select_related = ["member", "plan"]
    search_fields = ["member__phone_last4", "member__name", "reference"]
    search_help_text = _("Last four digits, name or receipt number")
    date_hierarchy = "bought_at"
    fields = [
        ("member", "plan"),
        ("store", "actor"),
        ("price_cents", "method", "reference"),
        ("starts_at", "ends_at", "bought_at"),
        ("refunded_at", "refunded_cents"),
    ]
    actions_detail = ["give_back"]

    @button(
        Button(
            label=_("Give back"),
            question=_(
                "What its unused whole days cost is to be handed out, all of it before it begins."
                " Its benefits end now."
            ),
            permission="loyalty.change_planpurchase",
            when=lambda bought: bought.refunded_at is None and bought.ends_at > timezone.now(),
        ),
        icon="undo",
        variant=ActionVariant.DANGER,
    )
    def give_back(self, request: HttpRequest, bought: Any, answers: dict[str, Any]) -> Text:
        """Take a period back for its money."""
        found = plan_returns.give_back(
            bought.pk,
            member_id=bought.member_id,
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("Given back: hand out %(amount)s.") % {"amount": yuan(found.refunded_cents)}
