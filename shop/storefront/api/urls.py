"""URLs of the storefront's API."""

from django.urls import path

from shop.storefront.api import (
    liability,
    members,
    orders,
    payments,
    reports,
    voucher_callbacks,
    vouchers,
)

urlpatterns = [
    path("auth/codes", members.LoginCodesView.as_view()),
    path("auth/tokens", members.TokensView.as_view()),
    path("auth/logout", members.LogoutView.as_view()),
    path("me", members.MeView.as_view()),
    path("me/code", members.MeCodeView.as_view()),
    path("me/referral-code", members.MeReferralCodeView.as_view()),
    path("members", members.MembersView.as_view()),
    path("members/lookup", members.MemberLookupView.as_view()),
    path("members/<uuid:member_id>", members.MemberView.as_view()),
    path("members/<uuid:member_id>/points-adjustments", members.PointsAdjustmentView.as_view()),
    path("quotes", orders.QuoteView.as_view()),
    path("quotes/explain", orders.QuoteExplanationView.as_view()),
    path("orders", orders.OrdersView.as_view()),
    path("orders/<str:number>", orders.OrderView.as_view()),
    path("orders/<str:number>/pricing", orders.OrderPricingView.as_view()),
    path("orders/<str:number>/payment", orders.OrderPaymentView.as_view()),
    path("orders/<str:number>/cancellation", orders.OrderCancellationView.as_view()),
    path("orders/<str:number>/refunds", orders.OrderRefundsView.as_view()),
    path("orders/<str:number>/status", orders.OrderStatusView.as_view()),
    path("pos/settle", orders.SettleView.as_view()),
    path("payments/callbacks/sandbox", payments.SandboxCallbackView.as_view()),
    path("vouchers/prepare", vouchers.VoucherPrepareView.as_view()),
    path("vouchers/verify", vouchers.VoucherVerifyView.as_view()),
    path("vouchers/callbacks/douyin", voucher_callbacks.DouyinCallbackView.as_view()),
    path("vouchers/<uuid:voucher_id>", vouchers.VoucherView.as_view()),
    path("vouchers/<uuid:voucher_id>/cancel", vouchers.VoucherCancelView.as_view()),
    path("reports/opening-funnel", reports.OpeningFunnelView.as_view()),
    path("reports/daily", reports.DailyView.as_view()),
    path("orders/<str:number>/attribution", reports.OrderAttributionView.as_view()),
    path("reports/attribution", reports.AttributionView.as_view()),
    path("reports/points-liability", liability.PointsLiabilityView.as_view()),
    path("reports/vouchers", reports.VouchersView.as_view()),
    path("reports/channels", reports.ChannelsView.as_view()),
]
