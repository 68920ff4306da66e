from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import WRITERS, member_required
from accounts.http import AccountRequest
from campaigns.forms.contacts import SuppressionForm
from campaigns.models import Suppression
from mailsales.paging import page_of
from mailsales.reasons import Reason

# -- /suppressions/ ----------------------------------------------------------------------------


@member_required()
@require_GET
@vary_on_headers("HX-Request")
def suppression_list(request: AccountRequest) -> HttpResponse:
    q, reason = request.GET.get("q", "").strip(), request.GET.get("reason", "")
    own = Suppression.objects.of(request.account)
    counts = dict(own.order_by().values_list("reason").annotate(Count("pk")))
    shown = own.filter(address__icontains=q).select_related("created_by")
    shown = shown.filter(reason=reason) if reason in counts else shown
    page = page_of(shown, request.GET, target="suppression-table")
    context = {
        "page": page,
        "suppressions": page.rows,
        "q": q,
        "kept": {"reason": reason},
        "chips": _chips(counts, reason, q),
        "is_empty": not counts,
    }
    template = "campaigns/_suppression_table.html" if request.htmx else "campaigns/suppression_list.html"
    return render(request, template, context)


def _chips(counts: dict[str, int], chosen: str, q: str) -> list[dict[str, Any]]:
    found = [("", _("All"), sum(counts.values()))]
    found += [(reason, str(Reason(reason).label), n) for reason, n in sorted(counts.items(), key=lambda item: -item[1])]
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
        values = {"reason": Reason.MANUAL, "evidence": {"text": form.cleaned_data["note"]}, "created_by": request.user}
        address = form.cleaned_data["address"]
        Suppression.objects.get_or_create(account=request.account, address=address, defaults=values)
        messages.success(request, _("Nothing will be sent to %(address)s any more.") % {"address": address})
        return redirect("campaigns:suppression_list")
    return render(request, "campaigns/suppression_create.html", {"form": form}, status=422 if form.is_bound else 200)


# -- /suppressions/<id>/ -----------------------------------------------------------------------


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def suppression_release(request: AccountRequest, pk: int) -> HttpResponse:
    """Allow sending again; what a reader asked for, only the reader can undo."""
    own = Suppression.objects.of(request.account).exclude(reason__in=[Reason.UNSUBSCRIBED, Reason.COMPLAINT])
    suppression: Suppression = get_object_or_404(own, pk=pk)
    if request.method == "GET":
        return render(request, "campaigns/suppression_release.html", {"suppression": suppression})
    suppression.delete()
    messages.success(request, _("%(address)s can be mailed again.") % {"address": suppression.address})
    return redirect("campaigns:suppression_list")
