"""How a person signs in, and that they read their address."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import member_required
from accounts.http import AccountRequest


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


def _security(request: AccountRequest, form: PasswordChangeForm, status: int = 200) -> HttpResponse:
    form.fields["old_password"].widget.attrs.pop("autofocus", None)
    context = {"form": form, "minutes": settings.IDLE_SECONDS // 60}
    return render(request, "accounts/security.html", context, status=status)
