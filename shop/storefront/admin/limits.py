"""The limits past which campaigns raise alarms."""

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from shop.admin.pages import Page
from shop.storefront.models import CampaignLimits


@admin.register(CampaignLimits)
class CampaignLimitsPage(Page):
    """When a campaign burns money; there is one row, and it cannot be deleted."""

    list_display = ["__str__", "payback_days", "repurchase_bp", "least_buyers"]
    fields = ["payback_days", "repurchase_bp", "least_buyers"]
    shares = {"repurchase_bp": ""}

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        is_missing = not CampaignLimits.objects.exists()
        return is_missing and super().has_add_permission(request, *args)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self,
        request: HttpRequest,
        obj: CampaignLimits,
        form: ModelForm[CampaignLimits],
        change: Any,
    ) -> None:
        obj.pk = 1
        super().save_model(request, obj, form, change)
