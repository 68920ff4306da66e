"""The demo's campaign that was sent some days ago, each address answered as the sandbox answers it.

Every row is one that sending would have written; the tally is added up from the messages.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from campaigns.models import Campaign
from delivery import compose, renditions
from delivery.models import Fanout, Link, Message
from delivery.models import Rendition as Frozen
from delivery.sandbox import manners
from delivery.smtp import reply_text
from mailsales.management.demo.people import Person
from mailsales.management.demo.reactions import Story
from mailsales.management.demo.rows import copy
from mailsales.reasons import Reason

PER_SECOND = 45  # messages, when it was sent
GREYLISTED_FOR = timedelta(minutes=5)
REFUSALS = {
    "bounce": (Reason.USER_UNKNOWN, "rcpt", manners.NO_SUCH_USER),
    "full": (Reason.MAILBOX_FULL, "rcpt", manners.OVER_QUOTA),
    "block": (Reason.BLOCKED, "rcpt", manners.BLOCK_LISTED),
    "filter": (Reason.FILTERED, "dot", manners.DOCOMO_FILTER),
    "spamreject": (Reason.SPAM, "dot", manners.UNSOLICITED),
}
TRIES = """
UPDATE message m SET tries = a.tries, lease_id = a.lease_id
FROM (SELECT message_id, count(*) AS tries, max(lease_id) AS lease_id FROM attempt WHERE account_id = %(a)s GROUP BY 1) a WHERE m.id = a.message_id
"""
TALLY = """
WITH fresh AS (SELECT account_id, campaign_id, destination_id, status, count(*) AS n FROM message WHERE campaign_id = %(c)s GROUP BY 1, 2, 3, 4)
INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
SELECT account_id, campaign_id, destination_id, 'all', sum(n) FROM fresh GROUP BY 1, 2, 3
UNION ALL SELECT account_id, campaign_id, destination_id, status, n FROM fresh
"""


@dataclass(frozen=True)
class Reader:
    """A contact on the list."""

    contact_id: int
    destination_id: int
    person: Person


def send_in_the_past(campaign: Campaign, readers: list[Reader], start: datetime, chance: random.Random) -> None:
    """Make the draft a campaign that was sent to these readers at `start`, which must be days ago."""
    links = _freeze(campaign, readers, start)
    messages = _write_messages(campaign, readers, start)
    manner_of = {reader.contact_id: reader.person.manner for reader in readers}
    _write_attempts(messages, manner_of)
    story = Story(campaign, links, chance)
    for message in messages:
        story.tell(message, manner_of[message.contact_id or 0])
    story.write()
    with connection.cursor() as cursor:
        cursor.execute(TRIES, {"a": campaign.account_id})
        cursor.execute(TALLY, {"c": campaign.pk})
    Campaign.objects.filter(pk=campaign.pk).update(
        status=Campaign.Status.SENT,
        send_at=start,
        expires_at=start + timedelta(hours=72),
        closed_at=max(closed(message) for message in messages),
        created_at=start - timedelta(days=2),
        updated_at=start - timedelta(hours=1),
    )


def closed(message: Message) -> datetime:
    """Return when the message got its result."""
    assert message.closed_at
    return message.closed_at


def _freeze(campaign: Campaign, readers: list[Reader], start: datetime) -> int:
    """Freeze the content; return how many links it has."""
    own = {"campaign": campaign, "account": campaign.account}
    frozen = compose.freeze(renditions.content_of(campaign))
    links = compose.Rendition.load(frozen).links
    Frozen.objects.create(**own, content=frozen, frozen_at=start)
    Link.objects.bulk_create(Link(**own, number=link.number, url=link.url, label=link.label) for link in links)
    Fanout.objects.create(**own, after_id=max(reader.contact_id for reader in readers), done_at=start)
    return len(links)


def _write_messages(campaign: Campaign, readers: list[Reader], start: datetime) -> list[Message]:
    rows = []
    for place, reader in enumerate(readers):
        person = reader.person
        status, reason, closed_at = "sent", None, start + timedelta(seconds=2 + place / PER_SECOND)
        if person.manner in REFUSALS:
            status, reason = "bounced", str(REFUSALS[person.manner][0])
        elif person.manner == "drop":
            status, reason = "unknown", str(Reason.NO_REPLY)
        elif person.manner == "defer":
            closed_at += manners.DEFERRALS * GREYLISTED_FOR
        ids = (campaign.account_id, campaign.pk, reader.contact_id, reader.destination_id)
        rows.append((*ids, person.address, status, reason, closed_at))
    copy("message", "account_id campaign_id contact_id destination_id address status reason closed_at", rows)
    return list(
        Message.objects.filter(campaign=campaign).select_related("campaign__list", "destination").order_by("pk")
    )


def _write_attempts(messages: list[Message], manner_of: dict[int, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('lease', 'id')) FROM generate_series(0, %s)", [manners.DEFERRALS]
        )
        leases = [lease for (lease,) in cursor.fetchall()]
    columns = "account_id message_id lease_id at code command host text"
    copy("attempt", columns, (
        (message.account_id, message.pk, lease, at, code, command, f"mx.{message.destination.name}", text)
        for message in messages
        for lease, (at, code, command, text) in zip(leases, _tries(message, manner_of[message.contact_id or 0]), strict=False)
    ))  # fmt: skip


def _tries(message: Message, manner: str) -> Iterator[tuple[datetime, int, str, str]]:
    """Yield time, code, command and words of each transaction."""
    end = closed(message)
    if manner == "defer":
        for number in range(manners.DEFERRALS):
            yield end - (manners.DEFERRALS - number) * GREYLISTED_FOR, *_reply("rcpt", manners.GREYLISTED)
    if manner in REFUSALS:
        _reason, command, reply = REFUSALS[manner]
        yield end, *_reply(command, reply.format(recipient=message.address))
    elif manner == "drop":
        yield end, 0, "dot", ""
    else:
        yield end, *_reply("dot", f"250 2.0.0 Ok: queued as {message.pk:X}")


def _reply(command: str, reply: str) -> tuple[int, str, str]:
    return int(reply[:3]), command, reply_text([line[4:].encode() for line in reply.split("\r\n")])
