from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import OWNERS, member_required
from accounts.forms import AccountForm, SenderForm
from accounts.http import AccountRequest
from accounts.models import Membership, Sender

# -- who is acting -----------------------------------------------------------------------------


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


# -- /security/ --------------------------------------------------------------------------------


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


# -- /account/ ---------------------------------------------------------------------------------


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def account_edit(request: AccountRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.account)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:account_edit")
    request.account.refresh_from_db()  # the sidebar shows what is stored, not what was typed
    context = {"form": form, "senders": Sender.objects.of(request.account)}
    return render(request, "accounts/account_edit.html", context, status=422 if form.is_bound else 200)


# -- /senders/ ---------------------------------------------------------------------------------


@member_required()
@require_GET
def sender_list(request: AccountRequest) -> HttpResponse:
    senders = Sender.objects.of(request.account).select_related("domain")
    return render(request, "accounts/sender_list.html", {"senders": senders})


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def sender_create(request: AccountRequest) -> HttpResponse:
    return _sender_form(request, Sender(account=request.account))


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def sender_edit(request: AccountRequest, pk: int) -> HttpResponse:
    return _sender_form(request, get_object_or_404(Sender.objects.of(request.account), pk=pk))


def _sender_form(request: AccountRequest, sender: Sender) -> HttpResponse:
    form = SenderForm(request.POST or None, instance=sender)
    if form.is_valid():
        form.save()
        messages.success(request, _("The sender was saved."))
        return redirect("accounts:sender_list")
    return render(request, "accounts/sender_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def sender_delete(request: AccountRequest, pk: int) -> HttpResponse:
    sender = get_object_or_404(Sender.objects.of(request.account), pk=pk)
    if request.method == "GET":
        return render(request, "accounts/sender_delete.html", {"sender": sender})
    try:
        sender.delete()
    except ProtectedError:
        messages.error(request, _("A campaign uses this sender, so it stays."))
    else:
        messages.success(request, _("The sender was deleted."))
    return redirect("accounts:sender_list")
