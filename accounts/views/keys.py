"""The signing keys of a domain: a change before its time, and keys that were made elsewhere."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.audit import note
from accounts.decorators import OWNERS, member_required
from accounts.domains import guide, keys, rotation
from accounts.forms.domains import KeyForm
from accounts.http import AccountRequest
from accounts.models import Domain


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def key_rotate(request: AccountRequest, pk: int) -> HttpResponse:
    """Let the next keys sign from now on, if they are in DNS."""
    domain = get_object_or_404(Domain.objects.of(request.account), pk=pk)
    if request.method == "GET":
        is_ready = domain.keys.filter(active_at=None, published_at__isnull=False).exists()
        context = {"domain": domain, "guide": guide.guide_of(domain), "is_ready": is_ready}
        return render(request, "accounts/key_rotate.html", context)
    changed = [key.selector for key in rotation.rotate(domain, is_forced=True)]
    if changed:
        note(request, "key.rotate", domain.name, selectors=changed)
        messages.success(request, _("These keys sign now: %(keys)s.") % {"keys": _(", ").join(changed)})
    else:
        messages.error(request, _("The next keys are not in DNS, so nothing was changed."))
    return redirect("accounts:domain_detail", pk)


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def key_import(request: AccountRequest, pk: int) -> HttpResponse:
    """Take a key that was made elsewhere; its private half is never shown again."""
    domain = get_object_or_404(Domain.objects.of(request.account), pk=pk)
    form = KeyForm(request.POST or None, domain=domain)
    if form.is_valid() and _has_imported(request, domain, form):
        messages.success(request, _("The key was imported. It signs as soon as its record is seen in DNS."))
        return redirect("accounts:domain_detail", pk)
    context = {"form": form, "domain": domain}
    return render(request, "accounts/key_import.html", context, status=422 if form.is_bound else 200)


def _has_imported(request: AccountRequest, domain: Domain, form: KeyForm) -> bool:
    try:
        with transaction.atomic():
            key = keys.import_key(domain, form.cleaned_data["selector"], form.cleaned_data["pem"])
            note(request, "key.import", domain.name, selector=key.selector)
    except ValueError as error:
        form.add_error("pem", str(error))
        return False
    return True
