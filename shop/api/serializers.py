"""What goes in and out of the API of stores and menus."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shop.kernel.serializers import StrictBooleanField, StrictSerializer
from shop.models import Option, OrderType, Store, StoreHours


@extend_schema_field({"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"})
class LocalTimeField(serializers.TimeField):
    """A time on the store's wall; what OpenAPI calls a time has an offset."""

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class StoreHoursOut(serializers.ModelSerializer[StoreHours]):
    """When the store is open on one weekday; a closing time before the opening is past midnight."""

    opens_at = LocalTimeField()
    closes_at = LocalTimeField()

    class Meta:
        model = StoreHours
        fields = ("weekday", "opens_at", "closes_at")


class StoreOut(serializers.ModelSerializer[Store]):
    """A store as guests find it."""

    hours = StoreHoursOut(many=True)

    class Meta:
        model = Store
        fields = (
            "code",
            "name_zh",
            "name_en",
            "city",
            "address",
            "timezone",
            "opened_on",
            "longitude",
            "latitude",
            "contact_phone",
            "contact_wechat",
            "hours",
        )


class MenuOptionOut(serializers.ModelSerializer[Option]):
    """One answer to an option group's question."""

    class Meta:
        model = Option
        fields = ("code", "name_zh", "name_en", "price_delta_cents")


class OptionGroupOut(serializers.Serializer[Any]):
    """A question asked about products: cup size, temperature, sweetness, toppings."""

    code = serializers.CharField(source="group.code")
    name_zh = serializers.CharField(source="group.name_zh")
    name_en = serializers.CharField(source="group.name_en")
    is_sku_axis = serializers.BooleanField(
        source="group.is_sku_axis", help_text="The answer makes another article."
    )
    is_topping = serializers.BooleanField(
        source="group.is_topping", help_text="Several may be taken, each with a quantity."
    )
    min_choices = serializers.IntegerField(source="group.min_choices")
    max_choices = serializers.IntegerField(source="group.max_choices")
    max_per_option = serializers.IntegerField(source="group.max_per_option")
    options = MenuOptionOut(many=True)


class GroupChoiceOut(serializers.Serializer[Any]):
    """Which answers a product allows to one group, and the one it has unless asked."""

    group = serializers.CharField()
    allowed = serializers.ListField(child=serializers.CharField())
    default = serializers.CharField(allow_null=True)


class MenuProductOut(serializers.Serializer[Any]):
    """A product at this store. Names of options are in `option_groups`, once for the whole menu."""

    code = serializers.CharField(source="product.code")
    name_zh = serializers.CharField(source="product.name_zh")
    name_en = serializers.CharField(source="product.name_en")
    description_zh = serializers.CharField(source="product.description_zh")
    description_en = serializers.CharField(source="product.description_en")
    price_cents = serializers.IntegerField(help_text="At this store, at size M.")
    is_sold_out = serializers.BooleanField()
    is_in_season = serializers.BooleanField()
    sellable = serializers.ListField(
        child=serializers.ChoiceField(choices=OrderType.choices), source="product.sellable"
    )
    caffeine = serializers.CharField(source="product.caffeine")
    allergens = serializers.ListField(child=serializers.CharField(), source="product.allergens")
    tags = serializers.ListField(child=serializers.CharField(), source="product.tags")
    options = GroupChoiceOut(many=True)
    included_toppings = serializers.ListField(
        child=serializers.CharField(), help_text="In the price; not to be chosen again."
    )


class MenuCategoryOut(serializers.Serializer[Any]):
    """A section of the menu."""

    code = serializers.CharField(source="category.code")
    name_zh = serializers.CharField(source="category.name_zh")
    name_en = serializers.CharField(source="category.name_en")
    products = MenuProductOut(many=True)


class MenuOut(serializers.Serializer[Any]):
    """Everything a till or a guest can choose from at one store."""

    store = serializers.CharField(source="store.code")
    option_groups = OptionGroupOut(many=True, source="groups")
    categories = MenuCategoryOut(many=True, source="sections")


class AvailabilityRequest(StrictSerializer):
    """Whether the product is sold out at this store now."""

    is_sold_out = StrictBooleanField()


class Availability(serializers.Serializer[Any]):
    """What a store can sell of a product now."""

    store = serializers.CharField(source="store.code")
    product = serializers.CharField(source="product.code")
    is_sold_out = serializers.BooleanField()
