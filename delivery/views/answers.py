"""What the readers' views share: whose token it is, and answers that nobody keeps."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from mailsales import tokens, wall


def read(reader: tokens.Reader, token: str) -> tokens.Token | None:
    """Return what the token says, or None for a bad one, and see the rows of its account, or none, from now on."""
    try:
        known = reader(token)
    except tokens.BadToken:
        wall.enter(None)
        return None
    wall.enter(known.account_id)
    return known


def gone(request: HttpRequest) -> HttpResponse:
    """Tell a reader, who has no business on our other pages, that this link is dead."""
    return uncached(render(request, "delivery/link_gone.html", status=404))


def uncached(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store, private"
    return response
