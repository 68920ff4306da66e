"""Sending domains: what they need in DNS, whether it is there, and how an account lets one go."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.db.models import Count, ProtectedError, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.audit import note
from accounts.decorators import OWNERS, member_required
from accounts.domains import guide
from accounts.domains.checking import recheck
from accounts.domains.making import make_domain
from accounts.forms.domains import DomainForm, TrackingForm
from accounts.http import AccountRequest
from accounts.models import Account, Domain
from mailsales.dns.authority import AuthoritativeQuestions

CHECK_EVERY = 5  # seconds between two checks of a domain by hand
CHECK_SECONDS = 10.0  # how long a page waits for name servers


def domains_of(account: Account) -> QuerySet[Domain]:
    return Domain.objects.of(account).annotate(senders=Count("sender")).order_by("name")


# -- /domains/ ---------------------------------------------------------------------------------


@member_required()
@require_GET
def domain_list(request: AccountRequest) -> HttpResponse:
    lines = [(domain, guide.badge_of(domain), guide.summary_of(domain)) for domain in domains_of(request.account)]
    return render(request, "accounts/domain_list.html", {"lines": lines})


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def domain_create(request: AccountRequest) -> HttpResponse:
    form = DomainForm(request.POST or None, account=request.account)
    if form.is_valid():
        domain = make_domain(request.account, form.cleaned_data["name"])
        note(request, "domain.add", domain.name)
        return redirect("accounts:domain_detail", domain.pk)
    return render(request, "accounts/domain_create.html", {"form": form}, status=422 if form.is_bound else 200)


# -- /domains/<id>/ ----------------------------------------------------------------------------


@member_required()
@require_GET
def domain_detail(request: AccountRequest, pk: int) -> HttpResponse:
    domain = get_object_or_404(domains_of(request.account), pk=pk)
    return render(request, "accounts/domain_detail.html", domain_page(domain))


@member_required(*OWNERS)
@require_POST
@vary_on_headers("HX-Request")
def domain_check(request: AccountRequest, pk: int) -> HttpResponse:
    """Ask DNS now, at most once in a few seconds; the page shows what was found either way."""
    domain = get_object_or_404(domains_of(request.account), pk=pk)
    if cache.add(f"domain_check:{pk}", True, CHECK_EVERY):
        asked = AuthoritativeQuestions(settings.DNS_SERVERS, allows_private=settings.ALLOW_PRIVATE_MX)
        with asked.within(CHECK_SECONDS):
            recheck(domain, asked)
        domain = domains_of(request.account).get(pk=pk)
    if request.htmx:
        return render(request, "accounts/_domain.html", domain_page(domain))
    return redirect("accounts:domain_detail", pk)


@member_required(*OWNERS)
@require_POST
def domain_tracking(request: AccountRequest, pk: int) -> HttpResponse:
    domain = get_object_or_404(domains_of(request.account), pk=pk)
    form = TrackingForm(request.POST, instance=domain)
    if form.is_valid():
        note(request, "domain.tracking", domain.name, label=form.save().tracking_label)
        messages.success(request, _("Saved."))
        return redirect("accounts:domain_detail", pk)
    shown = domains_of(request.account).get(pk=pk)  # as it is stored, beside what was typed
    return render(request, "accounts/domain_detail.html", {**domain_page(shown), "form": form}, status=422)


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def domain_delete(request: AccountRequest, pk: int) -> HttpResponse:
    """Let a domain go that no sender uses; its keys go with it."""
    domain = get_object_or_404(domains_of(request.account), pk=pk)
    if request.method == "GET":
        return render(request, "accounts/domain_delete.html", {"domain": domain})
    try:
        domain.delete()
    except ProtectedError:
        messages.error(request, _("Senders use this domain. Delete them first, or give them another address."))
        return redirect("accounts:domain_detail", pk)
    note(request, "domain.delete", domain.name)
    messages.success(request, _("The domain was deleted. You may remove its records from DNS."))
    return redirect("accounts:domain_list")


def domain_page(domain: Domain) -> dict[str, Any]:
    return {"domain": domain, "guide": guide.guide_of(domain), "form": TrackingForm(instance=domain)}
