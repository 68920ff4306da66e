"""What operators stop by hand, and let go again: a destination group, the servers of a domain, a relay.

A throttle belongs to a scope on a route (`delivery/throttles.py`). Here an operator's word for a scope is read, so that
a slip of the pen stops nothing, and nobody is stopped unawares who shares servers with the one that was meant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from accounts.models import Account
from campaigns.models import Campaign
from delivery import shaping, throttles
from delivery.models import DestinationGroup, Throttle
from delivery.routes import read_route
from mailsales import ledger
from mailsales.routes import Route, RouteKind

SLICE = 10_000
SPREAD = timedelta(minutes=2)  # what was put off is due that long after its throttle's end, at the latest
NOTICE_SECONDS = 3.0  # until all workers have seen that a throttle is gone; before, they would put messages off again
OPEN = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.HELD)


class UnknownScope(ValueError):
    """Nothing is called so; the message says what is."""


def routes_in_use() -> dict[int, Route]:
    """Return the route of each account whose route can be read, by the account's id."""
    found = {}
    for account in Account.objects.all():
        try:
            found[account.pk] = read_route(account.route)
        except ValueError:
            continue
    return found


def suspend(said: str, *, seconds: float, text: str, route_name: str = "") -> list[tuple[str, str]]:
    """Send nothing to what is called so, for so long; return the routes and the scope that are stopped.

    `route_name` empty: on all routes that could go there. Raise UnknownScope.
    """
    scope, routes = read_scope(said)
    if route_name and route_name not in routes:
        raise UnknownScope(
            f"“{said}” is not reached by the route “{route_name}”, but by: {', '.join(routes) or 'none'}."
        )
    stopped = [(name, scope) for name in ([route_name] if route_name else routes)]
    for name, _scope in stopped:
        throttles.suspend(name, scope, seconds, text)
    return stopped


def lift(said: str, *, route_name: str = "") -> list[Throttle]:
    """Let mail go again to what is called so, whoever held it back; return what did. Raise UnknownScope."""
    scopes = {said}
    for row in DestinationGroup.objects.filter(destination__name=said.lower()):
        scopes |= {row.group, row.site}
    active = Throttle.objects.active().filter(scope__in=scopes)
    lifted = list(active.filter(route=route_name) if route_name else active)
    if not lifted:
        read_scope(said)
    for throttle in lifted:
        throttles.resume(throttle.scope, throttle.route)
    return lifted


def hasten(lifted: Iterable[Throttle]) -> int:
    """Let what was put off because of these be due now; return how many messages. Call it NOTICE_SECONDS after `lift`.

    That is what was put off without a try. What had a reply of its own keeps the time of its next try.
    """
    return sum(_hasten(throttle) for throttle in lifted)


def read_scope(said: str) -> tuple[str, list[str]]:
    """Return the scope that is called so, and the names of the routes that go there. Raise UnknownScope."""
    routes = set(routes_in_use().values()) | {read_route()}
    own = sorted(route.name for route in routes if is_own(said) and replace(route, source_address=None).name == said)
    if own:
        return said, own
    return _destination(said), sorted({route.name for route in routes if route.kind is RouteKind.MX})


def is_own(scope: str) -> bool:
    """Return whether the scope is a relay or the sandbox: all mail of its route goes there."""
    return scope.partition(" ")[0] in (RouteKind.RELAY, RouteKind.SANDBOX)


# -- inside ------------------------------------------------------------------------------------


def _hasten(throttle: Throttle) -> int:
    accounts = [pk for pk, route in routes_in_use().items() if route.name == throttle.route]
    campaigns = Campaign.objects.filter(account__in=accounts, status__in=OPEN)
    values = {
        "campaigns": list(campaigns.values_list("pk", flat=True)),
        "scope": None if is_own(throttle.scope) else throttle.scope,
        "before": throttle.until + SPREAD,
        "limit": SLICE,
    }
    hastened = 0
    while n := ledger.change("hasten", **values):  # beside workers, a slice at a time
        hastened += n
    return hastened


def _destination(said: str) -> str:
    """Return the group or site of this name, or the servers of the domain."""
    table = shaping.load(settings.SHAPING_FILE)
    if said in table or DestinationGroup.objects.filter(Q(group=said) | Q(site=said)).exists():
        return said
    domain = said.lower()
    if group := table.group_of((), domain):
        raise UnknownScope(f"{domain} belongs to {group}, with other domains. Stop them all: queue suspend {group}")
    row = DestinationGroup.objects.filter(destination__name=domain).first()
    if row is None:
        raise UnknownScope(_nothing_known(said, table))
    others = DestinationGroup.objects.filter(site=row.site).exclude(pk=row.pk).count()
    if others:
        raise UnknownScope(
            f"The servers of {domain} take the mail of {others:,} other domains, too. Stop them all: queue suspend '{row.site}'"
        )
    return row.site


def _nothing_known(said: str, table: shaping.Table) -> str:
    return (
        f"Nothing is called “{said}”. There are the groups {', '.join(table)}; a relay as in “relay mail.example.jp:25”; "
        "the domains to which mail was sent, and the sets of their mail servers as “queue --all” shows them."
    )
