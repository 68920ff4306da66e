"""What readers' programs ask for: links, the pixel, unsubscribing, the mail in a browser (RFC 8058, RFC 2369).

GET and HEAD never change what somebody receives; GET of a link or a pixel only notes that it was fetched.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Account
from delivery import events, machines, refusals, renditions
from delivery.compose import Recipient
from delivery.forms import ReasonForm
from delivery.models import Message, Unsubscribe
from mailsales import tokens, wall

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
MAIL_POLICY = {
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "frame-ancestors": ["'self'"],
}


# -- links and pixel ---------------------------------------------------------------------------


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Lead on to where the link of the mail goes, and nowhere else."""
    known = _read(tokens.read_link_token, token)
    if known is None:
        url = None
    elif request.method == "HEAD":
        url = events.target_of(known.row_id, known.number)
    else:
        url = events.take_click(known.row_id, known.number, _visitor(request, machines.followed_by))
    if url is None:
        return _gone(request)
    response = HttpResponse(status=302)
    response.headers["Location"] = url  # any scheme that the frozen mail had, checked when it was written
    response.headers["Referrer-Policy"] = "no-referrer"
    return _uncached(response)


@require_safe
def pixel(request: HttpRequest, token: str) -> HttpResponse:
    known = _read(tokens.read_open_token, token)
    if known is None:
        raise Http404
    if request.method == "GET":
        events.take_open(known.row_id, _visitor(request, machines.opened_by))
    return _uncached(HttpResponse(PIXEL, content_type="image/gif"))


def _read(read: tokens.Reader, token: str) -> tokens.Token | None:
    """Return what the token says, or None for a bad one, and see the rows of its account, or none, from now on."""
    try:
        known = read(token)
    except tokens.BadToken:
        wall.enter(None)
        return None
    wall.enter(known.account_id)
    return known


def _gone(request: HttpRequest) -> HttpResponse:
    """Tell a reader, who has no business on our other pages, that this link is dead."""
    return _uncached(render(request, "delivery/link_gone.html", status=404))


def _visitor(request: HttpRequest, machine_of: Callable[[str], str]) -> events.Visitor:
    agent = request.headers.get("User-Agent", "")
    return events.Visitor(machine_of(agent), agent, request.META.get("REMOTE_ADDR") or None)


def _uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store, private"
    return response


# -- unsubscribing -----------------------------------------------------------------------------


@csrf_exempt  # RFC 8058 §3.1: the mail program sends no cookie; the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask with a button; the button, or a mail program's one click, unsubscribes at once."""
    known = _read(tokens.read_unsubscribe_token, token)
    if known is None:
        return _gone(request)
    message = Message.objects.filter(pk=known.row_id).select_related("account", "campaign__list").first()
    if message is None:
        account = Account.objects.filter(pk=known.account_id).first()
        if account is None:
            return _gone(request)
        return _uncached(render(request, "delivery/unsubscribe_gone.html", {"account": account}, status=404))
    context = {
        "account": message.account,
        "list": message.campaign.list,
        "masked": _masked(message.address),
        "token": token,
    }
    if request.method != "POST":
        return _uncached(render(request, "delivery/unsubscribe.html", context))
    is_one_click = "List-Unsubscribe" in request.POST
    refusals.unsubscribe(message, Unsubscribe.How.ONE_CLICK if is_one_click else Unsubscribe.How.PAGE)
    return _uncached(render(request, "delivery/unsubscribe_done.html", {**context, "form": ReasonForm()}))


@csrf_exempt
@require_POST
def unsubscribe_reason(request: HttpRequest, token: str) -> HttpResponse:
    """Keep why somebody left, asked afterwards and never before."""
    known = _read(tokens.read_unsubscribe_token, token)
    account = Account.objects.filter(pk=known.account_id).first() if known else None
    if known is None or account is None:
        return _gone(request)
    form = ReasonForm(request.POST)
    if form.is_valid():
        Unsubscribe.objects.filter(message_id=known.row_id).update(why=form.cleaned_data["reason"])
        return _uncached(render(request, "delivery/unsubscribe_thanks.html", {"account": account}))
    context = {"account": account, "form": form, "token": token}
    return _uncached(render(request, "delivery/unsubscribe_done.html", context, status=422))


def _masked(address: str) -> str:
    """Return an address that its owner knows again, and nobody else learns."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:2]}{'•' * max(len(local) - 2, 3)}@{domain}" if address else ""


# -- the mail in a browser ---------------------------------------------------------------------


@csp(MAIL_POLICY)  # type: ignore[arg-type]  # typed for views without arguments
@xframe_options_sameorigin
@require_safe
def mail_view(request: HttpRequest, token: str) -> HttpResponse:
    """Show the HTML part exactly as it was sent."""
    known = _read(tokens.read_view_token, token)
    found = Message.objects.filter(pk=known.row_id) if known else Message.objects.none()
    message = found.select_related("contact").first()
    if message is None:
        return _gone(request)
    contact = message.contact
    recipient = Recipient(
        message.pk, message.address, contact.name if contact else "", contact.fields if contact else {}
    )
    return _uncached(HttpResponse(renditions.load(message.campaign_id).composer.web_page(recipient)))


@require_safe
def of_a_test(request: HttpRequest) -> HttpResponse:
    """Explain where this link of a test copy would lead."""
    return render(request, "delivery/of_a_test.html")
