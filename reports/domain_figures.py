"""What was sent from a domain and what came of it, in figures for its score card.

They are quick at a million messages because they never read those: what was sent is added up from the tally, which has
a row for each campaign, destination and status and an index by campaign; refusals are the few messages with a reason
(index `message_reason`); later bounces and complaints are found by campaign. A campaign counts on the day it starts, for
the domain that its sender has now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from accounts.domains.findings import finding_about
from accounts.models import Account, Domain
from mailsales.providers import DOMAINS, Provider
from mailsales.reasons import HARD
from reports.queries import rows

DAYS = 30
SENT = """
WITH started AS (
  SELECT c.id, (c.send_at AT TIME ZONE %(zone)s)::date AS day, s.domain_id = %(domain)s AS is_own
  FROM campaign c JOIN sender s ON s.id = c.sender_id
  WHERE c.account_id = %(account)s AND s.domain_id = ANY (%(domains)s) AND c.send_at >= %(since)s AND c.send_at <= now()
), gmail AS MATERIALIZED (SELECT array_agg(id) AS ids FROM destination WHERE name = ANY (%(gmail)s)),
microsoft AS MATERIALIZED (SELECT array_agg(id) AS ids FROM destination WHERE name = ANY (%(microsoft)s))
SELECT started.day,
  coalesce(sum(t.n) FILTER (WHERE is_own AND t.status = 'sent'), 0),
  coalesce(sum(t.n) FILTER (WHERE is_own AND t.status = 'bounced'), 0),
  coalesce(sum(t.n) FILTER (WHERE t.status = 'sent' AND t.destination_id = ANY ((SELECT ids FROM gmail)::int[])), 0),
  coalesce(sum(t.n) FILTER (WHERE t.status = 'sent' AND t.destination_id = ANY ((SELECT ids FROM microsoft)::int[])), 0)
FROM started JOIN tally t ON t.campaign_id = started.id GROUP BY 1
"""
OWN = """
SELECT c.id FROM campaign c JOIN sender s ON s.id = c.sender_id
WHERE c.account_id = %(account)s AND s.domain_id = %(domain)s AND c.send_at >= %(since)s AND c.send_at <= now()
"""
HARD_IN_SESSION = (
    "SELECT count(*) FROM message WHERE campaign_id = ANY (%(own)s) AND reason = ANY (%(hard)s) AND status = 'bounced'"
)
HARD_LATER = """
SELECT count(DISTINCT message_id) FROM bounce WHERE campaign_id = ANY (%(own)s) AND at >= %(since)s AND is_hard
"""
COMPLAINTS = "SELECT count(DISTINCT message_id) FROM complaint WHERE campaign_id = ANY (%(own)s)"
TLS = (
    "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE result = ''), 0) FROM tls_result WHERE \"on\" >= %(on)s"
)


@dataclass(frozen=True)
class Figures:
    """Counts of the last 30 days. `gmail` and `microsoft` are the most on one day, of the whole organizational domain.

    `sessions` are the connections of the whole installation to servers of others, `encrypted` those with TLS.
    """

    sent: int = 0
    refused: int = 0
    hard: int = 0
    complaints: int = 0
    gmail: int = 0
    microsoft: int = 0
    sessions: int = 0
    encrypted: int = 0

    @property
    def tried(self) -> int:
        """Return how many had a final answer of the next hop."""
        return self.sent + self.refused


def figures_of(account: Account, domain: Domain) -> Figures:
    """Return the figures of the account's domain."""
    since = now() - timedelta(days=DAYS)
    asked = {"account": account.pk, "domain": domain.pk, "since": since}
    days = rows(
        SENT,
        **asked,
        zone=account.time_zone,
        domains=[one.pk for one in _same_organization(account, domain)],
        gmail=list(DOMAINS[Provider.GMAIL]),
        microsoft=list(DOMAINS[Provider.MICROSOFT]),
    )
    own = [pk for (pk,) in rows(OWN, **asked)]
    ((in_session,),) = rows(HARD_IN_SESSION, own=own, hard=[str(reason) for reason in HARD])
    ((later,),) = rows(HARD_LATER, own=own, since=since)
    ((complaints,),) = rows(COMPLAINTS, own=own)
    ((sessions, encrypted),) = rows(TLS, on=since.date())
    sent, refused = (sum(int(day[place]) for day in days) for place in (1, 2))
    gmail, microsoft = (max((int(day[place]) for day in days), default=0) for place in (3, 4))
    return Figures(sent, refused, in_session + later, complaints, gmail, microsoft, int(sessions), int(encrypted))


def organization_of(domain: Domain) -> str:
    """Return the organizational domain, by which Gmail counts: the zone in DNS, as the last check found it."""
    found = finding_about(domain, "zone")
    return str(found.values.get("zone", "")) if found and found.values.get("zone") else domain.name


def _same_organization(account: Account, domain: Domain) -> list[Domain]:
    organization = organization_of(domain)
    return [one for one in Domain.objects.of(account) if one.pk == domain.pk or organization_of(one) == organization]
