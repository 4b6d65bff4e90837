"""Pages for guests, who have a phone and a flyer and nothing installed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Show where a scanned QR code or a friend's invitation leads: joining, then one's card."""
    return render(request, "storefront/welcome.html")
