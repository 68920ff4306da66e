"""Readers leave: a page with a button, and the one click of mail programs (RFC 8058).

Security gateways and previews open each address of a mail, with GET, HEAD and worse: they change nothing. A POST needs
no cookie, is answered 200 without a redirect, may come twice, and must say in its body what it wants.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Account
from delivery import leaving, readers
from delivery.forms import ReasonForm
from delivery.models import Unsubscribe
from delivery.readers import Reader
from delivery.views.answers import gone, read, uncached
from mailsales import tokens
from mailsales.tokens import Token

ONE_CLICK = re.compile(rb'List-Unsubscribe"?\s*(?:=|%3D)?\s*One-Click', re.IGNORECASE)
LIST, ALL = "list", "all"
EMPTY = re.compile(rb"\s*(--[^\r\n]*--\s*)?")  # a form without fields: nothing, or the last boundary (RFC 2046 §5.1.1)


@csrf_exempt  # RFC 8058 §3.1: the mail program sends no cookie; the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with buttons; one of them, or a mail program's one click, unsubscribes at once."""
    known = read(tokens.read_unsubscribe_token, token)
    reader = readers.find(known) if known else None
    if reader is None:
        return no_reader(request, known)
    context = {"account": reader.account, "reader": reader, "token": token}
    if request.method != "POST":
        has_left = reader.has_left  # whoever comes again, or in another language, need not ask twice
        return _done(request, context) if has_left else uncached(render(request, "delivery/unsubscribe.html", context))
    if ONE_CLICK.search(request.body):  # whatever the type of the body says
        leaving.leave_list(reader, Unsubscribe.How.ONE_CLICK)
        return _done(request, context)
    scope = _scope_of(request)
    if scope == ALL:
        leaving.leave_all(reader, Unsubscribe.How.PAGE)
    elif scope == LIST:
        leaving.leave_list(reader, Unsubscribe.How.PAGE)
    else:
        return uncached(render(request, "delivery/unsubscribe.html", context, status=422))
    return _done(request, context)


@csrf_exempt  # the token is the proof
@require_POST
def unsubscribe_reason(request: HttpRequest, token: str) -> HttpResponse:
    """Keep why somebody left, asked afterwards and never before."""
    known = read(tokens.read_unsubscribe_token, token)
    account = Account.objects.filter(pk=known.account_id).first() if known else None
    if known is None or account is None:
        return gone(request)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        reader = readers.find(known)
        return _done(request, {"account": account, "reader": reader, "token": token}, form, status=422)
    Unsubscribe.objects.filter(account=account, message_id=known.row_id).update(why=form.cleaned_data["reason"])
    return uncached(render(request, "delivery/unsubscribe_thanks.html", {"account": account}))


def no_reader(request: HttpRequest, known: Token | None) -> HttpResponse:
    """Say whom to ask when the token is right, but nothing tells any more whose it is."""
    account = Account.objects.filter(pk=known.account_id).first() if known else None
    if account is None:
        return gone(request)
    return uncached(render(request, "delivery/unsubscribe_gone.html", {"account": account}, status=404))


def _scope_of(request: HttpRequest) -> str:
    """Return what the buttons of the page say. A form without any field is the first button: a POST is a deed."""
    if EMPTY.fullmatch(request.body):
        return LIST
    try:
        return request.POST.get("scope", "")
    except MultiPartParserError:
        return ""


def _done(
    request: HttpRequest, context: dict[str, Any], form: ReasonForm | None = None, status: int = 200
) -> HttpResponse:
    """Say what the reader gets no longer, and ask why where the answer can be kept."""
    reader: Reader | None = context["reader"]
    still = reader is not None and reader.subscriptions.confirmed().exists()
    is_kept = (
        reader is not None and Unsubscribe.objects.filter(account=reader.account, message=reader.message_id).exists()
    )
    context = {**context, "is_on_others": still, "form": (form or ReasonForm()) if is_kept else None}
    return uncached(render(request, "delivery/unsubscribe_done.html", context, status=status))
