"""How the queue stands: what waits and for how long, who has it in hand, and every message of a campaign.

What waits is counted from the tally, never from the messages: a million of them are a few rows. A message is as old as
the start of its campaign, however often it was tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from delivery.models import Installation

MINUTES = (5, 10, 20, 40, 80, 160, 320, 640, 1280)  # the columns of Postfix's qshape
HEADINGS = (*map(str, MINUTES), f"{MINUTES[-1]}+")
BATCH = 5_000

WAITING = """
SELECT coalesce(g."group", d.name), w.bucket, sum(w.n)::bigint
FROM (
  SELECT t.destination_id, width_bucket(extract(epoch FROM now() - r.frozen_at) / 60, %(minutes)s::numeric[]) AS bucket,
    sum(CASE t.status WHEN 'all' THEN t.n WHEN 'deferred' THEN 0 ELSE -t.n END) AS n
  FROM campaign c JOIN rendition r ON r.campaign_id = c.id JOIN tally t ON t.campaign_id = c.id
  WHERE c.status IN ('sending', 'paused', 'held', 'cancelled') AND c.closed_at IS NULL GROUP BY 1, 2
) w JOIN destination d ON d.id = w.destination_id LEFT JOIN destination_group g ON g.destination_id = d.id
WHERE w.n > 0 GROUP BY 1, 2
"""
STATES = """
SELECT coalesce(sum(CASE t.status WHEN 'all' THEN t.n WHEN 'deferred' THEN 0 ELSE -t.n END), 0)::bigint,
  coalesce(sum(t.n) FILTER (WHERE t.status = 'deferred'), 0)::bigint,
  (SELECT coalesce(sum(unsettled), 0) FROM lease)::bigint
FROM campaign c JOIN tally t ON t.campaign_id = c.id
WHERE c.status IN ('sending', 'paused', 'held', 'cancelled') AND c.closed_at IS NULL
"""
UNKNOWN = "SELECT coalesce(sum(n), 0)::bigint FROM tally WHERE status = 'unknown'"
LEASES = """
SELECT l.id, l.campaign_id, g.id, g.host, g.pid, l.claimed_at, g.beat_at, g.closed_at IS NULL, l.unsettled
FROM lease l JOIN generation g ON g.id = l.generation_id WHERE l.unsettled > 0 ORDER BY l.id
"""
MESSAGES = """
SELECT m.id, m.address, m.status, m.reason, a.code FROM message m
LEFT JOIN LATERAL (SELECT code FROM attempt WHERE message_id = m.id ORDER BY lease_id DESC LIMIT 1) a ON true
WHERE m.campaign_id = %(campaign)s AND m.id > %(after)s ORDER BY m.id LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What waits for one destination group. `by_age` counts messages younger than each of MINUTES, and then the rest."""

    name: str
    by_age: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.by_age)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages wait in which state."""

    queued: int
    deferred: int
    sending: int

    @property
    def total(self) -> int:
        return self.queued + self.deferred + self.sending


@dataclass(frozen=True, slots=True)
class Hand:
    """A chunk of messages in the hands of a worker process."""

    lease: int
    campaign: int
    generation: int
    host: str
    pid: int
    since: datetime
    beat_at: datetime
    is_open: bool
    unsettled: int


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `code` is its last reply's: 0 where none came, None where none was asked for."""

    address: str
    status: str
    reason: str
    code: int | None


def by_destination() -> list[Row]:
    """Return what waits for each destination group, the longest line first."""
    found: dict[str, list[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"minutes": list(MINUTES)})
        for name, bucket, n in cursor.fetchall():
            found.setdefault(name, [0] * (len(MINUTES) + 1))[bucket] += n
    rows = [Row(name, tuple(by_age)) for name, by_age in found.items()]
    return sorted(rows, key=lambda row: (-row.total, row.name))


def total(rows: list[Row]) -> Row:
    """Return the sum of the rows."""
    return Row("TOTAL", tuple(sum(row.by_age[at] for row in rows) for at in range(len(MINUTES) + 1)))


def by_state() -> Waiting:
    with connection.cursor() as cursor:
        cursor.execute(STATES)
        everything, deferred, sending = cursor.fetchone()
    return Waiting(max(everything - deferred - sending, 0), deferred, sending)


def unknown() -> int:
    """Return how many messages have an outcome that nobody knows."""
    with connection.cursor() as cursor:
        cursor.execute(UNKNOWN)
        return int(cursor.fetchone()[0])


def leases() -> list[Hand]:
    """Return the chunks that are not settled, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(LEASES)
        return [Hand(*row) for row in cursor.fetchall()]


def held_since() -> datetime | None:
    """Return since when the whole installation sends nothing, or None while it may."""
    return Installation.objects.values_list("held_at", flat=True).first()


def messages(campaign_id: int) -> Iterator[Line]:
    """Return every message of the campaign in the order of its fan-out, a batch in memory at a time."""
    after = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL enable_sort = off"
            )  # without statistics the whole campaign is sorted for each batch
            cursor.execute(MESSAGES, {"campaign": campaign_id, "after": after, "limit": BATCH})
            rows = cursor.fetchall()
        for _pk, address, status, reason, code in rows:
            yield Line(address, status, reason or "", code)
        if len(rows) < BATCH:
            return
        after = rows[-1][0]
