"""The mailbox that takes a domain's returned mail: its owners say how it is opened, and it is opened before that is kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.audit import note
from accounts.decorators import OWNERS, member_required
from accounts.http import AccountRequest
from accounts.models import Domain
from delivery.imap_line import Trouble, opened
from delivery.mailbox_forms import MailboxForm
from delivery.models import ReturnMailbox
from mailsales.vault import Sealed

SECONDS = 20.0  # that a page waits for a mailbox

# -- /domains/<id>/mailbox/ --------------------------------------------------------------------


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def mailbox_edit(request: AccountRequest, pk: int) -> HttpResponse:
    domain = get_object_or_404(Domain.objects.of(request.account), pk=pk)
    mailbox = ReturnMailbox.objects.of(request.account).filter(domain=domain).first()
    trouble = mailbox.trouble if mailbox else ""
    form = MailboxForm(request.POST or None, instance=mailbox or ReturnMailbox(account=request.account, domain=domain))
    if form.is_valid() and _opens(form):
        saved = form.save()
        note(request, "mailbox.save", saved.address, host=saved.host, port=saved.port, username=saved.username)
        messages.success(request, _("The mailbox opens. What comes back is read from it every minute."))
        return redirect("accounts:domain_detail", pk)
    context = {"form": form, "domain": domain, "trouble": trouble, "is_there": mailbox is not None}
    return render(request, "delivery/mailbox_edit.html", context, status=422 if form.is_bound else 200)


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def mailbox_delete(request: AccountRequest, pk: int) -> HttpResponse:
    mailbox = get_object_or_404(ReturnMailbox.objects.of(request.account).select_related("domain"), domain_id=pk)
    if request.method == "GET":
        return render(request, "delivery/mailbox_delete.html", {"mailbox": mailbox})
    mailbox.delete()
    note(request, "mailbox.delete", mailbox.address)
    messages.success(request, _("The mailbox is no longer read. What comes back needs the MX record now."))
    return redirect("accounts:domain_detail", pk)


def _opens(form: MailboxForm) -> bool:
    """Open the mailbox as the form says; if that fails the form says why."""
    try:
        with opened(form.login, SECONDS):
            return True
    except (Trouble, Sealed) as error:
        form.add_error(None, str(error))
    return False
