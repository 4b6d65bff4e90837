"""The menu: products, the options they come in, and what each store makes of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.kernel import versions
from shop.kernel.fields import CentsField, OptionalCentsField
from shop.kernel.money import Cents
from shop.models.named import Named
from shop.models.stores import Store

MENU = versions.trigger_of("menu")
"""What `shop.catalog` keeps copies of."""


class OrderType(models.TextChoices):
    """How the guest gets the drink."""

    DINE_IN = "dine_in", _("Dine in")
    PICKUP = "pickup", _("Pickup")
    DELIVERY = "delivery", _("Delivery")


class Category(Named):
    """A section of the menu."""

    code = models.SlugField(_("code"), max_length=32, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        triggers = [MENU]


class OptionGroup(Named):
    """A question asked about a product: cup size, temperature, sweetness, milk, toppings.

    A SKU axis (cup size) makes another article with its own price; the other groups only go to the
    kitchen's ticket.
    """

    code = models.SlugField(_("code"), max_length=32, unique=True)
    is_sku_axis = models.BooleanField(_("makes another article"), default=False)
    min_choices = models.PositiveSmallIntegerField(_("at least"), default=1)
    max_choices = models.PositiveSmallIntegerField(_("at most"), default=1)
    max_per_option = models.PositiveSmallIntegerField(_("at most of one"), default=1)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option group")
        verbose_name_plural = _("option groups")
        triggers = [MENU]

    @property
    def is_topping(self) -> bool:
        """Tell whether the guest may take several, each with a quantity."""
        return self.max_choices > 1


class Option(Named):
    """One answer to an option group's question."""

    group = models.ForeignKey(
        OptionGroup, models.CASCADE, related_name="options", verbose_name=_("option group")
    )
    code = models.SlugField(_("code"), max_length=32)
    price_delta_cents = CentsField(_("price difference"), default=Cents(0))
    cost_delta_cents = CentsField(_("cost difference"), default=Cents(0))
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        triggers = [MENU]
        constraints = [
            models.UniqueConstraint(name="option_code_once_per_group", fields=["group", "code"])
        ]


class Product(Named):
    """Something on the menu.

    `base_price_cents` is the price at size M, or of the thing itself when it has no size.
    """

    code = models.SlugField(_("code"), max_length=32, unique=True)
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="products", verbose_name=_("category")
    )
    description_zh = models.CharField(_("Chinese description"), max_length=200, blank=True)
    description_en = models.CharField(_("English description"), max_length=200, blank=True)
    base_price_cents = CentsField(_("base price"))
    cost_cents = CentsField(_("cost of goods"))
    floor_price_cents = CentsField(
        _("floor price"), help_text=_("Offers together may not go below it unapproved.")
    )
    prep_seconds = models.PositiveSmallIntegerField(_("preparation (s)"), default=0)
    caffeine = models.CharField(_("caffeine"), max_length=8, default="none")
    allergens = ArrayField(
        models.CharField(max_length=16), default=list, blank=True, verbose_name=_("allergens")
    )
    tags = ArrayField(
        models.CharField(max_length=32), default=list, blank=True, verbose_name=_("tags")
    )
    sellable = ArrayField(
        models.CharField(max_length=16, choices=OrderType),
        default=list,
        verbose_name=_("sold as"),
    )
    included_toppings = models.ManyToManyField(
        Option, related_name="+", blank=True, verbose_name=_("toppings included")
    )
    earns_points = models.BooleanField(_("earns points"), default=True)
    is_discountable = models.BooleanField(_("takes coupons"), default=True)
    is_active = models.BooleanField(_("on the menu"), default=True)
    available_from_month = models.PositiveSmallIntegerField(
        _("sold from month"), null=True, blank=True
    )
    available_to_month = models.PositiveSmallIntegerField(_("sold to month"), null=True, blank=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        triggers = [MENU]
        constraints = [
            models.CheckConstraint(
                name="product_price_not_negative",
                condition=Q(base_price_cents__gte=0, cost_cents__gte=0, floor_price_cents__gte=0),
            )
        ]


class ProductOption(models.Model):
    """An option that a product may be ordered with."""

    product = models.ForeignKey(
        Product, models.CASCADE, related_name="options", verbose_name=_("product")
    )
    option = models.ForeignKey(Option, models.PROTECT, related_name="+", verbose_name=_("option"))
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("product option")
        verbose_name_plural = _("product options")
        triggers = [MENU]
        constraints = [
            models.UniqueConstraint(name="product_option_once", fields=["product", "option"])
        ]

    def __str__(self) -> str:
        return f"{self.product} · {self.option}"


class StoreProduct(models.Model):
    """What a store changes about a product: its own price, sold out, not listed."""

    store = models.ForeignKey(
        Store, models.CASCADE, related_name="products", verbose_name=_("store")
    )
    product = models.ForeignKey(
        Product, models.CASCADE, related_name="stores", verbose_name=_("product")
    )
    price_cents = OptionalCentsField(_("own price"), null=True, blank=True)
    is_sold_out = models.BooleanField(_("sold out"), default=False)
    is_listed = models.BooleanField(_("on this store's menu"), default=True)

    class Meta:
        verbose_name = _("store's product")
        verbose_name_plural = _("stores' products")
        triggers = [MENU]
        constraints = [
            models.UniqueConstraint(name="store_product_once", fields=["store", "product"]),
            models.CheckConstraint(
                name="store_product_price_not_negative",
                condition=Q(price_cents__isnull=True) | Q(price_cents__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.store.code} · {self.product}"
