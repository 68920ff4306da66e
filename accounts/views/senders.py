from __future__ import annotations

from django.contrib import messages
from django.db.models import ProtectedError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.decorators import OWNERS, member_required
from accounts.domains.guide import badge_of, fate_of
from accounts.forms.senders import SenderForm
from accounts.http import AccountRequest
from accounts.models import Domain, Sender


@member_required()
@require_GET
def sender_list(request: AccountRequest) -> HttpResponse:
    senders = Sender.objects.of(request.account).select_related("domain")
    lines = [(sender, badge_of(sender.domain)) for sender in senders]
    return render(request, "accounts/sender_list.html", {"lines": lines})


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
        saved = form.save()
        messages.success(request, _("The sender was saved."))
        if not saved.domain.is_proven:
            messages.warning(request, fate_of(saved.domain))
        return redirect("accounts:sender_list")
    domains = Domain.objects.of(request.account).select_related("account").order_by("name")
    context = {"form": form, "lines": [(domain, badge_of(domain), fate_of(domain)) for domain in domains]}
    return render(request, "accounts/sender_edit.html", context, status=422 if form.is_bound else 200)


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
