from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import SENDERS, WRITERS, member_required
from accounts.http import AccountRequest
from accounts.models import Sender
from campaigns.drafts import copy_of
from campaigns.forms.campaigns import CampaignNameForm
from campaigns.models import Campaign, MailingList
from mailsales.doorbell import ring
from mailsales.paging import page_of

# -- /campaigns/ -------------------------------------------------------------------------------


@member_required()
@require_GET
@vary_on_headers("HX-Request")
def campaign_list(request: AccountRequest) -> HttpResponse:
    q, status = request.GET.get("q", "").strip(), request.GET.get("status", "")
    found = Campaign.objects.of(request.account).filter(Q(name__icontains=q) | Q(subject__icontains=q))
    counts = dict(found.order_by().values_list("status").annotate(Count("pk")))
    shown = found.filter(status=status) if status in Campaign.Status.values else found
    shown = shown.select_related("list")
    page = page_of(shown, request.GET, target="campaign-table", total=counts.get(status, sum(counts.values())))
    context = {
        "page": page,
        "campaigns": page.rows,
        "chips": _status_chips(counts, status, q),
        "q": q,
        "is_empty": not counts and not q,
    }
    template = "campaigns/_campaign_table.html" if request.htmx else "campaigns/campaign_list.html"
    return render(request, template, context)


def _status_chips(counts: dict[str, int], status: str, q: str) -> list[dict[str, object]]:
    """Return a filter for all campaigns, and one for each state that there is."""
    found = [("", _("All"), sum(counts.values()))]
    found += [(str(one), str(one.label), counts[one]) for one in Campaign.Status if counts.get(one)]
    return [
        {
            "label": label,
            "count": count,
            "is_on": value == status,
            "href": f"?{urlencode({'q': q, 'status': value})}",
            "target": "campaign-table",
        }
        for value, label, count in found
    ]


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def campaign_create(request: AccountRequest) -> HttpResponse:
    campaign = Campaign(account=request.account, created_by=request.user, expiry_hours=settings.DEFAULT_EXPIRY_HOURS)
    lists, senders = MailingList.objects.of(request.account), Sender.objects.of(request.account)
    first = {"list": lists.first() if lists.count() == 1 else None, "sender": senders.first()}
    form = CampaignNameForm(request.POST or None, instance=campaign, account=request.account, initial=first)
    if form.is_valid():
        return redirect(form.save())
    return render(request, "campaigns/campaign_create.html", {"form": form}, status=422 if form.is_bound else 200)


# -- /campaigns/<id>/ --------------------------------------------------------------------------


@member_required(*WRITERS)
@require_POST
def campaign_copy(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    copy = copy_of(campaign, _("Copy of %(name)s") % {"name": campaign.name}, request.user)
    messages.success(request, _("This is the copy. Nothing of it has been sent."))
    return redirect(copy)


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def campaign_delete(request: AccountRequest, pk: int) -> HttpResponse:
    drafts = Campaign.objects.of(request.account).filter(status__in=Campaign.EDITABLE)
    campaign = get_object_or_404(drafts, pk=pk)
    if request.method == "GET":
        return render(request, "campaigns/campaign_delete.html", {"campaign": campaign})
    drafts.filter(pk=pk).delete()
    messages.success(request, _("“%(name)s” was deleted.") % {"name": campaign.name})
    return redirect("campaigns:campaign_list")


@member_required(*SENDERS)
@require_POST
def campaign_pause(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    return _answer(request, campaign, campaign.pause(), _("Sending is paused. Emails already handed over stay sent."))


@member_required(*SENDERS)
@require_POST
def campaign_resume(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    return _answer(request, campaign, campaign.resume(), _("Sending goes on where it stopped."))


@member_required(*SENDERS)
@require_POST
def campaign_release(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    return _answer(request, campaign, campaign.release(), _("Sending starts now."))


@member_required(*SENDERS)
@require_http_methods(["GET", "POST"])
def campaign_cancel(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    if request.method == "GET":
        return render(request, "campaigns/campaign_cancel.html", {"campaign": campaign})
    return _answer(request, campaign, campaign.cancel(), _("The campaign is cancelled. Nothing more will be sent."))


def _answer(request: AccountRequest, campaign: Campaign, has_happened: bool, message: str) -> HttpResponse:
    """Say what came of a verb, ring for the next step, and go to the page that shows the campaign now."""
    if has_happened:
        ring("delivery.tick")
        messages.success(request, message)
    else:
        messages.warning(request, _("Meanwhile the campaign has changed, so nothing was done. This is how it stands."))
    return redirect(reverse("reports:campaign_report", args=[campaign.pk]))
