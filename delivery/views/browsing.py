"""A mail in the browser, as it was sent."""

from __future__ import annotations

from csp.decorators import csp
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from delivery import renditions
from delivery.compose import Recipient
from delivery.models import Message
from delivery.views.answers import gone, read, uncached
from mailsales import tokens

MAIL_POLICY = {
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'self'"],
}


@csp(MAIL_POLICY)  # type: ignore[arg-type]  # typed for views without arguments
@xframe_options_sameorigin
@require_safe
def mail_view(request: HttpRequest, token: str) -> HttpResponse:
    """Show the HTML part exactly as it was sent."""
    known = read(tokens.read_view_token, token)
    found = Message.objects.filter(pk=known.row_id) if known else Message.objects.none()
    message = found.select_related("contact").first()
    if message is None:
        return gone(request)
    contact = message.contact
    recipient = Recipient(
        message.pk, message.address, contact.name if contact else "", contact.fields if contact else {}
    )
    return uncached(HttpResponse(renditions.load(message.campaign_id).composer.web_page(recipient)))


@require_safe
def of_a_test(request: HttpRequest) -> HttpResponse:
    """Explain where this link of a test copy would lead."""
    return render(request, "delivery/of_a_test.html")
