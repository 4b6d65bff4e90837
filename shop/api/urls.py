"""URLs of the shop's own API."""

from django.urls import path

from shop.api import stores

urlpatterns = [
    path("stores", stores.StoresView.as_view()),
    path("stores/<str:code>/menu", stores.MenuView.as_view()),
    path(
        "stores/<str:code>/products/<str:product>/availability",
        stores.AvailabilityView.as_view(),
    ),
]
