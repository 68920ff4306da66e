"""A chunk of messages under a lease, and each of them as the SMTP client sees it (docs/ledger.md §4).

`begin` asks the guard and composes; `begin_dot` journals DOT and asks the guard again; exactly one of `settle` and
`returned` makes the outcome, or `postpone` before them. Everything here belongs to the thread of the worker's event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from delivery import outcomes
from delivery.compose import Recipient, Unsendable, date_header
from delivery.dispatch import Dispatcher, Letter
from delivery.journal import Journal, JournalBroken
from delivery.models import Message
from delivery.outcomes import Outcome
from delivery.pools import Pool
from delivery.renditions import Loaded
from delivery.smtp import Reply
from mailsales.ledger import Row
from mailsales.routes import Route

AHEAD = 3  # messages that are composed along with one
REACH = 100  # places of the claim among which they are looked for
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps


def clock() -> float:
    return time.clock_gettime(CLOCK)


@dataclass(slots=True)
class Guard:
    """What the last watch allows. No dot leaves without a watch that was asked less than 1.5 s ago."""

    go_until: float = 0.0
    stopped: set[int] = field(default_factory=set)  # campaigns
    barred: set[int] = field(default_factory=set)  # messages
    is_shut: bool = False

    def may_go(self, campaign_id: int, message_id: int) -> bool:
        return (
            clock() < self.go_until
            and not self.is_shut
            and message_id not in self.barred
            and campaign_id not in self.stopped
        )


class Dater:
    """The Date header and signing time, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._header = b""

    def now(self) -> tuple[bytes, int]:
        second = int(time.time())
        if second != self._second:
            self._second, self._header = second, date_header(second)
        return self._header, second


class Claim:
    """The messages of one lease. `report` takes each outcome."""

    def __init__(
        self,
        rows: list[Row],
        loaded: Loaded,
        dispatcher: Dispatcher,
        *,
        guard: Guard,
        journal: Journal,
        dater: Dater,
        report: Callable[[Outcome], None],
    ) -> None:
        self.lease_id: int = rows[0][1]
        self.loaded = loaded
        self.dispatcher = dispatcher
        self.guard = guard
        self.journal = journal
        self.dater = dater
        self.report = report
        mailed = [row for row in rows if not row[-1]]
        self.messages = [ClaimedMessage(self, row, place) for place, row in enumerate(mailed)]
        self.barred = [Outcome(row[0], self.lease_id, Message.Status.SUPPRESSED) for row in rows if row[-1]]
        self.waiting = {row[0] for row in mailed}  # without a dot

    def begin(self) -> None:
        """Hand the messages to the dispatcher, and report those that must not be mailed."""
        for outcome in self.barred:
            self.report(outcome)
        by_route: dict[Route, list[ClaimedMessage]] = {}
        for message in self.messages:
            by_route.setdefault(self.loaded.route_to(message.address), []).append(message)
        for route, messages in by_route.items():
            self.dispatcher.push(route, messages, self.loaded.plan)

    def address_of(self, message_id: int) -> str:
        """Return whom a message goes to, or nothing for one that must not be mailed."""
        return next((each.address for each in self.messages if each.message_id == message_id), "")

    def compose(self, first: ClaimedMessage) -> None:
        """Compose the message, and with it the next few that wait for the same pool.

        The same work several times in a row finds the processor's caches warm, which saves a tenth of the whole. Whether
        a message may go is asked again when it begins, and before its dot.
        """
        following = self.messages[first.place + 1 : first.place + REACH]
        others = (each for each in following if each.pool is first.pool and each.is_fresh)
        for message in (first, *islice(others, AHEAD)):
            message.compose()


class ClaimedMessage(Letter):
    """One message on its way."""

    __slots__ = (
        "_claim",
        "_expires_at",
        "_fault",
        "_recipient",
        "_tries",
        "address",
        "body",
        "mail_from",
        "place",
        "recipient",
    )

    def __init__(self, claim: Claim, row: Row, place: int) -> None:
        message_id, _lease, destination_id, tries, _due, expires_at, address, name, fields, _barred = row
        self._claim = claim
        self._tries: int = tries
        self._expires_at: datetime = expires_at
        self._recipient = Recipient(message_id, address, name, fields)
        self._fault: Unsendable | None = None
        self.body = b""
        self.place = place
        self.campaign_id: int = claim.loaded.campaign_id
        self.destination_id: int = destination_id
        self.address: str = address
        self.domain: str = address.rpartition("@")[2]
        self.pool: Pool | None = None

    @property
    def message_id(self) -> int:
        return self._recipient.message_id

    @property
    def is_fresh(self) -> bool:
        """Whether it waits, and nobody has tried to compose it."""
        return not self.body and self._fault is None and self._recipient.message_id in self._claim.waiting

    def compose(self) -> None:
        composer, date = self._claim.loaded.composer, self._claim.dater.now()
        try:
            self.mail_from, self.recipient, self.body = composer.compose(self._recipient, *date)
        except Unsendable as error:
            self._fault = error

    def begin(self) -> bool:
        claim = self._claim
        if not claim.guard.may_go(self.campaign_id, self._recipient.message_id):
            return False
        if self.is_fresh:
            claim.compose(self)
        return self._fault is None

    def begin_dot(self) -> bool:
        claim, message_id = self._claim, self._recipient.message_id
        try:
            claim.journal.dot(message_id, claim.lease_id)
            if not claim.guard.may_go(claim.loaded.campaign_id, message_id):
                claim.journal.annul(message_id, claim.lease_id)
                return False
        except JournalBroken:  # the worker ends itself when it records next
            claim.guard.is_shut = True
            return False
        claim.waiting.discard(message_id)
        return True

    def settle(self, reply: Reply) -> None:
        claim, message_id = self._claim, self._recipient.message_id
        claim.journal.reply(message_id, claim.lease_id, reply)
        if self.pool:
            self.pool.heard(reply)
        self._report(
            outcomes.replied(message_id, claim.lease_id, reply, tries=self._tries, expires_at=self._expires_at)
        )

    def returned(self) -> None:
        claim, message_id = self._claim, self._recipient.message_id
        if self._fault:
            reply = Reply(554, str(self._fault), "mail", "")
            self._report(Outcome(message_id, claim.lease_id, Message.Status.BOUNCED, self._fault.reason, reply=reply))
        elif message_id in claim.guard.barred:
            self._report(Outcome(message_id, claim.lease_id, Message.Status.SUPPRESSED))
        else:
            self._report(outcomes.given_back(message_id, claim.lease_id))

    def postpone(self, due_at: datetime) -> None:
        self._report(outcomes.given_back(self._recipient.message_id, self._claim.lease_id, due_at))

    def _report(self, outcome: Outcome) -> None:
        self.body = b""
        self._claim.waiting.discard(outcome.message_id)
        self._claim.report(outcome)
