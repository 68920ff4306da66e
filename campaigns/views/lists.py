from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import WRITERS, member_required
from accounts.http import AccountRequest
from campaigns.forms.contacts import ListForm
from campaigns.models import Campaign, MailingList, Subscription
from campaigns.views.contacts import contact_page

REACHABLE = Count("subscriptions", filter=Q(subscriptions__status=Subscription.Status.CONFIRMED))
LEFT = Count("subscriptions", filter=Q(subscriptions__status=Subscription.Status.UNSUBSCRIBED))

# -- /lists/ -----------------------------------------------------------------------------------


@member_required()
@require_GET
def list_list(request: AccountRequest) -> HttpResponse:
    lists = MailingList.objects.of(request.account).annotate(confirmed=REACHABLE, unsubscribed=LEFT)
    return render(request, "campaigns/list_list.html", {"lists": lists})


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def list_create(request: AccountRequest) -> HttpResponse:
    return _list_form(request, MailingList(account=request.account))


# -- /lists/<id>/ ------------------------------------------------------------------------------


@member_required()
@require_GET
@vary_on_headers("HX-Request")
def list_detail(request: AccountRequest, pk: int) -> HttpResponse:
    lists = MailingList.objects.of(request.account).annotate(confirmed=REACHABLE, unsubscribed=LEFT)
    mailing_list: MailingList = get_object_or_404(lists, pk=pk)
    context = contact_page(request, request.GET.get("q", "").strip(), mailing_list, target="contact-table")
    context |= {"list": mailing_list, "kept": {}}
    template = "campaigns/_contact_table.html" if request.htmx else "campaigns/list_detail.html"
    return render(request, template, context)


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def list_edit(request: AccountRequest, pk: int) -> HttpResponse:
    return _list_form(request, get_object_or_404(MailingList.objects.of(request.account), pk=pk))


def _list_form(request: AccountRequest, mailing_list: MailingList) -> HttpResponse:
    form = ListForm(request.POST or None, instance=mailing_list)
    if form.is_valid():
        saved = form.save()
        messages.success(request, _("The list was saved."))
        return redirect(saved)
    return render(request, "campaigns/list_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def list_delete(request: AccountRequest, pk: int) -> HttpResponse:
    """Delete a list that no campaign needs; its contacts stay."""
    mailing_list: MailingList = get_object_or_404(MailingList.objects.of(request.account), pk=pk)
    if Campaign.objects.of(request.account).filter(list=mailing_list).exists():
        messages.warning(request, _("Campaigns use this list, so it stays. Their results would lose their meaning."))
        return redirect(mailing_list)
    if request.method == "GET":
        return render(request, "campaigns/list_delete.html", {"list": mailing_list})
    mailing_list.delete()
    messages.success(request, _("The list was deleted. Its contacts are still there."))
    return redirect("campaigns:list_list")
