"""URLs of the shop's own API."""

from django.urls import path

from shop.api import alerts, consents, jobs, stores

urlpatterns = [
    path("alerts", alerts.AlertsView.as_view()),
    path("alerts/<int:alert_id>/acknowledgement", alerts.AlertAcknowledgementView.as_view()),
    path("alerts/<int:alert_id>/resolution", alerts.AlertResolutionView.as_view()),
    path("jobs/<uuid:job_id>", jobs.JobView.as_view()),
    path("jobs/<uuid:job_id>/cancellation", jobs.JobCancellationView.as_view()),
    path("me/consents", consents.MeConsentsView.as_view()),
    path("stores", stores.StoresView.as_view()),
    path("stores/<str:code>/menu", stores.MenuView.as_view()),
    path(
        "stores/<str:code>/products/<str:product>/availability",
        stores.AvailabilityView.as_view(),
    ),
]
