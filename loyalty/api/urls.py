"""URLs of loyalty's API."""

from django.urls import path

from loyalty.api import earning, plans, points, renewals, rewards, tiers

urlpatterns = [
    path("tiers", tiers.TiersView.as_view()),
    path("benefits", plans.BenefitsView.as_view()),
    path("membership-plans", plans.PlansView.as_view()),
    path("membership-plans/<str:code>/purchases", plans.PlanPurchasesView.as_view()),
    path("memberships/<int:purchase_id>/refund", plans.PlanRefundView.as_view()),
    path("me/memberships", plans.MeMembershipsView.as_view()),
    path("me/tier-changes", tiers.MeTierChangesView.as_view()),
    path("members/<uuid:member_id>/tier-changes", tiers.MemberTierChangesView.as_view()),
    path("me/points/entries", points.MePointsView.as_view()),
    path("me/points/expiring", points.MeExpiringView.as_view()),
    path("members/<uuid:member_id>/points/entries", points.MemberPointsView.as_view()),
    path("members/<uuid:member_id>/points-extensions", renewals.PointsExtensionView.as_view()),
    path(
        "members/<uuid:member_id>/points-reinstatements", renewals.PointsReinstatementView.as_view()
    ),
    path("members/<uuid:member_id>/events", earning.MemberEventsView.as_view()),
    path("earning-rules", earning.EarningRulesView.as_view()),
    path("rewards", rewards.RewardsView.as_view()),
    path("me/redemptions", rewards.MeRedemptionsView.as_view()),
    path("redemptions/<str:code>", rewards.RedemptionView.as_view()),
    path("redemptions/<str:code>/use", rewards.RedemptionUseView.as_view()),
    path("redemptions/<str:code>/cancellation", rewards.RedemptionCancellationView.as_view()),
]
