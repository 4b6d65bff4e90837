"""What the offer on the form would do, before it is saved: in words, on a cart, beside others.

Everything here reads only. The prices are the evaluator's, as at the till.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleTimeWidget,
    UnfoldBooleanSwitchWidget,
)

from campaigns import conflicts, definitions, hints, loss_guard, offer_texts
from campaigns.admin.rule_form import OneChoice, RuleForm
from campaigns.cart_lines import line_of
from campaigns.conflicts import Conflict, Outcome
from campaigns.models import CouponDefinition, Promotion
from campaigns.pricing import (
    Cart,
    Facts,
    InvalidRule,
    Offer,
    Pricing,
    Rule,
    evaluate,
    offer_rule_to_json,
    parse_rule,
)
from shop import catalog
from shop.admin.money import yuan
from shop.catalog import SIZE, Choice, MenuProduct
from shop.kernel.errors import InvalidInput
from shop.models import OrderType, Product, Store

THIS = "this"
LINES = 3
GUESTS = [
    ("newcomer", gettext_lazy("a new member, on their birthday")),
    ("member", gettext_lazy("a member for long")),
    ("guest", gettext_lazy("a guest without membership")),
]
BUYERS = {
    "newcomer": Facts(member="m", days_since_joined=0),
    "member": Facts(member="m", order_count=20, days_since_joined=400),
    "guest": Facts(),
}
SHOWN = 12
DAYS = [
    gettext_lazy("Mon"),
    gettext_lazy("Tue"),
    gettext_lazy("Wed"),
    gettext_lazy("Thu"),
    gettext_lazy("Fri"),
    gettext_lazy("Sat"),
    gettext_lazy("Sun"),
]


class SampleForm(forms.Form):
    """A cart to try an offer on; what is wrong in it falls back to two cups."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, prefix="sample", **kwargs)
        for number in range(1, LINES + 1):
            self.fields[f"product_{number}"] = OneChoice(Product, label=_("Product"))
            self.fields[f"quantity_{number}"] = forms.IntegerField(
                label=_("How many"),
                min_value=1,
                max_value=50,
                required=False,
                initial=2 if number == 1 else 1,
                widget=UnfoldAdminIntegerFieldWidget,
            )

    is_large = forms.BooleanField(
        label=gettext_lazy("large cups"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    has_topping = forms.BooleanField(
        label=gettext_lazy("with the dearest topping"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
    )
    buyer = forms.ChoiceField(
        label=gettext_lazy("Bought by"),
        choices=GUESTS,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    order_type = forms.ChoiceField(
        label=gettext_lazy("Way to order"),
        choices=OrderType.choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    weekday = forms.TypedChoiceField(
        label=gettext_lazy("On"),
        choices=[("", gettext_lazy("when it applies")), *enumerate(DAYS, start=1)],
        coerce=int,
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    at = forms.TimeField(
        label=gettext_lazy("At"), required=False, widget=UnfoldAdminSingleTimeWidget
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleLine:
    """A line of the sample cart, before and after."""

    name: str
    quantity: int
    subtotal: str
    discount: str
    net: str


def show_prices(request: HttpRequest, model: Any, row: Any, *, is_typed: bool) -> HttpResponse:
    """Show what the offer says, what the sample cart costs with it, and which hours it meets."""
    rule, errors = _rule(request, row, is_typed=is_typed)
    if rule is None:
        return render(request, "campaigns/preview_prices.html", {"errors": errors})
    offer = Offer(key=THIS, name=_("this offer"), rule=rule)
    text = offer_texts.of_rule(rule, names=offer_texts.load_names())
    context: dict[str, Any] = {"summary": text, "conflicts": _conflicts(offer, row)}
    store = Store.objects.order_by("pk").first()
    if store is not None:
        context |= _priced(request, offer, store)
    return render(request, "campaigns/preview_prices.html", context)


def show_losses(request: HttpRequest, model: Any, row: Any, *, is_typed: bool) -> HttpResponse:
    """Show what the offer would sell at which price, together with all it may meet."""
    rule, errors = _rule(request, row, is_typed=is_typed)
    if rule is None:
        return render(request, "campaigns/preview_losses.html", {"errors": errors})
    offer = row or model(code=str(request.POST.get("code") or THIS))
    offer.rule = offer_rule_to_json(rule)
    findings = loss_guard.check(offer, now=timezone.now())
    found = [definitions.as_json(finding) for finding in findings]
    context = {
        "rows": [
            sold
            | {
                "name": _name(finding.combination.article),
                "list": yuan(sold["list_cents"]),
                "unit": yuan(sold["unit_cents"]),
                "floor": yuan(sold["floor_cents"]),
            }
            for finding, sold in zip(findings[:SHOWN], found, strict=False)
        ],
        "losses": sum(sold["is_loss"] for sold in found),
        "articles": len(found),
        "worst": told(found[0]) if found and found[0]["is_loss"] else "",
    }
    return render(request, "campaigns/preview_losses.html", context)


def told(sold: dict[str, Any]) -> str:
    """Return a combination as a sentence."""
    return _(
        "%(offers)s together sell %(quantity)d × %(sku)s of %(list)s for %(unit)s each;"
        " the floor price is %(floor)s."
    ) % {
        "offers": " + ".join(sold["offers"]),
        "quantity": sold["quantity"],
        "sku": sold["sku"],
        "list": yuan(sold["list_cents"]),
        "unit": yuan(sold["unit_cents"]),
        "floor": yuan(sold["floor_cents"]),
    }


def _rule(request: HttpRequest, row: Any, *, is_typed: bool) -> tuple[Rule | None, Any]:
    """Return the rule as it is typed, or as it is stored where it is not typed."""
    if not is_typed:
        try:
            return parse_rule(row.rule), {}
        except InvalidRule as fault:
            return None, {"rule": [str(fault)]}
    form = RuleForm(request.POST)
    form.is_valid()
    rule = form.rule(form.cleaned_data)
    return rule, {form.fields[name].label or name: found for name, found in form.errors.items()}


def _priced(request: HttpRequest, offer: Offer, store: Store) -> dict[str, Any]:
    sample = SampleForm(request.POST)
    sample.is_valid()
    chosen = sample.cleaned_data
    lines = _lines(chosen, offer, store)
    if not lines:
        return {}
    at = _moment(chosen, offer.rule, store)
    cart = Cart(
        lines=tuple(
            line_of(product, priced, position=n, quantity=quantity)
            for n, (product, priced, quantity) in enumerate(lines, start=1)
        ),
        store=store.code,
        city=store.city,
        order_type=chosen.get("order_type") or OrderType.PICKUP,
        local_time=at,
    )
    pricing = evaluate(cart, _buyer(chosen, offer.rule, at), [_here(offer, store)], at)
    return {
        "lines": _shown(lines, pricing),
        "subtotal": yuan(pricing.subtotal_cents),
        "discount": yuan(pricing.discount_cents),
        "total": yuan(pricing.total_cents),
        "gifts": pricing.gifts,
        "rewards": [reward.as_json() for reward in pricing.rewards],
        "at": at,
        "refusal": "".join(hints.explain(r, local_time=at) for r in pricing.refusals),
        "hints": hints.near_misses(pricing),
    }


def _here(offer: Offer, store: Store) -> Offer:
    """Return the offer as if the sample's store were one of its own."""
    asked = replace(offer.rule.conditions, stores=frozenset(), cities=frozenset())
    return replace(offer, rule=replace(offer.rule, conditions=asked))


def _lines(
    chosen: dict[str, Any], offer: Offer, store: Store
) -> list[tuple[MenuProduct, catalog.PricedChoice, int]]:
    picked = [
        (chosen.get(f"product_{n}"), chosen.get(f"quantity_{n}") or (2 if n == 1 else 1))
        for n in range(1, LINES + 1)
        if chosen.get(f"product_{n}")
    ] or [(code, 2) for code in _usual(offer)]
    products = catalog.load_products(store_id=store.pk, codes=[code for code, _n in picked])
    lines = []
    for code, quantity in picked:
        product = products.get(str(code))
        if product is None:
            continue
        try:
            priced = catalog.price_choice(product, _choice(product, chosen))
        except InvalidInput:
            continue
        lines.append((product, priced, quantity))
    return lines


def _usual(offer: Offer) -> list[str]:
    """Return a product that the offer is about, or any."""
    products = Product.objects.filter(is_active=True, is_discountable=True).order_by("pk")
    scope = offer.rule.scope
    if scope.products:
        products = products.filter(code__in=scope.products)
    elif scope.categories:
        products = products.filter(category__code__in=scope.categories)
    return list(products.values_list("code", flat=True)[:1])


def _choice(product: MenuProduct, chosen: dict[str, Any]) -> Choice:
    usual = catalog.default_choice(product)
    options, toppings = dict(usual.options), {}
    sizes = [o for o in product.options if o.group == SIZE]
    if chosen.get("is_large") and sizes:
        options[SIZE] = max(sizes, key=lambda o: o.price_delta_cents).code
    extras = [o for o in product.options if o.is_topping]
    if chosen.get("has_topping") and extras:
        toppings = {max(extras, key=lambda o: o.price_delta_cents).code: 1}
    return Choice(options=options, toppings=toppings)


def _moment(chosen: dict[str, Any], rule: Rule, store: Store) -> datetime:
    """Return when the sample is bought: as chosen, else when the offer applies next."""
    asked = rule.conditions
    now = timezone.now()
    at = max(now, asked.starts_at) if asked.starts_at is not None else now
    at = at.astimezone(ZoneInfo(store.timezone))
    weekday, clock = chosen.get("weekday"), chosen.get("at")
    if weekday is None and clock is None:
        if asked.hours and not any(hours.include(at) for hours in asked.hours):
            return min(hours.next_start(at) for hours in asked.hours)
        return at
    if weekday is not None:
        at += timedelta(days=(weekday - at.isoweekday()) % 7)
    return at if clock is None else at.replace(hour=clock.hour, minute=clock.minute, second=0)


def _buyer(chosen: dict[str, Any], rule: Rule, at: datetime) -> Facts:
    """Return the buyer; a member is in the tiers and segments that the offer is for."""
    facts = BUYERS.get(chosen.get("buyer") or "newcomer", BUYERS["newcomer"])
    if facts.member is None:
        return facts
    asked = rule.conditions
    is_new = facts.order_count == 0
    nth = asked.nth_order
    return replace(
        facts,
        tier=min(asked.tiers, default=None),
        segments=asked.segments,
        acquisition_channel=min(asked.channels, default=None),
        birthday=at.date() if is_new else None,
        order_count=nth - 1 if is_new and nth is not None else facts.order_count,
    )


def _shown(
    lines: list[tuple[MenuProduct, catalog.PricedChoice, int]], pricing: Pricing
) -> list[SampleLine]:
    return [
        SampleLine(
            name=f"{_name(product)} {priced.sku}",
            quantity=quantity,
            subtotal=yuan(line.subtotal_cents),
            discount=yuan(line.discount_cents) if line.discount_cents else "",
            net=yuan(line.net_cents),
        )
        for (product, priced, quantity), line in zip(lines, pricing.lines, strict=True)
    ]


def _conflicts(offer: Offer, row: Any) -> list[tuple[str, str, str]]:
    """Return the happy hours of others that this one overlaps: which, when, and what happens."""
    others = {
        f"{model.__name__.lower()}:{other.code}": other
        for model in (Promotion, CouponDefinition)
        for other in model.objects.filter(status__in=["active", "paused", "submitted"])
        if row is None or (type(row), row.pk) != (model, other.pk)
    }
    offers = [
        Offer(key=key, name=other.name, rule=parse_rule(other.rule))
        for key, other in others.items()
    ]
    return [_told_conflict(conflict) for conflict in conflicts.find(offer, offers)]


def _told_conflict(conflict: Conflict) -> tuple[str, str, str]:
    spans = ", ".join(_span(*span) for span in conflict.spans)
    name = conflict.other.name
    outcome = {
        Outcome.BOTH: _("Both apply, one after the other."),
        Outcome.FIRST: _("Only this offer applies then."),
        Outcome.OTHER: _("Only the other one applies then, this one does not."),
    }[conflict.outcome]
    return name, spans, outcome


def _span(begin: int, end: int) -> str:
    days = 24 * 60
    starts = f"{DAYS[begin // days]} {begin % days // 60:02d}:{begin % 60:02d}"
    ends = f"{end % days // 60:02d}:{end % 60:02d}"
    if (end - 1) // days != begin // days:
        ends = f"{DAYS[end // days % 7]} {ends}"
    return f"{starts}–{'24:00' if ends == '00:00' else ends}"


def _name(named: Any) -> str:
    is_chinese = (get_language() or "").startswith("zh")
    return str(named.name_zh if is_chinese else named.name_en)
