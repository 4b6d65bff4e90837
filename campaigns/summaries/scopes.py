"""Which goods a scope speaks of, in plain words."""

from campaigns.pricing import Portion, Scope
from campaigns.summaries.phrases import Names, Text, joined, listed, money, say

EVERYTHING = say("任意商品", "anything")


def is_everything(scope: Scope) -> bool:
    """Tell whether the scope leaves nothing out."""
    return scope == Scope()


def tell(scope: Scope, names: Names) -> Text:
    """Return the goods in the scope."""
    categories = [names.of("category", code) for code in sorted(scope.categories)]
    products = [names.of("product", code) for code in sorted(scope.products)]
    goods = listed([*categories, *products]) if categories or products else EVERYTHING
    details = _details(scope, names)
    if not details:
        return goods
    return say("{g}（{d}）", "{g} ({d})", g=goods, d=joined(details, zh="，", en=", "))


def _details(scope: Scope, names: Names) -> list[Text]:
    found = []
    if scope.options:
        options = listed(names.of("option", code) for code in sorted(scope.options))
        found.append(say("{o}", "as {o}", o=options))
    if scope.min_price_cents is not None:
        found.append(say("单价{m}起", "from {m} each", m=money(scope.min_price_cents)))
    if scope.max_price_cents is not None:
        found.append(say("单价不超过{m}", "up to {m} each", m=money(scope.max_price_cents)))
    left_out = listed(
        [
            *(names.of("category", code) for code in sorted(scope.exclude_categories)),
            *(names.of("product", code) for code in sorted(scope.exclude_products)),
        ]
    )
    if scope.exclude_categories or scope.exclude_products:
        found.append(say("{x}除外", "but not {x}", x=left_out))
    if scope.exclude_reduced:
        found.append(say("特价商品除外", "but nothing on sale"))
    if scope.portion is Portion.WITHOUT_TOPPINGS:
        found.append(say("加料除外", "toppings not included"))
    if scope.portion is Portion.TOPPINGS:
        found.append(say("只计加料", "the toppings alone"))
    return found
