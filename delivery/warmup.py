"""Warming up a sending domain: so many messages a day to each provider, growing from day to day; the rest waits.

Off unless `Domain.warmup_started_on` is set. The first day has `warmup_first` messages for each provider of
`mailsales/providers.py`, each next one `warmup_growth` times as many, at most twice; days are those of the account's
time zone. What goes beyond is due at the same hour of the next day, so that no phone rings at midnight. A message counts
when it is handed to a connection, also at its second try: the counts err on the careful side. The plan ends by itself
when a day's cap reaches `MOST`. It follows the calendar: after 30 days without mail, start it again.

Sources: Amazon SES warms an address up over 45 days, and says that some providers need two weeks, others six;
SendGrid limits by the hour, lets the overflow wait, and warms up again after 30 idle days; SocketLabs and others
advise never to send more than twice as much as on the day before. Each looks at every receiving provider by itself.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Domain
from mailsales.ledger import Row
from mailsales.providers import Provider, provider_of

MOST = 1_000_000  # a day: warm enough
RESERVED = 50  # at once, by one process
JITTER_SECONDS = 300.0
EXHAUSTED_SECONDS = 20.0  # until a provider whose day is used up is asked for again: others may give back
Run = Callable[[str, dict[str, Any]], Awaitable[list[Row]]]

# Never more than an eighth of what is left, so that no process sits on what the others could send. A cap that was
# lowered in the middle of a day takes nothing back.
RESERVE = """
UPDATE warmup_day w SET cap = greatest(%(cap)s::int, w.used), used = w.used + old.n
FROM (
  SELECT id, greatest(least(%(most)s::int, (%(cap)s::int - used + 7) / 8, %(cap)s::int - used), 0) AS n
  FROM warmup_day WHERE domain_id = %(domain)s AND provider = %(provider)s AND "on" = %(day)s FOR UPDATE
) old
WHERE w.id = old.id RETURNING old.n
"""
BEGIN = """
INSERT INTO warmup_day (domain_id, provider, "on", cap) VALUES (%(domain)s, %(provider)s, %(day)s, %(cap)s)
ON CONFLICT (domain_id, provider, "on") DO NOTHING
"""
GIVE_BACK = """
UPDATE warmup_day SET used = greatest(used - %(n)s::int, 0)
WHERE domain_id = %(domain)s AND provider = %(provider)s AND "on" = %(day)s
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a domain warms up; a campaign keeps the one it was loaded with."""

    domain_id: int
    started_on: date
    first: int
    growth: float
    zone: ZoneInfo

    def today(self) -> date:
        return datetime.now(self.zone).date()

    def cap_on(self, day: date) -> int:
        """Return how many messages each provider may get on the day; MOST stands for no limit."""
        return _cap(self.first, self.growth, (day - self.started_on).days)

    def next_day(self) -> datetime:
        """Return when what goes beyond today's cap is due: tomorrow at about this hour, with jitter."""
        now = datetime.now(self.zone)
        day = now.date() + timedelta(days=1)
        at = datetime.combine(day, now.time(), self.zone) + timedelta(seconds=_jitter(-JITTER_SECONDS))
        earliest = datetime.combine(day, datetime.min.time(), self.zone) + timedelta(seconds=_jitter(0))
        latest = datetime.combine(day, datetime.max.time(), self.zone) - timedelta(seconds=_jitter(0))
        return min(max(at, earliest), latest).astimezone(UTC)


def plan_of(domain: Domain) -> Plan | None:
    """Return the plan of a domain that warms up, or None. It reads the domain's account."""
    if domain.warmup_started_on is None:
        return None
    zone = ZoneInfo(domain.account.time_zone)
    plan = Plan(domain.pk, domain.warmup_started_on, domain.warmup_first, domain.warmup_growth, zone)
    return plan if plan.cap_on(plan.today()) < MOST else None


class Allowance:
    """What a worker process may still send for domains that warm up; it reserves a few messages at a time.

    `run` runs SQL over the worker's connection. What a process had reserved when it died is lost for the day.
    """

    def __init__(self, run: Run, clock: Callable[[], float] = time.monotonic) -> None:
        self._run = run
        self._clock = clock
        self._held: Counter[tuple[int, Provider, date]] = Counter()
        self._exhausted: dict[tuple[int, Provider, date], float] = {}

    async def take(self, plan: Plan, domain: str) -> bool:
        """Count one message to an address in the domain; return False when today's are used up.

        Raise psycopg.OperationalError when the database is away.
        """
        day = plan.today()
        cap = plan.cap_on(day)
        if cap >= MOST:
            return True
        key = plan.domain_id, provider_of(domain), day
        if not self._held[key] and self._exhausted.get(key, 0.0) <= self._clock():
            await self._reserve(key, cap)
        if not self._held[key]:
            return False
        self._held[key] -= 1
        return True

    def put_back(self, plan: Plan, domain: str) -> None:
        """Take back the count of a message that was not sent after all."""
        self._held[plan.domain_id, provider_of(domain), plan.today()] += 1

    async def give_back(self) -> None:
        """Let the others have what was reserved and not used; called at the end."""
        while self._held:
            (domain_id, provider, day), n = self._held.popitem()
            if n:
                await self._run(GIVE_BACK, {"domain": domain_id, "provider": provider.value, "day": day, "n": n})

    async def _reserve(self, key: tuple[int, Provider, date], cap: int) -> None:
        domain_id, provider, day = key
        values = {"domain": domain_id, "provider": provider.value, "day": day, "cap": cap}
        rows = await self._run(RESERVE, {**values, "most": RESERVED})
        if not rows:  # the first message of the day
            await self._run(BEGIN, values)
            rows = await self._run(RESERVE, {**values, "most": RESERVED})
        reserved = int(rows[0][0]) if rows else 0
        self._held[key] += reserved
        if not reserved:
            self._exhausted[key] = self._clock() + EXHAUSTED_SECONDS


@lru_cache(maxsize=1024)
def _cap(first: int, growth: float, days: int) -> int:
    """Return the cap after so many days: rounded down, yet never more than twice that of the day before."""
    cap, exact = max(first, 1), float(max(first, 1))
    for _day in range(days if growth > 1 else 0):
        exact *= min(growth, 2.0)
        cap = max(cap, min(2 * cap, int(exact)))
        if cap >= MOST:
            break
    return min(cap, MOST)


def _jitter(low: float) -> float:
    return random.uniform(low, JITTER_SECONDS)  # noqa: S311 -- no secret
