from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import SENDERS, member_required, polled
from accounts.http import AccountRequest
from campaigns.drafts import values_of
from campaigns.models import Campaign, Contact
from delivery import standing
from delivery.models import Message, SandboxMail
from delivery.queue import RESENDABLE, resend
from mailsales.csv_files import ENCODINGS
from mailsales.doorbell import ring
from mailsales.paging import page_of
from reports import charts, exports, lanes, queries, recipients, summaries, todo
from reports.forms import ResendForm
from reports.places import places
from reports.restraints import restraints

RECIPIENTS = 25  # on a page: they stand at the end of a long one
REACTIONS = "campaign-reactions"
PARTS = {REACTIONS: "reports/_reactions.html", "recipient-table": "reports/_recipient_table.html"}  # by id on the page
ON_ITS_WAY = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.HELD)


@member_required()
@require_GET
def home(request: AccountRequest) -> HttpResponse:
    account = request.account
    campaigns = Campaign.objects.of(account).select_related("list")
    if not campaigns.exists() or not Contact.objects.of(account).exists():
        return render(request, "reports/home_empty.html", {"first_steps": todo.first_steps(account)})
    month = queries.last_days(account, timezone.now() - timedelta(days=30))
    context = {
        "tiles": summaries.tiles(month),
        "todo": todo.things_to_do(account),
        "recent": campaigns.order_by("-updated_at")[:5],
    }
    return render(request, "reports/home.html", context)


# -- /campaigns/<id>/report/ -------------------------------------------------------------------


@polled
@member_required()
@require_GET
@vary_on_headers("HX-Request", "HX-Target")
def campaign_report(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(
        Campaign.objects.of(request.account).select_related("account", "sender__domain"), pk=pk
    )
    is_live = campaign.status in ON_ITS_WAY or campaign.is_due
    if not is_live and campaign.status not in (Campaign.Status.SENT, Campaign.Status.CANCELLED):
        return redirect(campaign)
    unknown = queries.unknown(campaign)  # before the counts: nobody is sent to again who was not shown
    counts = queries.counts(campaign)
    context = {"campaign": campaign, "is_live": is_live, "counts": counts}
    context["has_begun"] = bool(counts.total) or campaign.status not in (
        Campaign.Status.HELD,
        Campaign.Status.CANCELLED,
    )
    target = request.htmx.target if request.htmx else None
    if request.htmx and not is_live and target != "recipient-table":  # it ended while the page was polling
        return HttpResponse(headers={"HX-Refresh": "true"})
    if target not in PARTS:
        context |= {"ledger": summaries.ledger(counts), "unknown": unknown}
        context |= _progress(campaign, counts) if is_live else {}
        if request.htmx:
            return render(request, "reports/_progress.html", context)
    found = queries.reactions(campaign)
    if target in PARTS:
        part = _reactions(counts, found) if target == REACTIONS else _recipients(request, campaign, counts, found)
        return render(request, PARTS[target], context | part)
    context |= _reactions(counts, found) | _results(campaign) | _recipients(request, campaign, counts, found)
    context["period"] = _period(campaign) if context["has_begun"] else ""
    return render(request, "reports/campaign_report.html", context)


def _progress(campaign: Campaign, counts: queries.Counts) -> dict[str, Any]:
    held = restraints(campaign)  # before the places: see lane_rows
    is_on_hold = standing.held_since() is not None
    is_held_back = is_on_hold or any(each.is_suspended for each in held)
    in_flight = queries.in_flight(campaign)
    return {
        "progress": summaries.progress(campaign, counts, in_flight, is_held_back=is_held_back),
        "lanes": lanes.lane_rows(places(campaign, is_live=True), held),
        "whole": [each.words for each in held if not each.waiting],
        "is_installation_held": is_on_hold,
    }


def _reactions(counts: queries.Counts, found: queries.Reactions) -> dict[str, Any]:
    return {
        "found": found,
        "left_share": charts.percent(found.left, counts.sent),
        "reports_share": charts.percent(found.reports, counts.sent),
        "reactions": summaries.reaction_parts(counts, found),
    }


def _results(campaign: Campaign) -> dict[str, Any]:
    failures, links = queries.failures(campaign), queries.links(campaign)
    return {
        "hours": summaries.hours_chart(campaign, queries.hours(campaign)),
        "reasons": summaries.reason_rows(failures),
        "reasons_total": sum(failure.count for failure in failures),
        "links": summaries.link_rows(links),
        "links_total": sum(link.clicks for link in links),
        "providers": summaries.provider_rows(places(campaign)),
    }


def _recipients(
    request: AccountRequest, campaign: Campaign, counts: queries.Counts, found: queries.Reactions
) -> dict[str, Any]:
    result, q = request.GET.get("result", ""), request.GET.get("q", "").strip()
    counted = recipients.counts_by_result(counts, found)
    shown = recipients.messages_of(campaign, result if result in recipients.RESULTS else "", q)
    page = page_of(
        shown, request.GET, target="recipient-table", size=RECIPIENTS, total=None if q else counted.get(result)
    )
    chips = [
        {
            "label": label,
            "count": counted[key],
            "is_on": key == result,
            "href": f"?{urlencode({'result': key, 'q': q})}",
            "target": "recipient-table",
        }
        for key, label in recipients.RESULTS.items()
        if counted[key] or key in ("", result)
    ]
    return {
        "campaign": campaign,
        "page": page,
        "recipients": recipients.recipients(request.account, page.rows),
        "chips": chips,
        "q": q,
        "kept": {"result": result},
    }


def _period(campaign: Campaign) -> str:
    if not campaign.send_at:
        return ""
    start = summaries.date_and_time(campaign.send_at)
    if campaign.closed_at and campaign.status == Campaign.Status.SENT:
        is_same_day = timezone.localdate(campaign.closed_at) == timezone.localdate(campaign.send_at)
        end = summaries.date_and_time(campaign.closed_at)
        if is_same_day:
            end = f"{timezone.localtime(campaign.closed_at):%H:%M}"
        return _("%(start)s – %(end)s") % {"start": start, "end": end}
    return _("Since %(time)s") % {"time": start}


@member_required()
@require_GET
def campaign_export(request: AccountRequest, pk: int) -> HttpResponseBase:
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    encoding = request.GET.get("encoding", "")
    if encoding in ENCODINGS:
        return exports.campaign_csv(campaign, encoding)
    context = {"campaign": campaign, "missing": exports.missing_letters(campaign)}
    return render(request, "reports/campaign_export.html", context, status=422 if encoding else 200)


@member_required(*SENDERS)
@require_http_methods(["GET", "POST"])
def campaign_resend(request: AccountRequest, pk: int) -> HttpResponse:
    """Ask whether to send again what is unknown, and send what was asked about; an older page or a second click changes nothing."""
    campaign = get_object_or_404(Campaign.objects.of(request.account), pk=pk)
    if request.method == "GET" and campaign.status in RESENDABLE and (unknown := queries.unknown(campaign)).count:
        return render(request, "reports/campaign_resend.html", {"campaign": campaign, "unknown": unknown})
    form = ResendForm(request.POST)
    count = resend(campaign, form.cleaned_data["seen_at"]) if request.method == "POST" and form.is_valid() else 0
    if count:
        ring("delivery.tick")
        words = ngettext("%(count)s email is sent once more.", "%(count)s emails are sent once more.", count)
        messages.success(request, words % {"count": summaries.count_of(count)})
    else:
        messages.info(request, _("Nothing was sent again: somebody has already decided, or the page was out of date."))
    return redirect("reports:campaign_report", campaign.pk)


# -- /messages/<id>/ ---------------------------------------------------------------------------


@member_required()
@require_GET
def message_detail(request: AccountRequest, pk: int) -> HttpResponse:
    own = Message.objects.of(request.account).select_related("campaign__list", "contact", "account")
    message: Message = get_object_or_404(own, pk=pk)
    context = {
        "message": message,
        "campaign": message.campaign,
        "contact": message.contact,
        "name": recipients.name_of(message),
        "events": recipients.timeline(message),
        "facts": _facts(message),
        "kept": SandboxMail.objects.of(request.account).filter(message_id=message.pk).order_by("-pk").first(),
    }
    return render(request, "reports/message_detail.html", context)


def _facts(message: Message) -> list[summaries.Fact]:
    tries = ngettext("%(count)s time", "%(count)s times", message.tries) % {"count": summaries.count_of(message.tries)}
    facts = [
        summaries.Fact(_("Subject"), message.campaign.subject_for(values_of(message.contact))),
        summaries.Fact(_("List"), message.campaign.list.name if message.campaign.list else ""),
        summaries.Fact(_("Attempts"), tries),
    ]
    if message.due_at:
        facts.append(summaries.Fact(_("Next try"), summaries.date_and_time(message.due_at)))
    return facts


@member_required()
@require_GET
def rules(request: AccountRequest) -> HttpResponse:
    return render(request, "reports/rules.html")
