"""A campaign on its way to being sent: written, previewed, tested, scheduled."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp, csp_update
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import SENDERS, WRITERS, member_required, polled
from accounts.http import AccountRequest
from campaigns import drafts
from campaigns.cleaning import clean_code, clean_rich
from campaigns.content import Parts, preview
from campaigns.forms.campaigns import CampaignForm, CampaignTestForm, PreviewForm, ScheduleForm
from campaigns.merge import EXAMPLE, MergeError
from campaigns.models import Campaign, ContactField, TestSend
from campaigns.plaintext import text_of
from campaigns.rich import STYLE_HASH, editor_media
from mailsales.doorbell import ring

MAIL_POLICY = {
    "sandbox": [True],
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'self'"],
}


def _draft(request: AccountRequest, pk: int) -> Campaign:
    drafts_of_account = Campaign.objects.of(request.account).filter(status__in=Campaign.EDITABLE)
    campaign: Campaign = get_object_or_404(drafts_of_account.select_related("account", "sender", "list"), pk=pk)
    return campaign


# -- write -------------------------------------------------------------------------------------


@csp_update({"style-src": STYLE_HASH})
@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def campaign_edit(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = _draft(request, pk)
    if request.method == "GET" and request.htmx:
        return render(request, "campaigns/_preview.html", _preview_context(request, campaign))
    form = CampaignForm(request.POST or None, instance=campaign, account=request.account)
    if form.is_valid() and not campaign.save_content(**form.cleaned_data):
        messages.warning(request, _("Meanwhile the campaign has changed, so nothing was done. This is how it stands."))
        return redirect("reports:campaign_report", campaign.pk)
    if request.htmx:
        return _autosaved(request, form)
    if form.is_bound and form.is_valid():
        return _after_saving(request, campaign)
    return render(request, "campaigns/campaign_edit.html", _edit_context(request, campaign, form), status=_status(form))


def _status(form: Any) -> int:
    return 422 if form.errors else 200


def _autosaved(request: AccountRequest, form: CampaignForm) -> HttpResponse:
    context = {"form": form, "saved_at": timezone.now()}
    response = render(request, "campaigns/_autosave.html", context, status=_status(form))
    if not form.errors:
        response.headers["HX-Trigger"] = "campaign-saved"
    return response


def _after_saving(request: AccountRequest, campaign: Campaign) -> HttpResponse:
    following = request.POST.get("next", "")
    if following in ("test", "schedule"):
        return redirect(f"campaigns:campaign_{following}", campaign.pk)
    if "switch" not in request.POST:
        messages.success(request, _("Saved."))
    return redirect("campaigns:campaign_edit", campaign.pk)


def _edit_context(request: AccountRequest, campaign: Campaign, form: CampaignForm) -> dict[str, Any]:
    body = clean_code(campaign.html) if campaign.editor == Campaign.Editor.CODE else clean_rich(campaign.html)
    return {
        "campaign": campaign,
        "form": form,
        "media": editor_media(request.csp_nonce) if campaign.editor == Campaign.Editor.RICH else "",
        "automatic_text": text_of(body),
        "merge_tags": _merge_tags(request),
        **_preview_context(request, campaign),
    }


def _merge_tags(request: AccountRequest) -> list[dict[str, str]]:
    own = ContactField.objects.of(request.account)
    return [
        {"name": _("Name"), "code": EXAMPLE},
        *({"name": field.label, "code": f'{{{{ {field.key} | default: "" }}}}'} for field in own),
        {"name": _("Email address"), "code": "{{ address }}"},
        {"name": _("Address of the unsubscribe page"), "code": "{{ unsubscribe_url }}"},
    ]


# -- preview -----------------------------------------------------------------------------------


def _preview_context(request: AccountRequest, campaign: Campaign) -> dict[str, Any]:
    form = PreviewForm(request.GET if "contact" in request.GET else {"contact": ""}, account=request.account)
    people = drafts.recipients_of(campaign).select_related("contact")[:20] if campaign.list_id else []
    contact = form.cleaned_data["contact"] if form.is_valid() else None
    context = {
        "campaign": campaign,
        "preview_form": form,
        "people": [one.contact for one in people],
        "contact": contact,
        "version": campaign.revision,
    }
    try:
        shown = preview(drafts.parts_of(campaign), drafts.values_of(contact))
    except MergeError as error:
        return {**context, "merge_error": str(error)}
    facts = {"size": len(shown.html.encode()), "links": len(drafts.LINK.findall(shown.html))}
    return {**context, "shown": shown, **facts}


@csp(MAIL_POLICY)
@xframe_options_sameorigin
@member_required()
@require_GET
def campaign_preview(request: AccountRequest, pk: int) -> HttpResponse:
    """Show the mail itself, under a policy that lets it do nothing."""
    campaign = get_object_or_404(Campaign.objects.of(request.account).select_related("account", "sender"), pk=pk)
    form = PreviewForm(request.GET, account=request.account)
    contact = form.cleaned_data["contact"] if form.is_valid() else None
    try:
        shown = preview(drafts.parts_of(campaign), drafts.values_of(contact))
    except MergeError as error:
        shown = Parts("", "", str(error))
    if request.GET.get("part") == "text" or not shown.html:
        return HttpResponse(shown.text, content_type="text/plain; charset=utf-8")
    return HttpResponse(shown.html)


# -- test --------------------------------------------------------------------------------------


@polled
@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def campaign_test(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = _draft(request, pk)
    tests = TestSend.objects.of(request.account).filter(campaign=campaign).order_by("-pk")[:20]
    if request.method == "GET" and request.htmx:
        return render(request, "campaigns/_test_table.html", _test_context(campaign, tests))
    form = CampaignTestForm(request.POST or None, initial={"addresses": request.user.email})
    checks = drafts.test_checks_of(campaign)
    if form.is_valid() and not checks:
        _order_tests(request, campaign, form.cleaned_data["addresses"])
        return redirect("campaigns:campaign_test", campaign.pk)
    context = {**_test_context(campaign, tests), "form": form, "checks": checks}
    return render(request, "campaigns/campaign_test.html", context, status=422 if form.is_bound else 200)


def _test_context(campaign: Campaign, tests: Any) -> dict[str, Any]:
    rows = list(tests)
    return {
        "campaign": campaign,
        "tests": rows,
        "is_waiting": any(test.status == TestSend.Status.QUEUED for test in rows),
    }


def _order_tests(request: AccountRequest, campaign: Campaign, addresses: list[str]) -> None:
    contact = drafts.recipients_of(campaign).select_related("contact").first() if campaign.list_id else None
    TestSend.objects.bulk_create(
        TestSend(
            account=request.account,
            campaign=campaign,
            address=address,
            contact=contact.contact if contact else None,
            created_by=request.user,
        )
        for address in addresses
    )
    ring("delivery.send_tests")


# -- schedule ----------------------------------------------------------------------------------


@member_required(*SENDERS)
@require_GET
def campaign_schedule(request: AccountRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(
        Campaign.objects.of(request.account).select_related("account", "sender", "list"), pk=pk
    )
    if campaign.status == Campaign.Status.SCHEDULED:
        context = {"campaign": campaign, "audience": drafts.audience_of(campaign)}
        return render(request, "campaigns/campaign_scheduled.html", context)
    if not campaign.is_editable:
        return redirect("reports:campaign_report", campaign.pk)
    return _schedule_page(request, campaign, ScheduleForm(initial={"when": ScheduleForm.NOW}))


@member_required(*SENDERS)
@require_http_methods(["GET", "POST"])
def campaign_confirm(request: AccountRequest, pk: int) -> HttpResponse:
    """Ask once more, with the number and the name; a POST of the answer schedules."""
    campaign = _draft(request, pk)
    form = ScheduleForm(request.GET if request.method == "GET" else request.POST)
    is_blocked = drafts.is_blocked(drafts.checks_of(campaign, drafts.audience_of(campaign)))
    if not form.is_valid() or is_blocked:
        return _schedule_page(request, campaign, form, status=422)
    if request.method == "GET":
        return _schedule_page(request, campaign, form, is_asking=True)
    send_at = form.cleaned_data["send_at"]
    if campaign.schedule(send_at):
        ring("delivery.tick")
        messages.success(request, _scheduled_words(send_at))
    else:
        messages.warning(request, _("Meanwhile the campaign has changed, so nothing was done. This is how it stands."))
    campaign.refresh_from_db()
    return redirect(campaign if send_at else "reports:campaign_report", *([] if send_at else [campaign.pk]))


def _scheduled_words(send_at: Any) -> str:
    if send_at is None:
        return _("Sending starts now.")
    when = date_format(timezone.localtime(send_at), pgettext("date format", "D j M Y, H:i"))
    return _("It goes out on %(when)s.") % {"when": when}


def _schedule_page(
    request: AccountRequest, campaign: Campaign, form: ScheduleForm, *, is_asking: bool = False, status: int = 200
) -> HttpResponse:
    audience = drafts.audience_of(campaign)
    checks = drafts.checks_of(campaign, audience)
    context = {
        "campaign": campaign,
        "form": form,
        "audience": audience,
        "checks": checks,
        "checks_summary": drafts.summary_of(checks),
        "warnings": sum(check.state is drafts.WARNS for check in checks),
        "is_blocked": drafts.is_blocked(checks),
        "is_asking": is_asking,
        "answers": QueryDict(request.GET.urlencode()).items() if is_asking else [],
        "send_at": form.cleaned_data.get("send_at") if is_asking else None,
    }
    return render(request, "campaigns/campaign_schedule.html", context, status=status)
