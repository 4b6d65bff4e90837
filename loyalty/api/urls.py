"""URLs of loyalty's API."""

from django.urls import path

from loyalty.api import points, renewals, rewards

urlpatterns = [
    path("tiers", points.TiersView.as_view()),
    path("me/points/entries", points.MePointsView.as_view()),
    path("me/points/expiring", points.MeExpiringView.as_view()),
    path("members/<uuid:member_id>/points/entries", points.MemberPointsView.as_view()),
    path("members/<uuid:member_id>/points-extensions", renewals.PointsExtensionView.as_view()),
    path(
        "members/<uuid:member_id>/points-reinstatements", renewals.PointsReinstatementView.as_view()
    ),
    path("rewards", rewards.RewardsView.as_view()),
    path("rewards/<str:code>/redemptions", rewards.RewardRedemptionsView.as_view()),
    path("me/redemptions", rewards.MeRedemptionsView.as_view()),
    path("redemptions/<str:code>/cancellation", rewards.RedemptionCancellationView.as_view()),
]
