from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import WRITERS, member_required
from accounts.http import AccountRequest
from campaigns import exports, search
from campaigns.forms.contacts import ContactForm
from campaigns.models import Contact, ContactField, MailingList, Subscription
from campaigns.suppressions import rules
from mailsales.csv_files import ENCODINGS
from mailsales.paging import page_by

CONFIRMED = Subscription.Status.CONFIRMED

# -- /contacts/ --------------------------------------------------------------------------------


@member_required()
@require_GET
@vary_on_headers("HX-Request")
def contact_list(request: AccountRequest) -> HttpResponse:
    q, chosen = request.GET.get("q", "").strip(), request.GET.get("list", "")
    mailing_list = (
        MailingList.objects.of(request.account).filter(pk=int(chosen)).first() if chosen.isdecimal() else None
    )
    context = contact_page(request, q, mailing_list, target="contact-table")
    if request.htmx:
        return render(request, "campaigns/_contact_table.html", context)
    is_empty = not context["contacts"] and not q and not mailing_list
    lists = MailingList.objects.of(request.account)
    return render(
        request,
        "campaigns/contact_list.html",
        {**context, "is_empty": is_empty, "chips": _list_chips(list(lists), mailing_list)},
    )


def contact_page(request: AccountRequest, q: str, mailing_list: MailingList | None, *, target: str) -> dict[str, Any]:
    """Return what the table of contacts shows: a page of those that hold the words, with their lists and states."""

    def fetch(after: int | None, before: int | None, limit: int) -> list[Contact]:
        return search.find(request.account, q, mailing_list=mailing_list, after=after, before=before, limit=limit)

    page = page_by(fetch, request.GET, target=target)
    suppressed = rules.suppressions_of(request.account, [contact.address for contact in page.rows])
    subscriptions: dict[int, list[Subscription]] = {}
    for each in Subscription.objects.of(request.account).filter(contact__in=page.rows).select_related("list"):
        subscriptions.setdefault(each.contact_id, []).append(each)
    rows = [
        {
            "contact": contact,
            "subscriptions": subscriptions.get(contact.pk, []),
            "is_suppressed": contact.address in suppressed,
            "is_reachable": any(each.status == CONFIRMED for each in subscriptions.get(contact.pk, [])),
        }
        for contact in page.rows
    ]
    return {"page": page, "contacts": rows, "q": q, "kept": {"list": mailing_list.pk if mailing_list else ""}}


def _list_chips(lists: list[MailingList], chosen: MailingList | None) -> list[dict[str, Any]]:
    found = [("", _("All"), chosen is None), *[(str(one.pk), one.name, one == chosen) for one in lists[:8]]]
    return [
        {"label": label, "count": None, "is_on": is_on, "href": f"?list={value}", "target": ""}
        for value, label, is_on in found
    ]


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def contact_create(request: AccountRequest) -> HttpResponse:
    form = ContactForm(request.POST or None, account=request.account)
    if form.is_valid():
        contact = form.save()
        messages.success(request, _("The contact was saved."))
        return redirect(contact)
    return render(request, "campaigns/contact_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@member_required(*WRITERS)
@require_GET
def contact_export(request: AccountRequest) -> HttpResponseBase:
    encoding = request.GET.get("encoding", "")
    if encoding in ENCODINGS:
        return exports.contacts_csv(request.account, encoding)
    context = {"missing": exports.missing_letters(request.account)}
    return render(request, "campaigns/contact_export.html", context, status=422 if encoding else 200)


# -- /contacts/<id>/ ---------------------------------------------------------------------------


@member_required()
@require_GET
def contact_detail(request: AccountRequest, pk: int) -> HttpResponse:
    contact: Contact = get_object_or_404(Contact.objects.of(request.account), pk=pk)
    labels = {field.key: field.label for field in ContactField.objects.of(request.account)}
    facts = [{"name": labels.get(key, key), "value": value} for key, value in contact.fields.items() if value]
    context = {
        "contact": contact,
        "facts": facts,
        "subscriptions": Subscription.objects.of(request.account).filter(contact=contact).select_related("list"),
        "suppression": rules.suppression_of(request.account, contact.address),
    }
    return render(request, "campaigns/contact_detail.html", context)


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def contact_edit(request: AccountRequest, pk: int) -> HttpResponse:
    contact: Contact = get_object_or_404(Contact.objects.of(request.account), pk=pk)
    form = ContactForm(request.POST or None, account=request.account, contact=contact)
    if form.is_valid():
        messages.success(request, _("The contact was saved."))
        return redirect(form.save())
    context = {"form": form, "contact": contact}
    return render(request, "campaigns/contact_edit.html", context, status=422 if form.is_bound else 200)


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def contact_delete(request: AccountRequest, pk: int) -> HttpResponse:
    contact: Contact = get_object_or_404(Contact.objects.of(request.account), pk=pk)
    if request.method == "GET":
        return render(request, "campaigns/contact_delete.html", {"contact": contact})
    contact.delete()
    messages.success(request, _("The contact was deleted."))
    return redirect("campaigns:contact_list")
