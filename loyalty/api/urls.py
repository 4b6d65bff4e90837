"""URLs of loyalty's API."""

from django.urls import path

from loyalty.api import earning, gift_cards, plans, points, renewals, rewards, stored_value, tiers

urlpatterns = [
    path("tiers", tiers.TiersView.as_view()),
    path("benefits", plans.BenefitsView.as_view()),
    path("membership-plans", plans.PlansView.as_view()),
    path("membership-plans/<str:code>/purchases", plans.PlanPurchasesView.as_view()),
    path("me/memberships", plans.MeMembershipsView.as_view()),
    path("me/membership-orders", plans.MePlanOrdersView.as_view()),
    path("me/membership-orders/<str:number>", plans.MePlanOrderView.as_view()),
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
    path("stored-value/plans", stored_value.TopUpPlansView.as_view()),
    path("me/stored-value", stored_value.MeStoredValueView.as_view()),
    path("me/stored-value/code", stored_value.MePayCodeView.as_view()),
    path("me/stored-value/entries", stored_value.MeMoneyEntriesView.as_view()),
    path("members/<uuid:member_id>/stored-value", stored_value.MemberStoredValueView.as_view()),
    path(
        "members/<uuid:member_id>/stored-value/entries",
        stored_value.MemberMoneyEntriesView.as_view(),
    ),
    path("members/<uuid:member_id>/stored-value/top-ups", stored_value.TopUpsView.as_view()),
    path("members/<uuid:member_id>/stored-value/payouts", stored_value.PayoutsView.as_view()),
    path("gift-cards", gift_cards.GiftCardsView.as_view()),
    path("gift-cards/issues", gift_cards.GiftCardIssuesView.as_view()),
    path("gift-cards/lookup", gift_cards.GiftCardLookupView.as_view()),
    path("rewards", rewards.RewardsView.as_view()),
    path("me/redemptions", rewards.MeRedemptionsView.as_view()),
    path("redemptions/<str:code>", rewards.RedemptionView.as_view()),
    path("redemptions/<str:code>/use", rewards.RedemptionUseView.as_view()),
    path("redemptions/<str:code>/cancellation", rewards.RedemptionCancellationView.as_view()),
]
