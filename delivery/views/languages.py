"""The language of the readers' pages: that of the browser, until the reader chooses another."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


@csrf_exempt  # it needs no proof: the worst that a stranger can do is to let a page speak English
@require_POST
def language_choose(request: HttpRequest, language: str) -> HttpResponse:
    """Keep the language in a cookie of the host that the reader is at, and go back to the page."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    back = request.POST.get("next", "")
    if not back.startswith("/") or not url_has_allowed_host_and_scheme(back, None):
        raise Http404
    response = redirect(back)
    response.status_code = 303  # the page is asked for anew, never sent again
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86_400, samesite="Lax", httponly=True)
    return response
