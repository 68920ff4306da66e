"""Builders of what the engine works with: pools, sites, targets."""

from __future__ import annotations

from typing import Any

from delivery.pools import Pool, Unshared
from delivery.sites import Site, Target, TlsPlan
from mailsales.routes import Hop, Route, RouteKind, TLSMode


def pool_to(port: int, size: int = 3, tls: TLSMode = TLSMode.NONE, **options: Any) -> Pool:
    """Make a pool of so many connections to a server on this machine."""
    route = Route(RouteKind.RELAY, (Hop("127.0.0.1", port),), tls, ehlo_name="localhost")
    site = Site(route.name, route.name, (("127.0.0.1",),))

    async def find_targets() -> list[Target]:
        return [Target("127.0.0.1", port, tls=TlsPlan(mode=tls))]

    return Pool(route, site, Unshared(size), find_targets, **options)
