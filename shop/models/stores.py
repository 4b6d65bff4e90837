"""Stores and when they are open."""

from datetime import date, datetime, time

from django.db import models
from django.db.models import Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy as _

from shop.kernel import clock
from shop.models.named import Named


class Store(Named):
    """A shop where people buy.

    Invariants:
        A business day runs from `day_starts_at` to the same time of the next calendar day, store
        time; so a shop that closes at 02:00 books its late cups on the day it opened.
    """

    class Ownership(models.TextChoices):
        DIRECT = "direct", _("Company-owned")
        FRANCHISE = "franchise", _("Franchise")

    code = models.SlugField(_("code"), max_length=16, unique=True, allow_unicode=False)
    ownership = models.CharField(_("ownership"), max_length=16, choices=Ownership)
    city = models.CharField(_("city"), max_length=40)
    address = models.CharField(_("address"), max_length=200, blank=True, default="")
    timezone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    day_starts_at = models.TimeField(_("business day starts at"), default=time(5))
    opened_on = models.DateField(_("opening day"))
    longitude = models.DecimalField(
        _("longitude"), max_digits=9, decimal_places=6, null=True, blank=True
    )
    latitude = models.DecimalField(
        _("latitude"), max_digits=9, decimal_places=6, null=True, blank=True
    )
    stations = models.PositiveSmallIntegerField(_("work stations"), default=1)
    pickup_prefix = models.CharField(_("pickup prefix"), max_length=2)
    contact_phone = models.CharField(_("contact phone"), max_length=32, blank=True, default="")
    contact_wechat = models.CharField(_("contact WeChat"), max_length=64, blank=True, default="")
    external_ids = models.JSONField(
        _("numbers on other platforms"),
        default=dict,
        blank=True,
        help_text=_("By name: douyin_poi, meituan_shop."),
    )
    is_active = models.BooleanField(_("open for business"), default=True)

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        constraints = [
            models.CheckConstraint(name="store_has_a_station", condition=Q(stations__gte=1))
        ]

    def business_date(self, at: datetime) -> date:
        """Return this store's business day at that moment."""
        return clock.business_date(at, timezone=self.timezone, day_starts_at=self.day_starts_at)

    def business_day_start(self, day: date) -> datetime:
        """Return when that business day begins."""
        return clock.business_day_start(
            day, timezone=self.timezone, day_starts_at=self.day_starts_at
        )


class StoreHours(models.Model):
    """When a store is open on one weekday; a closing time before the opening is past midnight."""

    store = models.ForeignKey(Store, models.CASCADE, related_name="hours", verbose_name=_("store"))
    weekday = models.PositiveSmallIntegerField(
        _("weekday"), choices=[(day + 1, name) for day, name in WEEKDAYS.items()]
    )
    opens_at = models.TimeField(_("opens at"))
    closes_at = models.TimeField(_("closes at"))

    class Meta:
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")
        constraints = [
            models.UniqueConstraint(name="store_hours_once_a_day", fields=["store", "weekday"]),
            models.CheckConstraint(
                name="store_hours_weekday_exists", condition=Q(weekday__range=(1, 7))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()}: {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"
