"""URLs of promotion's API."""

from django.urls import path

from campaigns.api import (
    acquisitions,
    channels,
    codes,
    costs,
    coupons,
    links,
    offers,
    phases,
    touches,
    transfers,
)

urlpatterns = [
    path("channels", channels.ChannelsView.as_view()),
    path("campaigns", channels.CampaignsView.as_view()),
    path("campaigns/<str:code>", channels.CampaignView.as_view()),
    path("campaigns/<str:code>/phases", phases.CampaignPhasesView.as_view()),
    path("campaigns/<str:code>/hourly", phases.CampaignHoursView.as_view()),
    path("campaigns/<str:code>/reservations", phases.ReservationsView.as_view()),
    path("channel-links", links.ChannelLinksView.as_view()),
    path("channel-links/<str:code>/qr", links.ChannelLinkQRView.as_view()),
    path("touches", touches.TouchesView.as_view()),
    path("daily-costs", costs.DailyCostsView.as_view()),
    path("daily-costs/import", costs.CostImportView.as_view()),
    path("coupon-definitions", coupons.CouponDefinitionsView.as_view()),
    path("coupon-definitions/<str:code>/claims", coupons.CouponClaimsView.as_view()),
    path("coupon-definitions/<str:code>/issues", coupons.CouponGivingView.as_view()),
    path("coupons/<str:code>/revocation", coupons.CouponRevocationView.as_view()),
    path("coupon-transfers/acceptances", transfers.TransferAcceptancesView.as_view()),
    path("me/coupon-transfers", transfers.MeTransfersView.as_view()),
    path("me/coupons/<str:code>/transfer", transfers.CouponTransferView.as_view()),
    path(
        "me/coupons/<str:code>/transfer/cancellation",
        transfers.CouponTransferCancellationView.as_view(),
    ),
    path("code-batches", codes.CodeBatchesView.as_view()),
    path("code-batches/<int:batch_id>", codes.CodeBatchView.as_view()),
    path("code-batches/<int:batch_id>/codes", codes.CodeBatchFileView.as_view()),
    path("code-batches/<int:batch_id>/void", codes.CodeBatchVoidingView.as_view()),
    path("coupon-codes/<str:code>", codes.CouponCodeView.as_view()),
    path("coupon-definitions/<str:code>/loss-check", offers.CouponLossCheckView.as_view()),
    path("promotions/<str:code>/loss-check", offers.PromotionLossCheckView.as_view()),
    path("me/coupons", coupons.MeCouponsView.as_view()),
    path("members/<uuid:member_id>/acquisition", acquisitions.MemberAcquisitionView.as_view()),
    path("members/<uuid:member_id>/coupons", coupons.MemberCouponsView.as_view()),
]
