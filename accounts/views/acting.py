"""Who is acting: for which account, in which language, and whether somebody is still there."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.http import require_GET, require_POST

from accounts.http import AccountRequest
from accounts.models import Membership


@login_required
@require_POST
def account_switch(request: AccountRequest) -> HttpResponse:
    own = Membership.objects.filter(user=request.user)
    wanted = request.POST.get("to", "")
    membership = get_object_or_404(own, account_id=int(wanted) if wanted.isdecimal() else None)
    request.session["account_id"] = membership.account_id
    return redirect("reports:home")


@login_required
@require_GET
def account_changed(request: AccountRequest) -> HttpResponse:
    return render(request, "accounts/account_changed.html", status=409)


@login_required
@require_GET
def no_account(request: AccountRequest) -> HttpResponse:
    return redirect("reports:home") if request.membership else render(request, "accounts/no_account.html")


@require_POST
def language_switch(request: HttpRequest) -> HttpResponse:
    """Choose the language: of the signed-in person for good, of a stranger's browser by cookie."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES) or not check_for_language(language):
        return response
    if request.user.is_authenticated:
        request.user.language = language
        request.user.save(update_fields=["language"])
    response.set_cookie(settings.LANGUAGE_COOKIE_NAME, language, max_age=365 * 86_400, samesite="Lax", httponly=True)
    return response


@login_required
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Say that somebody is still there: the middleware notes it, as for every request."""
    return HttpResponse(status=204)
