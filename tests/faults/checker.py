"""The questions that every scenario ends with: the receiver's log on disk against the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection

from mailsales import ledger
from tests.faults.sink import Copy

OPEN = {"queued", "sending", "deferred"}
NEVER_ACCEPTED = {"bounced", "suppressed", "cancelled"}


@dataclass(frozen=True)
class Row:
    id: int
    address: str
    status: str
    reason: str | None
    is_attempted: bool  # the ledger tells of an attempt that was accepted


@dataclass(frozen=True)
class Picture:
    """A campaign that has ended, from both sides."""

    status: str
    is_closed: bool
    readers: int
    unsettled: int
    rows: list[Row]
    tally: dict[str, int]
    copies: list[Copy]

    @property
    def statuses(self) -> dict[str, int]:
        return dict(Counter(row.status for row in self.rows))

    def of(self, *statuses: str) -> set[str]:
        """Return the addresses of the messages with one of these statuses."""
        return {row.address for row in self.rows if row.status in statuses}

    @property
    def accepted(self) -> Counter[str]:
        return Counter(copy.recipient for copy in self.copies)


def take_picture(campaign_id: int, list_id: int, copies: list[Copy]) -> Picture:
    ((status, is_closed, readers, unsettled),) = ask(
        """SELECT status, closed_at IS NOT NULL, (SELECT count(*) FROM subscription WHERE list_id = %s),
          (SELECT coalesce(sum(unsettled), 0) FROM lease WHERE campaign_id = campaign.id) FROM campaign WHERE id = %s""",
        list_id,
        campaign_id,
    )
    rows = ask(
        """SELECT id, address, status, reason, EXISTS (SELECT FROM attempt WHERE message_id = message.id
          AND code BETWEEN 200 AND 299 AND command = 'dot') FROM message WHERE campaign_id = %s""",
        campaign_id,
    )
    return Picture(
        status, is_closed, readers, int(unsettled), [Row(*row) for row in rows], tally_of(campaign_id), copies
    )


def ask(text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())


def tally_of(campaign_id: int) -> dict[str, int]:
    """Return what the pages show, as a count by status."""
    sums: Counter[str] = Counter()
    for _destination, status, n in ledger.execute("progress", campaign=campaign_id):
        sums[status] += int(n)
    waiting = sums.pop("all", 0) - sums.total()
    return {status: n for status, n in {**sums, "queued": waiting}.items() if n}


def faults(picture: Picture, *, may_be_unknown: Collection[int] = (), resent: Collection[str] = ()) -> list[str]:
    """Return what is wrong with the end of a campaign, in words; nothing is.

    `may_be_unknown` are the messages that stood between the final dot and the recorded reply when something was cut
    off. `resent` are the addresses that a person let have one more copy.
    """
    accepted, everybody = picture.accepted, {row.address for row in picture.rows}
    doubtful = {row.address for row in picture.rows if row.id in may_be_unknown}
    return [
        text
        for text, wrong in {
            "the campaign has not ended": picture.status not in ("sent", "cancelled") or not picture.is_closed,
            "leases are unsettled": picture.unsettled,
            "messages are still open": picture.of(*OPEN),
            "readers without a message, or with two": picture.readers - len(picture.rows),
            "mailed, and not in the ledger": set(accepted) - everybody,
            "sent, says the ledger, and nobody accepted it": picture.of("sent") - set(accepted),
            "sent without an attempt": [row for row in picture.rows if row.status == "sent" and not row.is_attempted],
            "accepted, and the ledger does not know": set(accepted) & picture.of(*NEVER_ACCEPTED) - set(resent),
            "more copies than allowed": {a: n for a, n in accepted.items() if n > 1 + (a in resent)},
            "copies with different Message-IDs": various(picture.copies),
            "unknown without a cause": picture.of("unknown") - doubtful,
            "the tally does not equal the rows": picture.tally != picture.statuses,
        }.items()
        if wrong
        for text in [f"{text}: {shown(wrong)}"]
    ]


def various(copies: list[Copy]) -> set[str]:
    """Return the recipients whose copies differ in their Message-ID, or have none."""
    known: dict[str, str] = {}
    return {
        copy.recipient
        for copy in copies
        if not copy.message_id or known.setdefault(copy.recipient, copy.message_id) != copy.message_id
    }


def shown(wrong: object) -> str:
    """Return the first of what is wrong: ten thousand addresses say no more."""
    if isinstance(wrong, set | list) and len(wrong) > 10:
        return f"{len(wrong)}, such as {list(wrong)[:5]}"
    return str(wrong)
