"""What a reader receives, under which name and at which address: changed with the token of a mail, without a login.

Saved pages are answered 200. The tokens stand in for the session's: whoever has none can post nothing (csrf_exempt).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import Account
from campaigns import address_changes
from delivery import address_mails, readers
from delivery import preferences as choosing
from delivery.forms import AddressChangeForm, PreferencesForm
from delivery.views.answers import gone, read, uncached
from delivery.views.unsubscribing import no_reader
from mailsales import tokens
from mailsales.tokens import Token


@csrf_exempt  # the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    known = read(tokens.read_unsubscribe_token, token)
    reader = readers.find(known) if known else None
    if reader is None or reader.contact is None:
        return no_reader(request, known)
    standing = choosing.standing_of(reader)
    name = reader.contact.name
    form = PreferencesForm(request.POST if request.method == "POST" else None, standing=standing, name=name)
    context: dict[str, Any] = {"account": reader.account, "reader": reader, "token": token, "form": form}
    if form.is_valid():
        choosing.save(reader, form.wishes, _ip(request))
        standing = choosing.standing_of(reader)
        context |= {"form": PreferencesForm(standing=standing, name=form.wishes.name), "is_saved": True}
    status = 422 if form.errors else 200
    return uncached(render(request, "delivery/preferences.html", {**context, "standing": standing}, status=status))


@csrf_exempt  # the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def address_change(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for the new address, and send a mail there that lets its owner confirm. All addresses are answered alike."""
    known = read(tokens.read_unsubscribe_token, token)
    reader = readers.find(known) if known else None
    if reader is None or reader.contact is None:
        return no_reader(request, known)
    form = AddressChangeForm(request.POST if request.method == "POST" else None)
    context = {"account": reader.account, "reader": reader, "token": token, "form": form}
    if form.is_valid():
        change = address_mails.ask(reader.contact, form.cleaned_data["address"])
        if change:
            return uncached(
                render(request, "delivery/address_change_sent.html", {**context, "address": change.address})
            )
        form.add_error("address", _("You asked for this several times today. Please try again tomorrow."))
    status = 422 if form.errors else 200
    return uncached(render(request, "delivery/address_change.html", context, status=status))


@csrf_exempt  # the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with a button, since programs open what is in mails; the button moves the contact."""
    known = read(tokens.read_change_token, token)
    change = address_changes.find(known.account_id, known.row_id) if known else None
    if change is None:
        return _too_late(request, known)
    context = {"account": change.account, "token": token, "masked": readers.masked(change.address)}
    if request.method == "POST":
        address_mails.move(change, _ip(request))
        return uncached(render(request, "delivery/address_changed.html", context))
    template = "delivery/address_changed.html" if change.confirmed_at else "delivery/address_confirm.html"
    return uncached(render(request, template, context))


def _too_late(request: HttpRequest, known: Token | None) -> HttpResponse:
    account = Account.objects.filter(pk=known.account_id).first() if known else None
    if account is None:
        return gone(request)
    return uncached(render(request, "delivery/address_gone.html", {"account": account}, status=404))


def _ip(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None
