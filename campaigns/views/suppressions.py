from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts import audit
from accounts.decorators import OWNERS, WRITERS, member_required
from accounts.http import AccountRequest
from campaigns.forms.suppressions import SuppressionFileForm, SuppressionForm, UndoForm
from campaigns.imports.reading import BadFile
from campaigns.models import Suppression
from campaigns.models.suppressions import READERS_OWN
from campaigns.suppressions import exporting, finding, loading, releasing, rules
from mailsales.csv_files import ENCODINGS
from mailsales.paging import page_by
from mailsales.reasons import Reason

SHARED = "shared"  # the filter for what holds for all accounts
SHOWN_REFUSED = 50
SAMPLE = 20

# -- /suppressions/ ----------------------------------------------------------------------------


@member_required()
@require_GET
@vary_on_headers("HX-Request")
def suppression_list(request: AccountRequest) -> HttpResponse:
    q, chosen = request.GET.get("q", "").strip(), request.GET.get("reason", "")
    counts, shared = finding.counts_of(request.account)
    reason = chosen if chosen in counts else ""

    def fetch(after: int | None, before: int | None, limit: int) -> list[Suppression]:
        is_shared = chosen == SHARED
        return finding.find(
            request.account, q, reason=reason, is_shared=is_shared, after=after, before=before, limit=limit
        )

    total = shared if chosen == SHARED else counts[reason] if reason else counts.total()
    page = page_by(fetch, request.GET, target="suppression-table", total=None if q else total)
    context = {
        "page": page,
        "suppressions": page.rows,
        "q": q,
        "kept": {"reason": chosen},
        "chips": _chips(counts, shared, chosen, q),
        "is_empty": not counts,
        "can_undo": any(each in releasing.BY_FAILURE for each in counts),
    }
    template = "campaigns/_suppression_table.html" if request.htmx else "campaigns/suppression_list.html"
    return render(request, template, context)


def _chips(counts: Counter[str], shared: int, chosen: str, q: str) -> list[dict[str, Any]]:
    found = [("", _("All"), counts.total())]
    found += [(reason, str(Reason(reason).label), n) for reason, n in sorted(counts.items(), key=lambda item: -item[1])]
    found += [(SHARED, _("For all companies"), shared)] if shared else []
    return [
        {
            "label": label,
            "count": count,
            "is_on": value == chosen,
            "href": f"?{urlencode({'q': q, 'reason': value})}",
            "target": "suppression-table",
        }
        for value, label, count in found
    ]


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def suppression_create(request: AccountRequest) -> HttpResponse:
    form = SuppressionForm(request.POST or None, initial={"address": request.GET.get("address", "")})
    if form.is_valid():
        entry = form.cleaned_data["address"]
        if not _add(request, [entry], {"text": form.cleaned_data["note"]}):
            messages.info(request, _("%(address)s was left out already.") % {"address": entry})
        else:
            messages.success(request, _("Nothing will be sent to %(address)s any more.") % {"address": entry})
        return redirect("campaigns:suppression_list")
    return render(request, "campaigns/suppression_create.html", {"form": form}, status=422 if form.is_bound else 200)


def _add(request: AccountRequest, entries: Sequence[str], evidence: dict[str, str]) -> int:
    """Leave the addresses and domains out by hand; return how many were not before."""
    with transaction.atomic():
        n = rules.suppress(request.account.pk, entries, Reason.MANUAL, evidence, created_by=request.user)
        about = entries[0] if len(entries) == 1 else evidence.get("file", "")
        audit.note(request, "suppression.add", about, count=n)
    return n


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def suppression_import(request: AccountRequest) -> HttpResponse:
    """Leave out whom a file names; where a row is refused, all of them wait, unless the rest was asked for."""
    form = SuppressionFileForm(request.POST or None, request.FILES or None)
    refused: list[loading.Refused] = []
    if form.is_valid():
        try:
            found = loading.read(form.cleaned_data["file"].file)
        except BadFile as fault:
            form.add_error("file", _at_line(fault))
        else:
            if found.entries and (not found.refused or form.cleaned_data["skips_refused"]):
                return _import(request, form, found)
            refused = found.refused
    context = {"form": form, "refused": refused[:SHOWN_REFUSED], "refused_count": len(refused)}
    return render(request, "campaigns/suppression_import.html", context, status=422 if form.is_bound else 200)


def _import(request: AccountRequest, form: SuppressionFileForm, found: loading.Read) -> HttpResponse:
    name = form.cleaned_data["file"].name[:200]
    n = _add(request, found.entries, {"text": form.cleaned_data["note"], "file": name})
    words = ngettext(
        "%(count)s address or domain is left out now.", "%(count)s addresses and domains are left out now.", n
    )
    said = [words % {"count": number_format(n)}]
    if known := len(found.entries) - n:
        words = ngettext("%(count)s was so already.", "%(count)s were so already.", known)
        said.append(words % {"count": number_format(known)})
    if domains := sum(entry.startswith("*@") for entry in found.entries):
        words = ngettext("%(count)s of them is a whole domain.", "%(count)s of them are whole domains.", domains)
        said.append(words % {"count": number_format(domains)})
    messages.success(request, " ".join(said))
    return redirect("campaigns:suppression_list")


def _at_line(fault: BadFile) -> str:
    if fault.line:
        return _("Line %(line)s: %(advice)s") % {"line": fault.line, "advice": fault.advice}
    return str(fault.advice)


@member_required(*WRITERS)
@require_GET
def suppression_export(request: AccountRequest) -> HttpResponseBase:
    encoding = request.GET.get("encoding", "")
    if encoding in ENCODINGS:
        audit.note(request, "suppression.export", encoding=encoding)
        return exporting.suppressions_csv(request.account, encoding)
    context = {"missing": exporting.missing_letters(request.account)}
    return render(request, "campaigns/suppression_export.html", context, status=422 if encoding else 200)


@member_required(*OWNERS)
@require_http_methods(["GET", "POST"])
def suppression_undo(request: AccountRequest) -> HttpResponse:
    """Release what a fault of ours suppressed: a time span and reasons, looked through before the button is pressed."""
    counts, _shared = finding.counts_of(request.account)
    reasons = [reason for reason in counts if reason in releasing.BY_FAILURE]
    form = UndoForm(request.POST or request.GET or None, reasons=reasons)
    if not form.is_valid():
        context = {"form": form, "has_reasons": bool(reasons)}
        return render(request, "campaigns/suppression_undo.html", context, status=422 if form.is_bound else 200)
    since, until, chosen = (form.cleaned_data[name] for name in ("since", "until", "reasons"))
    if request.method == "GET":
        found = releasing.suppressed_by_failure(request.account, since, until, chosen)
        context = {"form": form, "has_reasons": True, "undone": found.count(), "sample": found.order_by("-pk")[:SAMPLE]}
        return render(request, "campaigns/suppression_undo.html", context)
    with transaction.atomic():
        n = releasing.undo(request.account, since, until, chosen)
        span = {"since": since.isoformat(), "until": until.isoformat()}
        audit.note(request, "suppression.undo", ", ".join(chosen), count=n, reasons=chosen, **span)
    words = ngettext("%(count)s address can be mailed again.", "%(count)s addresses can be mailed again.", n)
    messages.success(request, words % {"count": number_format(n)})
    return redirect("campaigns:suppression_list")


# -- /suppressions/<id>/ -----------------------------------------------------------------------


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def suppression_release(request: AccountRequest, pk: int) -> HttpResponse:
    """Allow sending again; what a reader asked for, only the reader can undo, and a domain only an owner."""
    own = Suppression.objects.of(request.account).exclude(reason__in=READERS_OWN)
    suppression: Suppression = get_object_or_404(own, pk=pk)
    if not releasing.may_release(request.membership.role, suppression):
        raise PermissionDenied
    if request.method == "GET":
        return render(request, "campaigns/suppression_release.html", {"suppression": suppression})
    with transaction.atomic():
        audit.note(request, "suppression.release", suppression.address, reason=suppression.reason)
        releasing.release(suppression)
    messages.success(request, _("%(address)s can be mailed again.") % {"address": suppression.address})
    return redirect("campaigns:suppression_list")
