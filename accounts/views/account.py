from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.audit import note
from accounts.decorators import OWNERS, member_required
from accounts.forms.account import AccountForm, ThresholdForm
from accounts.http import AccountRequest
from accounts.models import Sender


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def account_edit(request: AccountRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, instance=request.account)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("accounts:account_edit")
    return _account_page(request, form=form, status=422 if form.is_bound else 200)


@member_required(*OWNERS)
@require_POST
def account_thresholds(request: AccountRequest) -> HttpResponse:
    form = ThresholdForm(request.POST, instance=request.account)
    if not form.is_valid():
        return _account_page(request, thresholds=form, status=422)
    form.save()
    note(request, "account.thresholds", request.account.name, **form.cleaned_data)
    messages.success(request, _("Saved."))
    return redirect("accounts:account_edit")


def _account_page(
    request: AccountRequest, *, form: AccountForm | None = None, thresholds: ThresholdForm | None = None, status: int
) -> HttpResponse:
    request.account.refresh_from_db()  # the sidebar shows what is stored, not what was typed
    context = {
        "form": form or AccountForm(instance=request.account),
        "thresholds": thresholds or ThresholdForm(instance=request.account),
        "senders": Sender.objects.of(request.account),
    }
    return render(request, "accounts/account_edit.html", context, status=status)
