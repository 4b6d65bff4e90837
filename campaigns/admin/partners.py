"""Whom we work with, the keys of their systems, and their access at providers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns import partner_credentials, partners
from campaigns.models import (
    Partner,
    PartnerCredential,
    PartnerKey,
)
from shop.admin.buttons import Button, Text, address, button
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyRows
from shop.admin.scoping import principal_of
from shop.admin.tills import show_once


class PartnerKeyRows(ReadOnlyRows):
    """The keys of a partner, without their secrets."""

    model = PartnerKey
    fields = ["public_id", "created_at", "expires_at", "revoked_at"]
    readonly_fields = fields
    tab = False


class CredentialRows(ReadOnlyRows):
    """A partner's access at providers, without the secrets."""

    model = PartnerCredential
    fields = ["provider", "account", "stored_at", "stored_by"]
    readonly_fields = fields
    hide_title = True
    tab = False


class CredentialForm(BaseDialogForm):
    """An access at a provider; the secret is typed in and never shown again."""

    provider = forms.SlugField(
        label=_("provider"),
        max_length=32,
        help_text=_("Ad platforms by their names here: tencent, oceanengine; others as you like."),
        widget=UnfoldAdminTextInputWidget,
    )
    account = forms.CharField(
        label=_("account there"),
        max_length=80,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    secret = forms.CharField(
        label=_("secret"),
        max_length=500,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "off"}),
        help_text=_("Kept sealed and shown to nobody."),
    )


class ForgetCredentialForm(BaseDialogForm):
    """Which access to forget."""

    access = forms.ModelChoiceField(
        label=_("access at a provider"),
        queryset=PartnerCredential.objects.none(),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = PartnerCredential.objects.filter(partner_id=self.object_id).order_by("provider")
        self.fields["access"].queryset = kept  # type: ignore[attr-defined]


class RevokeKeyForm(BaseDialogForm):
    """Which of a partner's working keys to revoke."""

    key = forms.ModelChoiceField(
        label=_("partner key"), queryset=PartnerKey.objects.none(), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        working = PartnerKey.objects.filter(partner_id=self.object_id, revoked_at=None)
        self.fields["key"].queryset = working.order_by("-created_at")  # type: ignore[attr-defined]


@admin.register(Partner)
class PartnerPage(ForHeadOffice, Page):
    """A partner, and the keys that their systems hold."""

    list_display = ["code", "title", "kind", "contact", "is_active"]
    list_display_links = ["code", "title"]
    list_filter = [("kind", ChoicesDropdownFilter), "is_active"]
    search_fields = ["code", "name_zh", "name_en", "contact"]
    search_help_text = _("Code, name or contact")
    ordering = ["code"]
    inlines = [PartnerKeyRows, CredentialRows]
    actions_detail = ["issue_key", "revoke_key", "store_access", "forget_access"]
    fieldsets = [
        (None, {"fields": [("code", "kind"), ("name_zh", "name_en"), ("contact", "is_active")]})
    ]

    @button(
        Button(
            label=_("Issue a key"),
            question=_("It reads what is the partner's own. It is shown once."),
            permission="campaigns.add_partnerkey",
        ),
        icon="key",
        variant=ActionVariant.PRIMARY,
    )
    def issue_key(
        self, request: HttpRequest, partner: Any, answers: dict[str, Any]
    ) -> HttpResponse:
        """Give the partner a key."""
        key = partners.issue_key(partner, now=timezone.now())
        return show_once(request, key, done_url=address(self, partner))

    @button(
        Button(
            label=_("Revoke a key"),
            question=_("Whoever holds it is refused from now on."),
            permission="campaigns.change_partnerkey",
            form=RevokeKeyForm,
            when=lambda partner: partner.keys.filter(revoked_at=None).exists(),
        ),
        icon="key_off",
        variant=ActionVariant.DANGER,
    )
    def revoke_key(self, request: HttpRequest, partner: Any, answers: dict[str, Any]) -> Text:
        """Make one key stop working."""
        partners.revoke_key(answers["key"], now=timezone.now())
        return _("The key %(key)s no longer works.") % {"key": answers["key"].public_id}

    @button(
        Button(
            label=_("Store access at a provider"),
            question=_("It replaces what is stored for that provider."),
            permission="campaigns.add_partnercredential",
            form=CredentialForm,
        ),
        icon="lock",
    )
    def store_access(self, request: HttpRequest, partner: Any, answers: dict[str, Any]) -> Text:
        """Keep the partner's access at a provider."""
        partner_credentials.store(
            partner,
            provider=answers["provider"],
            account=answers["account"],
            secret=answers["secret"],
            actor=principal_of(request).key,
            now=timezone.now(),
        )
        return _("The access is stored.")

    @button(
        Button(
            label=_("Forget access at a provider"),
            question=_("Calls that need it are refused from now on."),
            permission="campaigns.delete_partnercredential",
            form=ForgetCredentialForm,
            when=lambda partner: partner.credentials.exists(),
        ),
        icon="lock_open",
        variant=ActionVariant.DANGER,
    )
    def forget_access(self, request: HttpRequest, partner: Any, answers: dict[str, Any]) -> Text:
        """Delete the partner's access at a provider."""
        partner_credentials.forget(partner, provider=answers["access"].provider)
        return _("The access is forgotten.")
