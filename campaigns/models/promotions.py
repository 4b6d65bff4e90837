"""Promotions: offers that apply by themselves, without a coupon."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.offers import OfferTerms


class Promotion(OfferTerms):
    """An offer for whoever meets its conditions: happy hour, 满减, the second cup half price."""

    uses_total = models.PositiveIntegerField(_("uses in all"), null=True, blank=True)
    uses_per_member = models.PositiveIntegerField(_("uses per member"), null=True, blank=True)

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        constraints = [*OfferTerms.Meta.constraints]
