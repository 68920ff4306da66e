from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import OWNERS, member_required
from accounts.forms.account import AccountForm
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
    request.account.refresh_from_db()  # the sidebar shows what is stored, not what was typed
    context = {"form": form, "senders": Sender.objects.of(request.account)}
    return render(request, "accounts/account_edit.html", context, status=422 if form.is_bound else 200)
