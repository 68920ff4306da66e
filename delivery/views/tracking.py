"""Links and the pixel of a mail: where they lead, and that they were fetched."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from delivery import events, machines
from delivery.views.answers import gone, read, uncached
from mailsales import tokens

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """Lead on to where the link of the mail goes, and nowhere else."""
    known = read(tokens.read_link_token, token)
    if known is None:
        url = None
    elif request.method == "HEAD":
        url = events.target_of(known.row_id, known.number)
    else:
        url = events.take_click(known.row_id, known.number, _visitor(request, machines.followed_by))
    if url is None:
        return gone(request)
    response = HttpResponse(status=302)
    response.headers["Location"] = url  # any scheme that the frozen mail had, checked when it was written
    response.headers["Referrer-Policy"] = "no-referrer"
    return uncached(response)


@require_safe
def pixel(request: HttpRequest, token: str) -> HttpResponse:
    known = read(tokens.read_open_token, token)
    if known is None:
        raise Http404
    if request.method == "GET":
        events.take_open(known.row_id, _visitor(request, machines.opened_by))
    return uncached(HttpResponse(PIXEL, content_type="image/gif"))


def _visitor(request: HttpRequest, machine_of: Callable[[str], str]) -> events.Visitor:
    agent = request.headers.get("User-Agent", "")
    return events.Visitor(machine_of(agent), agent, request.META.get("REMOTE_ADDR") or None)
