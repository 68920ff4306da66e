"""How a person signs in, and that they read their address."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import verifying
from accounts.audit import note
from accounts.decorators import member_required
from accounts.http import AccountRequest

ASK_EVERY = 60  # seconds between two mails to the same person


@member_required()
@require_GET
def security(request: AccountRequest) -> HttpResponse:
    return _security(request, PasswordChangeForm(request.user))


@member_required()
@require_POST
def password_change(request: AccountRequest) -> HttpResponse:
    form = PasswordChangeForm(request.user, request.POST)
    if not form.is_valid():
        return _security(request, form, status=422)
    update_session_auth_hash(request, form.save())
    messages.success(request, _("Your password was changed. Other devices were signed out."))
    return redirect("accounts:security")


@member_required()
@require_POST
def address_verify(request: AccountRequest) -> HttpResponse:
    """Send the person a mail whose link proves that they read it."""
    if not request.user.email:
        messages.error(request, _("There is no address. Ask your company’s administrator (account owner) to enter it."))
    elif cache.add(f"address_verify:{request.user.pk}", True, ASK_EVERY):
        verifying.ask(request.account, request.user)
        messages.success(request, _("An email is on its way to %(address)s.") % {"address": request.user.email})
    else:
        messages.info(request, _("An email was sent a moment ago. Look into your inbox first."))
    return redirect("accounts:security")


@member_required()
@require_http_methods(["GET", "POST"])
def address_confirm(request: AccountRequest, token: str) -> HttpResponse:
    """Show a button; whoever presses it, signed in as the person who asked, reads the address."""
    if not verifying.is_token_of(request.user, token):
        return render(request, "accounts/address_confirm.html", {"is_gone": True}, status=404)
    if request.method == "GET":
        return render(request, "accounts/address_confirm.html")
    verifying.confirm(request.user)
    note(request, "user.verify", request.user.email)
    messages.success(request, _("Your address is confirmed."))
    return redirect("accounts:security")


def _security(request: AccountRequest, form: PasswordChangeForm, status: int = 200) -> HttpResponse:
    form.fields["old_password"].widget.attrs.pop("autofocus", None)
    context = {"form": form, "minutes": settings.IDLE_SECONDS // 60}
    return render(request, "accounts/security.html", context, status=status)
