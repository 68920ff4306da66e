"""The routes of this installation: what `mailsales.routes` reads, completed from the settings."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings

from accounts.models import Account, Domain
from mailsales import routes
from mailsales.routes import Hop, Route, RouteKind


def route_of(account: Account, domain: Domain | None) -> Route:
    """Return the way of an account's mail from a domain: only a proven one leaves the sandbox. Raise ValueError."""
    return read_route(account.route if domain and domain.is_proven else "sandbox")


def read_route(name: str = "") -> Route:
    """Return the route of a name as in `Account.route`; empty is DEFAULT_ROUTE. Raise ValueError for any other text."""
    route = routes.parse(name or settings.DEFAULT_ROUTE)
    if route.kind is RouteKind.SANDBOX:
        return replace(route, hops=(Hop("127.0.0.1", settings.SANDBOX_PORT),), ehlo_name=settings.EHLO_NAME)
    return replace(
        route,
        ehlo_name=route.ehlo_name or settings.EHLO_NAME,
        source_address=route.source_address or settings.SOURCE_ADDRESS or None,
    )
