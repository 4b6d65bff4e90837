"""Ad platforms: our accounts there, the clicks they reported, and what they were told."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminPasswordWidget

from campaigns import ad_accounts, ad_uploads
from campaigns.models import AdAccount, AdClick, AdUpload, Channel, ChannelLink
from shop.admin.buttons import Button, Text, button
from shop.admin.pages import ForHeadOffice, Page, ReadOnlyPage
from shop.admin.scoping import VisibleFilter

AD_CHANNELS = [Channel.Kind.AD_FEED, Channel.Kind.AD_SEARCH]
MOST_LINKS = 50
MEMBER_SEARCH = ["member__phone_last4", "member__name"]


class AccountForm(ModelForm[AdAccount]):
    """An account; its token is typed in and never shown again."""

    token = forms.CharField(
        label=_("access token"),
        required=False,
        max_length=500,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "off"}),
        help_text=_("Kept sealed and shown to nobody. Empty: the one that is stored stays."),
    )

    def clean(self) -> dict[str, Any]:
        answers = super().clean() or {}
        platform = answers.get("platform") or self.instance.platform
        if platform == "tencent" and not answers.get("action_set_id"):
            self.add_error("action_set_id", _("Tencent Ads needs a user action set."))
        agency = answers.get("agency")
        has_token = answers.get("token") or self.instance.has_token
        if agency is not None and not has_token:
            has_token = agency.credentials.filter(provider=platform).exists()
        if platform == "tencent" and not has_token:
            self.add_error("token", _("Tencent Ads needs an access token."))
        return answers


@admin.register(AdAccount)
class AdAccountPage(ForHeadOffice, Page):
    """Our account at a platform, with the addresses to paste into its console."""

    form = AccountForm
    list_display = ["name", "platform", "external_id", "is_active", "created_at"]
    list_display_links = ["name"]
    list_filter = [("platform", ChoicesDropdownFilter), "is_active"]
    search_fields = ["name", "code", "external_id"]
    search_help_text = _("Name, code or account id")
    ordering = ["pk"]
    autocomplete_fields = ["agency"]
    readonly_fields = ["token_is_stored", "click_reports", "created_at"]
    fieldsets = [
        (None, {"fields": [("name", "is_active"), ("code", "platform")]}),
        (
            _("At the platform"),
            {
                "fields": [
                    ("external_id", "action_set_id"),
                    ("token", "token_is_stored"),
                    "agency",
                ]
            },
        ),
        (
            _("What the platform is told, of members who agreed"),
            {
                "fields": [
                    ("sends_registrations", "sends_first_orders"),
                    ("sends_orders", "sends_refunds"),
                    "sends_phone_hash",
                ]
            },
        ),
        (_("Click reports"), {"fields": ["click_reports", "created_at"]}),
    ]
    add_fieldsets = fieldsets[:3]
    actions_detail = ["renew_key"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = ["code", "platform"] if obj is not None else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("token stored"), boolean=True)
    def token_is_stored(self, account: AdAccount) -> bool:
        """Tell whether there is a token."""
        return account.has_token

    @admin.display(description=_("addresses"))
    def click_reports(self, account: AdAccount) -> str:
        """Show the address of click reports for every link that ads lead to."""
        found = ChannelLink.objects.filter(is_active=True, channel__kind__in=AD_CHANNELS)
        rows = [
            {"label": str(link), "url": ad_accounts.click_report_url(account, link.code)}
            for link in found.order_by("label", "pk")[:MOST_LINKS]
        ]
        return render_to_string("campaigns/click_reports.html", {"rows": rows})

    def save_model(
        self, request: HttpRequest, obj: AdAccount, form: ModelForm[AdAccount], change: Any
    ) -> None:
        if not change:
            obj.created_at = timezone.now()
        ad_accounts.give_keys(obj, token=form.cleaned_data.get("token", ""))

    @button(
        Button(
            label=_("Make a new key"),
            question=_(
                "Addresses that are in the platform's console stop working until the new ones"
                " are pasted there."
            ),
            permission="campaigns.change_adaccount",
        ),
        icon="key",
        variant=ActionVariant.DANGER,
    )
    def renew_key(self, request: HttpRequest, account: AdAccount, answers: dict[str, Any]) -> Text:
        """Make the old addresses worthless."""
        ad_accounts.renew_click_key(account)
        return _("The addresses have a new key.")


@admin.register(AdClick)
class AdClickPage(ReadOnlyPage):
    """Clicks on ads, as platforms and guests told of them."""

    store_lookup = "link__store_id"
    list_display = ["clicked_at", "platform", "link", "ad_id", "member", "reported_at"]
    list_display_links = ["clicked_at"]
    list_filter = [("platform", ChoicesDropdownFilter), ("link__channel", VisibleFilter)]
    list_select_related = ["link", "member"]
    search_fields = ["click_id", "ad_id", "link__code"]
    search_help_text = _("Click, ad or code of the link")
    date_hierarchy = "clicked_at"
    fields = [
        ("platform", "account"),
        "click_id",
        ("link", "ad_id"),
        "member",
        ("clicked_at", "reported_at"),
        "settled_at",
    ]


@admin.register(AdUpload)
class AdUploadPage(ReadOnlyPage):
    """What platforms were told, are to be told, or did not want to hear."""

    store_lookup = "click__link__store_id"
    list_display = [
        "occurred_at",
        "platform",
        "event",
        "member",
        "value_cents",
        "state",
        "attempts",
        "platform_code",
        "platform_message",
    ]
    list_display_links = ["occurred_at"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("event", ChoicesDropdownFilter),
        ("click__platform", ChoicesDropdownFilter),
    ]
    list_select_related = ["click", "member"]
    search_fields = [*MEMBER_SEARCH, "source", "click__click_id"]
    search_help_text = _("Last four digits, name, order number or click")
    date_hierarchy = "occurred_at"
    fields = [
        ("event", "state"),
        ("click", "member"),
        ("source", "value_cents"),
        ("occurred_at", "created_at"),
        ("attempts", "due_at"),
        "sent_at",
        ("platform_code", "platform_message"),
    ]
    actions = ["retry"]
    actions_detail = ["retry_one"]

    @admin.display(description=_("platform"), ordering="click__platform")
    def platform(self, upload: AdUpload) -> str:
        """Show whom it is told."""
        return upload.click.get_platform_display()

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may have uploads sent again."""
        return request.user.has_perm("campaigns.change_adupload")

    @admin.action(description=_("Send again"), permissions=["retry"])
    def retry(self, request: HttpRequest, chosen: QuerySet[Any]) -> None:
        """Let the chosen refused and given-up uploads wait again."""
        count = ad_uploads.retry([upload.pk for upload in chosen], now=timezone.now())
        said = ngettext("%(n)s upload is waiting again.", "%(n)s uploads are waiting again.", count)
        messages.success(request, said % {"n": count})

    @button(
        Button(
            label=_("Send again"),
            question=_("The platform is asked once more."),
            permission="campaigns.change_adupload",
            when=lambda upload: upload.state in {"refused", "dead"},
        ),
        icon="replay",
    )
    def retry_one(self, request: HttpRequest, upload: AdUpload, answers: dict[str, Any]) -> Text:
        """Let this upload wait again."""
        count = ad_uploads.retry([upload.pk], now=timezone.now())
        return _("It is waiting again.") if count else _("It waits or is told already.")
