"""The back office's side bar: what people do, in the order in which they do it.

An item is shown to who may view its page; pages of head office check for themselves.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.models import (
    Acquisition,
    AdAccount,
    AdClick,
    AdUnit,
    AdUpload,
    Campaign,
    CampaignChange,
    Channel,
    ChannelLink,
    Cobrand,
    CodeBatch,
    Content,
    Conversion,
    CostImport,
    Coupon,
    CouponDefinition,
    CouponRedemption,
    CouponTransfer,
    DailyCost,
    DealStatement,
    KolDeal,
    KolVisit,
    Partner,
    Promotion,
    PromotionUse,
    Referral,
    ReferralCode,
    ReferralProgramme,
    Reservation,
    ResourceSwap,
    SwapDelivery,
    Topic,
    Touch,
    TouchTotal,
    Voucher,
    VoucherDeal,
)
from loyalty.models import (
    Benefit,
    BenefitGrant,
    EarningEvent,
    EarningGain,
    EarningRule,
    GiftCard,
    LiabilitySnapshot,
    LoyaltyProgramme,
    Membership,
    MembershipPlan,
    MoneyAccount,
    MoneyEntry,
    PendingPoints,
    PlanOrder,
    PlanPurchase,
    PointsAccount,
    PointsAdjustment,
    PointsDraw,
    PointsEntry,
    PointsHold,
    PointsLot,
    ProgrammeChange,
    ReceiptClaim,
    Reward,
    RewardRedemption,
    StoredValuePlan,
    StoredValueSale,
    Tier,
    TierChange,
    TierCount,
    TierPin,
    Visit,
)
from shop.kernel.models import IdempotencyRecord, InboundCallback, Job, OutboxMessage
from shop.models import (
    Alert,
    Category,
    Consent,
    Member,
    MemberStatusChange,
    Message,
    OptionGroup,
    Order,
    Payment,
    Product,
    Refund,
    ReportKey,
    Staff,
    Store,
    StoreHours,
    StoreProduct,
    Till,
    TillKey,
)
from shop.storefront.admin.approvals import may_decide
from shop.storefront.admin.comparison import may_compare
from shop.storefront.models import CampaignLimits

Entry = tuple[Any, str]

TODAY: list[Entry] = [
    (Order, "receipt_long"),
    (Member, "group"),
    (MemberStatusChange, "manage_accounts"),
    (Consent, "verified_user"),
    (Refund, "undo"),
    (Payment, "payments"),
    (Alert, "notifications"),
]
PROMOTION: list[Entry] = [
    (Campaign, "campaign"),
    (CampaignChange, "history"),
    (Reservation, "event_available"),
    (ChannelLink, "qr_code_2"),
    (DailyCost, "savings"),
    (CostImport, "upload_file"),
    (AdAccount, "ad_group"),
    (AdUnit, "ad_units"),
    (AdClick, "web_traffic"),
    (AdUpload, "cloud_upload"),
    (Promotion, "percent_discount"),
    (PromotionUse, "checklist_rtl"),
    (CouponDefinition, "sell"),
    (CodeBatch, "qr_code_scanner"),
    (Coupon, "confirmation_number"),
    (CouponRedemption, "redeem"),
    (CouponTransfer, "card_giftcard"),
    (Voucher, "local_activity"),
    (VoucherDeal, "storefront"),
    (Referral, "diversity_3"),
    (ReferralCode, "tag"),
    (ReferralProgramme, "handshake"),
    (CampaignLimits, "local_fire_department"),
    (Channel, "hub"),
    (Touch, "ads_click"),
    (TouchTotal, "calendar_month"),
    (Acquisition, "person_add"),
    (Conversion, "conversion_path"),
]
PARTNERS: list[Entry] = [
    (Partner, "handshake"),
    (KolDeal, "contract"),
    (DealStatement, "request_quote"),
    (KolVisit, "local_cafe"),
    (Cobrand, "join_inner"),
    (ResourceSwap, "swap_horiz"),
    (SwapDelivery, "local_shipping"),
    (Content, "play_circle"),
    (Topic, "tag"),
]
LOYALTY: list[Entry] = [
    (PointsEntry, "list_alt"),
    (PointsAdjustment, "exposure"),
    (PointsAccount, "account_balance_wallet"),
    (PendingPoints, "hourglass_top"),
    (PointsLot, "inventory_2"),
    (PointsDraw, "move_down"),
    (PointsHold, "lock_clock"),
    (Tier, "military_tech"),
    (Membership, "card_membership"),
    (TierChange, "trending_up"),
    (TierPin, "push_pin"),
    (TierCount, "stacked_bar_chart"),
    (Benefit, "volunteer_activism"),
    (BenefitGrant, "featured_play_list"),
    (MembershipPlan, "card_giftcard"),
    (PlanOrder, "shopping_cart"),
    (PlanPurchase, "paid"),
    (Visit, "footprint"),
    (Reward, "featured_seasonal_and_gifts"),
    (RewardRedemption, "local_cafe"),
    (EarningRule, "add_circle"),
    (EarningGain, "savings"),
    (EarningEvent, "event_available"),
    (ReceiptClaim, "receipt"),
    (StoredValuePlan, "add_card"),
    (StoredValueSale, "point_of_sale"),
    (GiftCard, "redeem"),
    (MoneyAccount, "wallet"),
    (MoneyEntry, "receipt_long"),
    (LiabilitySnapshot, "account_balance"),
    (LoyaltyProgramme, "tune"),
    (ProgrammeChange, "difference"),
]
SHOP: list[Entry] = [
    (Store, "storefront"),
    (StoreHours, "schedule"),
    (StoreProduct, "menu_book"),
    (Product, "local_drink"),
    (Category, "category"),
    (OptionGroup, "checklist"),
    (Till, "point_of_sale"),
]
SYSTEM: list[Entry] = [
    (Staff, "badge"),
    (ReportKey, "key"),
    (TillKey, "vpn_key"),
    (Message, "sms"),
    (Job, "progress_activity"),
    (OutboxMessage, "outbox"),
    (InboundCallback, "inbox"),
    (IdempotencyRecord, "repeat_one"),
]


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the side bar of this request's person."""
    dashboard = {"title": _("Dashboard"), "icon": "dashboard", "link": reverse("admin:index")}
    approvals = {
        "title": _("Approvals"),
        "icon": "approval",
        "link": reverse("approvals"),
        "permission": may_decide,
    }
    compare = {
        "title": _("Compare channels"),
        "icon": "compare_arrows",
        "link": reverse("compare-channels"),
        "permission": may_compare,
    }
    promotion = _group(_("Promotion"), PROMOTION)
    promotion["items"].insert(0, compare)
    return [
        {"title": _("Today"), "items": [dashboard, approvals, *map(_item, TODAY)]},
        promotion,
        _group(_("Partners"), PARTNERS),
        _group(_("Loyalty"), LOYALTY),
        _group(_("Shop"), SHOP),
        _group(_("System"), SYSTEM),
    ]


def _group(title: Promise | str, entries: list[Entry]) -> dict[str, Any]:
    items = [_item(entry) for entry in entries]
    return {"title": title, "collapsible": True, "separator": True, "items": items}


def _item(entry: Entry) -> dict[str, Any]:
    model, icon = entry
    meta = model._meta
    return {
        "title": meta.verbose_name_plural.capitalize(),
        "icon": icon,
        "link": reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"),
        "permission": _may_view(model),
    }


def _may_view(model: Any) -> Callable[[HttpRequest], bool]:
    """Return the check as a plain function: unfold copies the side bar deeply, pages and all."""

    def check(request: HttpRequest) -> bool:
        return admin.site._registry[model].has_view_permission(request)

    return check
