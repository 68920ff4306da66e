"""What became of a claimed message, as `record` and `evidence` take it (docs/ledger.md §4)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from delivery import replies
from delivery.models import Message
from delivery.smtp import Reply
from mailsales.reasons import Reason

Status = Message.Status

# Minutes until the next try, after the first, second … failure; the last goes on. Two tries fall into the first hour
# (RFC 5321 §4.5.4.1: at least 30 minutes, and about two attempts in the first hour).
DELAYS = (15, 30, 60, 120, 210)
JITTER = 0.1
LONGEST_REPLY = 500


@dataclass(frozen=True, slots=True)
class Outcome:
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


def given_back(message_id: int, lease_id: int) -> Outcome:
    """Return the outcome of a message without a dot: due again at once."""
    return Outcome(message_id, lease_id, Status.QUEUED, due_at=datetime.now(UTC))


def replied(message_id: int, lease_id: int, reply: Reply, *, tries: int, expires_at: datetime) -> Outcome:
    """Return what a reply means for a message that was tried `tries` times before."""
    verdict = replies.read(reply)
    if verdict.status == Status.UNKNOWN:
        return Outcome(message_id, lease_id, Status.UNKNOWN, Reason.NO_REPLY, reply=reply)
    if verdict.status != Status.DEFERRED:
        return Outcome(
            message_id, lease_id, Status(verdict.status), verdict.reason, reply=reply, is_hard=verdict.is_hard
        )
    due_at = next_try(tries)
    if due_at >= expires_at:
        return Outcome(message_id, lease_id, Status.BOUNCED, Reason.EXPIRED, reply=reply)
    return Outcome(message_id, lease_id, Status.DEFERRED, verdict.reason, due_at, reply)


def next_try(tries: int) -> datetime:
    """Return when to try again, with jitter: never a stampede after an outage."""
    minutes = DELAYS[min(tries, len(DELAYS) - 1)] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 -- no secret
    return datetime.now(UTC) + timedelta(minutes=minutes)


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
