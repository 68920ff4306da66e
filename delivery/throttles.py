"""What holds mail back for a while: destinations that asked for it, that cannot be reached, or that an operator stopped.

The rows (`Throttle`) are the truth for all workers; each has a `Board`, a picture of the active ones that it renews every
second. The SQL is text with named parameters, for a worker's own connection as for Django's cursor. RFC 5321 §4.5.4.1
asks for a list of hosts that cannot be reached.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.timezone import now

from delivery.models import Throttle
from delivery.smtp import Reply
from mailsales.ledger import Row
from mailsales.reasons import Reason

LONGEST_ROUTE, LONGEST_SCOPE = 200, 255
# Minutes after the first failure, the second, … of a destination; ZoneMTA: 2, and 15 where connecting timed out.
BACKOFF = (2, 5, 15, 30)
TIMED_OUT = 15
TIMEOUT = re.compile(r"in time\b|timed? ?out", re.IGNORECASE)
LONGEST_SPREAD = 60.0  # seconds, as KumoMTA's random delay of what returns to its queue
KEPT_SECONDS = 2.0  # how long what was made here is believed before it is seen in the table
ADDRESS = re.compile(r"""("[^"\s]*"|[^\s<>()\[\],;:"'=?&|]+)(?=(?:@|%40)[\w\[-])""")

ACTIVE = """
SELECT route, scope, rate, connections, until, reason, code, text, host, made_by, failures
FROM throttle WHERE until > now()
"""
# Run twice, or by many workers that hear the same, it leaves one row. A suspension beats slowing down; of two of a kind
# the later end and the stricter rate hold. What has ended counts for nothing, but for the failures of the last hour.
MAKE = """
INSERT INTO throttle AS t (route, scope, rate, connections, until, reason, code, text, host, made_by, failures)
VALUES (left(%(route)s, 200), left(%(scope)s, 255), %(rate)s, %(connections)s, %(until)s, %(reason)s, %(code)s, left(%(text)s, 500),
  left(%(host)s, 255), %(made_by)s::text, (%(made_by)s::text = 'failure')::int)
ON CONFLICT (route, scope) DO UPDATE SET
  rate = CASE WHEN t.until > now() AND (t.rate = 0) = (excluded.rate = 0) THEN least(t.rate, excluded.rate) ELSE excluded.rate END,
  connections = CASE WHEN t.until > now() AND (t.rate = 0) = (excluded.rate = 0) THEN least(t.connections, excluded.connections)
    ELSE excluded.connections END,
  until = CASE WHEN t.until > now() AND (t.rate = 0) = (excluded.rate = 0) THEN greatest(t.until, excluded.until) ELSE excluded.until END,
  reason = excluded.reason, code = excluded.code, text = excluded.text, host = excluded.host, made_by = excluded.made_by, made_at = now(),
  failures = least(excluded.failures + CASE WHEN t.until > now() - interval '1 hour' THEN t.failures ELSE 0 END, 1000)
WHERE t.until <= now() OR (excluded.rate = 0 AND t.rate > 0)
  OR ((t.rate = 0) = (excluded.rate = 0) AND (excluded.until >= t.until OR excluded.rate < t.rate))
"""
FORGET = "DELETE FROM throttle WHERE until < now() - interval '1 day'"
# Parallel arrays: where the mail of destinations was found to go.
FOUND = """
INSERT INTO destination_group AS g (destination_id, "group", site)
SELECT f.id, left(f.name, 255), left(f.site, 255)
FROM unnest(%(ids)s::bigint[], %(groups)s::text[], %(sites)s::text[]) AS f(id, name, site)
JOIN destination d ON d.id = f.id ORDER BY f.id
ON CONFLICT (destination_id) DO UPDATE SET "group" = excluded."group", site = excluded.site, found_at = now()
WHERE (g."group", g.site) IS DISTINCT FROM (excluded."group", excluded.site) OR g.found_at < now() - interval '1 day'
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A throttle as a worker sees it; the fields are the columns of ACTIVE. `rate` 0: nothing goes."""

    route: str
    scope: str
    rate: float
    connections: int | None
    until: datetime
    reason: str
    code: int
    text: str
    host: str
    made_by: str
    failures: int = 0


NAMES = {field.name for field in fields(Held)}


class Board:
    """A worker's picture of the active throttles: `replace` with what the table says, `add` what it makes itself."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[tuple[str, str], list[Held]] = {}
        self._own: list[tuple[float, Held]] = []

    def replace(self, rows: Sequence[Row]) -> None:
        """Take the rows of ACTIVE. What was added within the last moment stays: the rows may have been read before."""
        since = self._clock() - KEPT_SECONDS
        self._own = [(at, held) for at, held in self._own if at > since]
        self._held = {}
        for held in (*(Held(*row) for row in rows), *(held for _at, held in self._own)):
            self._put(held)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take a throttle at once; `row` is what MAKE is given."""
        held = Held(**{name: value for name, value in row.items() if name in NAMES})
        self._own.append((self._clock(), held))
        self._put(held)

    def suspended_until(self, route_name: str, group: str, site: str) -> datetime | None:
        """Return until when nothing goes to a site, or None."""
        found = [held.until for scope in {group, site} for held in self._active(route_name, scope) if not held.rate]
        return max(found, default=None)

    def slowed(self, route_name: str, group: str) -> tuple[float, int | None] | None:
        """Return messages a second and connections that are left to a group, or None where it is not slowed down."""
        found = [held for held in self._active(route_name, group) if held.rate]
        if not found:
            return None
        connections = [held.connections for held in found if held.connections is not None]
        return min(held.rate for held in found), min(connections, default=None)

    def _put(self, held: Held) -> None:
        self._held.setdefault((held.route[:LONGEST_ROUTE], held.scope[:LONGEST_SCOPE]), []).append(held)

    def _active(self, route_name: str, scope: str) -> list[Held]:
        known = self._held.get((route_name[:LONGEST_ROUTE], scope[:LONGEST_SCOPE]))
        return [held for held in known if held.until > datetime.now(UTC)] if known else []


def suspend(route_name: str, scope: str, seconds: float, text: str) -> None:
    """Send nothing to a group or site on a route for so long, whatever held before: an operator says so."""
    Throttle.objects.update_or_create(
        route=route_name[:LONGEST_ROUTE],
        scope=scope[:LONGEST_SCOPE],
        defaults={
            "rate": 0,
            "connections": None,
            "until": now() + timedelta(seconds=seconds),
            "reason": Reason.MANUAL,
            "code": 0,
            "text": text[:500],
            "host": "",
            "made_by": Throttle.Maker.PERSON,
            "made_at": now(),
        },
    )


def resume(scope: str, route_name: str = "") -> int:
    """Let mail go to a group or site again, on one route or all; return how many throttles were lifted."""
    held = Throttle.objects.active().filter(scope=scope)
    return (held.filter(route=route_name) if route_name else held).delete()[0]


def backoff(failures: int, reply: Reply) -> timedelta:
    """Return how long to leave a destination alone that could not be reached `failures` times in a row, with jitter."""
    minutes = BACKOFF[min(max(failures, 1), len(BACKOFF)) - 1]
    if reply.code == 0 and TIMEOUT.search(reply.text):
        minutes = max(minutes, TIMED_OUT)
    return timedelta(minutes=minutes * random.uniform(1, 1.2))  # noqa: S311 -- no secret


def due_after(until: datetime) -> datetime:
    """Return when a message for a suspended destination is due: soon after, but not all of them at once."""
    left = (until - datetime.now(UTC)).total_seconds()
    spread = min(max(left / 4, 1.0), LONGEST_SPREAD)
    return until + timedelta(seconds=random.uniform(0, spread))  # noqa: S311 -- no secret


def masked(text: str) -> str:
    """Return a reply's text without the local parts of addresses: whose mail it was is nobody else's business."""
    return ADDRESS.sub("…", text)
