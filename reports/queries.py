"""What happened to a campaign: one function per question, one query each (docs/ledger.md §8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import Account
from campaigns.models import Campaign
from mailsales import ledger
from mailsales.reasons import OPEN_QUESTIONS, REFUSED_AS_SPAM, Reason

SPAM = [str(reason) for reason in REFUSED_AS_SPAM]
NO_ADDRESS = r"<?[^\s<>@]+@[^\s<>@]+>?"  # each refusal names its recipient: without, they are the same words
HOURS = 24
REPLIES = 5  # kinds of a server's words shown for a reason


@dataclass(frozen=True)
class Counts:
    """How many messages stand where. They add up to `total`; `late` ones were sent and came back afterwards."""

    total: int = 0
    sent: int = 0
    deferred: int = 0
    bounced: int = 0
    spam: int = 0
    unknown: int = 0
    suppressed: int = 0
    cancelled: int = 0
    late: int = 0

    @property
    def waiting(self) -> int:
        return self.total - self.done - self.deferred

    @property
    def done(self) -> int:
        return self.sent + self.bounced + self.spam + self.unknown + self.suppressed + self.cancelled


@dataclass(frozen=True)
class Unknown:
    """How many messages, by the reason why nobody knows whether they arrived, and when the last was given up; None without any."""

    reasons: dict[Reason, int]
    seen_at: datetime | None

    @property
    def count(self) -> int:
        return sum(self.reasons.values())


@dataclass(frozen=True)
class Reactions:
    """People who opened and clicked, and messages that machines alone did; people who left and who complained."""

    opened: int
    opened_by_machine: int
    clicked: int
    clicked_by_machine: int
    left: int
    reports: int


@dataclass
class Failure:
    """A reason why messages did not arrive, with the servers' own words."""

    reason: Reason
    count: int = 0
    replies: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class LinkCount:
    number: int
    url: str
    label: str
    people: int
    clicks: int
    machine: int


@dataclass(frozen=True)
class Hours:
    """People who opened and clicked in each of the 24 hours after the start."""

    opens: list[int]
    clicks: list[int]


def rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def counts(campaign: Campaign) -> Counts:
    """Return where the campaign's messages stand."""
    tally: dict[str, int] = defaultdict(int)
    for _destination, status, n in ledger.execute("progress", campaign=campaign.pk):
        tally[status] += int(n)
    ((spam,),) = rows(
        "SELECT count(*) FROM message WHERE campaign_id = %(campaign)s AND reason = ANY (%(spam)s) AND status = 'bounced'",
        campaign=campaign.pk,
        spam=SPAM,
    )
    spam = min(spam, tally["bounced"])  # a moment lies between the two answers
    ((late,),) = rows("SELECT count(DISTINCT message_id) FROM bounce WHERE campaign_id = %(c)s", c=campaign.pk)
    return Counts(
        tally["all"],
        tally["sent"],
        tally["deferred"],
        tally["bounced"] - spam,
        spam,
        tally["unknown"],
        tally["suppressed"],
        tally["cancelled"],
        late,
    )


def unknown(campaign: Campaign) -> Unknown:
    """Return what a person may decide to send again."""
    found = rows(
        """SELECT reason, count(*), max(closed_at) FROM message
        WHERE campaign_id = %(c)s AND reason = ANY (%(reasons)s) AND status = 'unknown' GROUP BY 1 ORDER BY 2 DESC""",
        c=campaign.pk,
        reasons=[str(reason) for reason in OPEN_QUESTIONS],
    )
    return Unknown(
        {Reason(reason): n for reason, n, _at in found}, max((at for _reason, _n, at in found), default=None)
    )


@dataclass(frozen=True)
class Outcome:
    """A campaign in one line of a list: how many messages it has, and how many were refused for good."""

    total: int = 0
    failed: int = 0


def outcomes(campaigns: Iterable[Campaign]) -> dict[int, Outcome]:
    """Return the outcome of each campaign that has messages, by its primary key."""
    found = rows(
        """SELECT campaign_id, coalesce(sum(n) FILTER (WHERE status = 'all'), 0),
        coalesce(sum(n) FILTER (WHERE status = 'bounced'), 0) FROM tally WHERE campaign_id = ANY (%(ids)s) GROUP BY 1""",
        ids=[campaign.pk for campaign in campaigns],
    )
    return {pk: Outcome(int(total), int(failed)) for pk, total, failed in found}


def in_flight(campaign: Campaign) -> int:
    """Return how many messages are in the hands of a worker now."""
    ((n,),) = ledger.execute("in_flight", campaign=campaign.pk)
    return int(n or 0)


def reactions(campaign: Campaign) -> Reactions:
    left, reports = rows(
        """SELECT (SELECT count(*) FROM unsubscribe WHERE campaign_id = %(c)s),
        (SELECT count(*) FROM complaint WHERE campaign_id = %(c)s)""",
        c=campaign.pk,
    )[0]
    return Reactions(*_people_and_machines("open", campaign), *_people_and_machines("click", campaign), left, reports)


def _people_and_machines(table: str, campaign: Campaign) -> tuple[int, int]:
    """Return how many messages a person reacted to, and how many only machines did."""
    found = rows(
        f"""SELECT count(*) FILTER (WHERE is_human), count(*) FILTER (WHERE NOT is_human) FROM
        (SELECT bool_or(machine = '') AS is_human FROM {table} WHERE campaign_id = %(c)s GROUP BY message_id) m""",  # noqa: S608 -- our own names
        c=campaign.pk,
    )
    people, machines = found[0]
    return people, machines


def hours(campaign: Campaign) -> Hours:
    def of(table: str) -> list[int]:
        found = dict(
            rows(
                f"""SELECT floor(extract(epoch FROM at - %(start)s::timestamptz) / 3600)::int, count(DISTINCT message_id) FROM {table}
                WHERE campaign_id = %(c)s AND machine = '' AND at >= %(start)s
                  AND at < %(start)s::timestamptz + interval '24 hours' GROUP BY 1""",  # noqa: S608 -- two names of our own
                c=campaign.pk,
                start=campaign.send_at,
            )
        )
        return [found.get(hour, 0) for hour in range(HOURS)]

    return Hours(of("open"), of("click"))


def failures(campaign: Campaign) -> list[Failure]:
    """Return the reasons of refusals and of mail that came back later, the most frequent first."""
    found = rows(
        """SELECT reason, code, words, sum(n)::int FROM (
          SELECT m.reason, a.code, regexp_replace(a.text, %(address)s, '…', 'g') AS words, count(*) AS n
          FROM message m LEFT JOIN LATERAL (SELECT code, text FROM attempt WHERE message_id = m.id ORDER BY lease_id DESC LIMIT 1) a ON true
          WHERE m.campaign_id = %(c)s AND m.reason IS NOT NULL AND m.status = 'bounced' GROUP BY 1, 2, 3
          UNION ALL
          SELECT reason, code, regexp_replace(text, %(address)s, '…', 'g'), count(*) FROM bounce WHERE campaign_id = %(c)s GROUP BY 1, 2, 3
        ) f GROUP BY 1, 2, 3 ORDER BY 4 DESC""",
        c=campaign.pk,
        address=NO_ADDRESS,
    )
    by_reason: dict[str, Failure] = {}
    for reason, code, words, n in found:
        failure = by_reason.setdefault(reason, Failure(Reason(reason)))
        failure.count += n
        if words and len(failure.replies) < REPLIES:
            failure.replies.append((n, f"{code} {words}" if code else words))
    return sorted(by_reason.values(), key=lambda failure: -failure.count)


def links(campaign: Campaign) -> list[LinkCount]:
    """Return every link with its clicks, the most followed first."""
    found = rows(
        """SELECT l.number, l.url, l.label, coalesce(k.people, 0), coalesce(k.clicks, 0), coalesce(k.machine, 0) FROM link l LEFT JOIN (
          SELECT number, count(DISTINCT message_id) FILTER (WHERE machine = '') AS people, count(*) FILTER (WHERE machine = '') AS clicks,
            count(*) FILTER (WHERE machine <> '') AS machine FROM click WHERE campaign_id = %(c)s GROUP BY number
        ) k ON k.number = l.number WHERE l.campaign_id = %(c)s ORDER BY 4 DESC, l.number""",
        c=campaign.pk,
    )
    return [LinkCount(*row) for row in found]


@dataclass(frozen=True)
class Month:
    """What an account sent in the last thirty days."""

    campaigns: int
    sent: int
    bounced: int
    spam: int
    opened: int
    total: int


def last_days(account: Account, since: datetime) -> Month:
    found = rows(
        """WITH recent AS (
          SELECT id FROM campaign WHERE account_id = %(a)s AND send_at >= %(since)s AND status IN ('sending', 'paused', 'held', 'sent', 'cancelled')
        ), sums AS (
          SELECT status, sum(n)::bigint AS n FROM tally WHERE campaign_id IN (SELECT id FROM recent) GROUP BY 1
        )
        SELECT (SELECT count(*) FROM recent), coalesce((SELECT n FROM sums WHERE status = 'sent'), 0), coalesce((SELECT n FROM sums WHERE status = 'bounced'), 0),
          (SELECT count(*) FROM message WHERE campaign_id IN (SELECT id FROM recent) AND reason = ANY (%(spam)s) AND status = 'bounced'),
          (SELECT count(DISTINCT message_id) FROM open WHERE campaign_id IN (SELECT id FROM recent) AND machine = ''),
          coalesce((SELECT n FROM sums WHERE status = 'all'), 0)""",
        a=account.pk,
        since=since,
        spam=SPAM,
    )
    campaigns, sent, bounced, spam, opened, total = found[0]
    return Month(campaigns, int(sent), int(bounced) - spam, spam, opened, int(total))
