"""Who is acting, for which account, and whether they are still there."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Membership
from mailsales import wall

Handler = Callable[[HttpRequest], HttpResponseBase]
WRITE_EVERY = 30  # seconds between two notes that a session is alive
READERS = ("/a/", "/b/", "/c/", "/l/", "/o/", "/u/", "/v/")  # what mails link to (delivery/urls.py)


def members_only(make: Callable[[Handler], Handler]) -> Callable[[Handler], Handler]:
    """Spare readers, who bring a mail's token in place of a session, what is for members.

    Their views put up the wall by the token, also for a bad one, before they look at any row.
    """

    def factory(get_response: Handler) -> Handler:
        middleware = make(get_response)

        def choose(request: HttpRequest) -> HttpResponseBase:
            return get_response(request) if request.path_info.startswith(READERS) else middleware(request)

        return choose

    return factory


def known_host(get_response: Handler) -> Handler:
    """Answer for other hosts than our own only what mails link to, and its styles: customers lead hosts here (CNAME).

    What mails link to needs no host: the token says whose it is, and nothing there makes an address from the host.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        host = split_domain_port(request.META.get("HTTP_HOST", ""))[0]
        is_for_all = request.path_info.startswith((*READERS, settings.STATIC_URL))
        is_known = not settings.IS_PRODUCTION or host in settings.OWN_HOSTS or is_for_all
        return get_response(request) if is_known else HttpResponse("There is no such site here.", "text/plain", 400)

    return middleware


@members_only
def idle_logout(get_response: Handler) -> Handler:
    """End a session in which nobody acted for IDLE_SECONDS. Views marked `@polled` do not count as action.

    Every answer says in `Idle-Left` how many seconds remain, so that the page can ask in time.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return get_response(request)
        now = int(timezone.now().timestamp())
        acted_at = request.session.get("acted_at", now)
        if now - acted_at >= settings.IDLE_SECONDS:
            auth.logout(request)
            messages.info(
                request, _("You were signed out because nothing happened for a while. What was saved is still here.")
            )
            return _to_login(request)
        if ("acted_at" not in request.session or now - acted_at >= WRITE_EVERY) and not _is_polled(request):
            request.session["acted_at"] = acted_at = now
        left = settings.IDLE_SECONDS - (now - acted_at)
        request.idle_left = left  # type: ignore[attr-defined]
        response = get_response(request)
        response.headers["Idle-Left"] = str(left)
        return response

    return middleware


@members_only
def acting_account(get_response: Handler) -> Handler:
    """Set `request.membership` and `request.account`, put up the wall, and speak the member's language and time."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        said: Any = request
        membership = _membership(request)
        said.membership = membership
        said.account = membership.account if membership else None
        wall.enter(membership.account_id if membership else None)
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
        if membership is None:
            return get_response(request)
        if _is_of_another_account(request, membership):
            return _account_changed(request)
        with timezone.override(zoneinfo.ZoneInfo(membership.account.time_zone)):
            return get_response(request)

    return middleware


def _membership(request: HttpRequest) -> Membership | None:
    if not request.user.is_authenticated:
        return None
    own = Membership.objects.filter(user=request.user).select_related("account").newest_first()
    return own.filter(account=request.session.get("account_id")).first() or own.first()


def _is_of_another_account(request: HttpRequest, membership: Membership) -> bool:
    """Return whether the page that sent this was made for another account, which another tab switched away from."""
    meant = request.POST.get("account") or request.headers.get("X-Account")
    return bool(meant) and meant != str(membership.account_id) and not request.path.startswith("/account/switch/")


def _account_changed(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=409, headers={"HX-Redirect": reverse("accounts:account_changed")})
    return render(request, "accounts/account_changed.html", status=409)


def _is_polled(request: HttpRequest) -> bool:
    try:
        return getattr(resolve(request.path_info).func, "is_polled", False) and bool(request.headers.get("HX-Request"))
    except Resolver404:
        return False


def _to_login(request: HttpRequest) -> HttpResponse:
    """Send the browser to the sign-in page, from where it comes back here; htmx is told to load it whole."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(settings.LOGIN_URL)})
    return redirect_to_login(request.get_full_path()) if request.method == "GET" else redirect(settings.LOGIN_URL)
