"""Monthly partitions of the events, kept ahead of time (docs/decisions.md §8)."""

from __future__ import annotations

from django.db import connection

MONTHS_AHEAD = 3


def make_ahead() -> int:
    """Make the partitions of this month and the next three; return how many were missing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT make_event_partitions(%s)", [MONTHS_AHEAD])
        (made,) = cursor.fetchone()
    return int(made)
