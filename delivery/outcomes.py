"""What became of a claimed message, as `record` and `evidence` take it (docs/ledger.md §4)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings

from delivery import replies
from delivery.models import Message
from delivery.smtp import Reply
from mailsales.reasons import Reason

Status = Message.Status

GREYLISTED = timedelta(minutes=15)  # where a greylisting server does not say how long
MOST_SHORT_WAITS = 3  # a server that always says "try again in 1 minute" does not get 72 × 60 tries
LONGEST_REPLY = 500


class Outcome(NamedTuple):
    """One row for `record`. `code` None means that no transaction took place: given back, left out, not composable."""

    message_id: int
    lease_id: int
    status: Status
    reason: Reason | None = None
    due_at: datetime | None = None
    reply: Reply | None = None
    is_hard: bool = False

    @property
    def is_final(self) -> bool:
        return self.status in (Status.SENT, Status.BOUNCED) and self.reply is not None


def given_back(message_id: int, lease_id: int, due_at: datetime | None = None) -> Outcome:
    """Return the outcome of a message without a dot, which counts as no try: due again then, or at once."""
    return Outcome(message_id, lease_id, Status.QUEUED, due_at=due_at or datetime.now(UTC))


def replied(message_id: int, lease_id: int, reply: Reply, *, tries: int, expires_at: datetime) -> Outcome:
    """Return what a reply means for a message that was tried `tries` times before."""
    if reply.is_positive:
        return Outcome(message_id, lease_id, Status.SENT, reply=reply)
    verdict = replies.read(reply)
    if verdict.status == Status.UNKNOWN:
        return Outcome(message_id, lease_id, Status.UNKNOWN, Reason.NO_REPLY, reply=reply)
    if verdict.status != Status.DEFERRED:
        return Outcome(
            message_id, lease_id, Status(verdict.status), verdict.reason, reply=reply, is_hard=verdict.is_hard
        )
    due_at = next_try(reply, tries)
    if due_at >= expires_at:
        return Outcome(message_id, lease_id, Status.BOUNCED, Reason.EXPIRED, reply=reply)
    return Outcome(message_id, lease_id, Status.DEFERRED, verdict.reason, due_at, reply)


def next_try(reply: Reply, tries: int) -> datetime:
    """Return when to try again what was tried `tries` times before this reply.

    The schedule is RETRY_MINUTES after the first, second … failure; its last goes on until the campaign expires (RFC 5321
    §4.5.4.1: about two attempts in the first hour, then fewer). What the server asks for is honoured, later but never
    earlier; from the fourth failure on, the schedule is the least. Jitter spreads the tries after an outage.
    """
    wait = replies.wait_of(reply)
    if wait is None and tries == 0 and replies.is_greylisted(reply):
        wait = GREYLISTED
    planned = timedelta(minutes=settings.RETRY_MINUTES[min(tries, len(settings.RETRY_MINUTES) - 1)])
    jitter = settings.RETRY_JITTER / 100
    if wait is None:
        return datetime.now(UTC) + planned * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311 -- no secret
    if tries >= MOST_SHORT_WAITS:
        wait = max(wait, planned)
    return datetime.now(UTC) + wait * random.uniform(1, 1 + jitter)  # noqa: S311 -- no secret


def as_arrays(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the parameters of `record`, which are those of `evidence` and one more."""
    return {
        "ids": [each.message_id for each in outcomes],
        "leases": [each.lease_id for each in outcomes],
        "statuses": [each.status.value for each in outcomes],
        "reasons": [each.reason and each.reason.value for each in outcomes],
        "dues": [each.due_at for each in outcomes],
        "codes": [each.reply and each.reply.code for each in outcomes],
        "commands": [each.reply and each.reply.command for each in outcomes],
        "hosts": [each.reply and each.reply.host for each in outcomes],
        "texts": [each.reply and each.reply.text[:LONGEST_REPLY] for each in outcomes],
    }


def hard_ones(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return the parameters of `suppress`, or None when no address turned out to be dead."""
    hard = [each for each in outcomes if each.is_hard and each.reply]
    if not hard:
        return None
    arrays = as_arrays(hard)
    return {name: arrays[name] for name in ("ids", "leases", "reasons", "texts")}
