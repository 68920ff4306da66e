"""How the readers' pages look: the account's colours and logo, at addresses that change with them.

The account is named by its number and the looks by a digest of theirs; neither is a secret, for both stand in pages that
strangers see. What is at such an address never changes, so browsers may keep it for ever.
"""

from __future__ import annotations

from csp.decorators import csp, csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_safe

from accounts.decorators import OWNERS, member_required
from accounts.http import AccountRequest
from accounts.models import Brand
from accounts.palettes import shades_of
from mailsales import wall

FOR_EVER = "public, max-age=31536000, immutable"
NOTHING = {"default-src": ["'none'"], "frame-ancestors": ["'none'"], "sandbox": True}


@require_safe
def brand_css(request: HttpRequest, pk: int, version: str) -> HttpResponse:
    brand = _brand(pk, version)
    if not brand.color:
        raise Http404
    light, dark = shades_of(brand.color)
    context = {"light": light, "dark": dark}
    return _kept(render(request, "delivery/brand.css", context, content_type="text/css; charset=utf-8"))


@csp(NOTHING)  # type: ignore[arg-type]  # typed for views without arguments
@require_safe
def brand_logo(request: HttpRequest, pk: int, version: str) -> HttpResponse:
    """Give out the picture as the type that it was found to be, and as nothing else (nosniff)."""
    brand = _brand(pk, version)
    if not brand.logo:
        raise Http404
    return _kept(HttpResponse(bytes(brand.logo), content_type=brand.logo_type))


@csp_replace({"frame-ancestors": ["'self'"]})
@member_required(*OWNERS)
@xframe_options_sameorigin
@require_GET
def brand_preview(request: AccountRequest) -> HttpResponse:
    """Show an owner what readers will see; its buttons do nothing."""
    return render(request, "delivery/brand_preview.html", {"account": request.account})


def _brand(pk: int, version: str) -> Brand:
    wall.enter(pk)
    brand = Brand.objects.filter(pk=pk).first()
    if brand is None or brand.version != version:
        raise Http404
    return brand


def _kept(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = FOR_EVER
    return response
