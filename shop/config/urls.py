"""Every URL of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import (
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from campaigns.api import ad_clicks, redirect
from shop.config import documentation, health
from shop.storefront import pages
from shop.storefront.admin import approvals, comparison

# Patterns are tried one after the other: what tills and scanned flyers ask for stands first.
api_v1 = [
    path("", include("shop.storefront.api.urls")),
    path("", include("shop.api.urls")),
    path("", include("campaigns.api.urls")),
    path("", include("loyalty.api.urls")),
]

urlpatterns = [
    path("t/<str:code>", redirect.follow),
    path("ads/<str:platform>/clicks", ad_clicks.report),
    path("api/v1/", include(api_v1)),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health.live),
    path("readyz", health.ready),
    path("welcome", pages.welcome),
    path("welcome/codes/<str:code>.svg", pages.member_code_image),
    path("welcome/invitations/<str:code>.svg", pages.invitation_image),
    path("api/schema", documentation.schema, name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/redoc", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("api/redoc.js", documentation.redoc_script, name="redoc-script"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/approvals/", admin.site.admin_view(approvals.inbox), name="approvals"),
    path("admin/compare/", admin.site.admin_view(comparison.comparison), name="compare-channels"),
    path("admin/", admin.site.urls),
]

handler400 = "shop.config.errors.bad_request"
handler403 = "shop.config.errors.permission_denied"
handler404 = "shop.config.errors.page_not_found"
handler500 = "shop.kernel.problems.server_error"
