"""Campaigns that receivers refuse because of the sender: paused before more harm is done.

Counted are refusals for reasons about the sender (`Reason.about`), by reply or by returned mail, and what waits because
the sender is on a block list: it waits for an end that this campaign only puts off. Greylisting and rate limits that are
deferred refuse nobody. Past `account.fault_percent` of those tried the campaign is paused, once: who resumes it
is not overruled before AGAIN more are refused. The audit trail remembers how many there were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db import connection, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from accounts.audit import note_of_system
from accounts.models import AuditEntry
from accounts.owners import tell_owners
from campaigns.models import Campaign
from delivery import throttles
from mailsales.reasons import About, Reason

LEAST_TRIED = 50
AGAIN = 50  # further refusals that overrule a person who resumed
ACTION = "campaign.pause"
WORDS_OF = 50  # refusals that are read for the words
LONGEST_WORDS = 200
ABOUT_US = [str(reason) for reason in Reason if reason.about is About.US]
BY_REPLY = [
    reason for reason in ABOUT_US if reason != Reason.RATE_LIMITED
]  # a reply for the rate defers, maybe very many
# Messages with a reason are few, and have an index of their own.
REFUSED = """
SELECT reason, sum(n)::int FROM (
  SELECT reason, count(*) AS n FROM message WHERE campaign_id = %(campaign)s AND reason = ANY (%(by_reply)s)
    AND (status = 'bounced' OR (status = 'deferred' AND reason = 'blocked')) GROUP BY 1
  UNION ALL
  SELECT reason, count(DISTINCT message_id) FROM bounce WHERE campaign_id = %(campaign)s AND reason = ANY (%(reasons)s) GROUP BY 1
) refused GROUP BY 1
"""
TRIED = """
SELECT campaign_id, sum(n)::int FROM tally WHERE campaign_id = ANY (%(campaigns)s) AND status IN ('sent', 'bounced', 'deferred', 'unknown')
GROUP BY 1 HAVING sum(n) >= %(least)s
"""
WORDS = """
(SELECT a.text FROM message m CROSS JOIN LATERAL (SELECT text FROM attempt WHERE message_id = m.id ORDER BY lease_id DESC LIMIT 1) a
  WHERE m.campaign_id = %(campaign)s AND m.reason = %(reason)s AND m.status IN ('bounced', 'deferred') AND a.text <> '' LIMIT %(most)s)
UNION ALL
(SELECT text FROM bounce WHERE campaign_id = %(campaign)s AND reason = %(reason)s AND text <> '' LIMIT %(most)s)
"""


@dataclass(frozen=True)
class Fault:
    """How many of those tried were refused because of the sender, most of them for `reason`, with a server's own words."""

    tried: int
    refused: int
    reason: Reason
    words: str

    @property
    def percent(self) -> int:
        return 100 * self.refused // self.tried


def pause_refused() -> int:
    """Pause the campaigns that too many receivers refuse because of the sender; return how many."""
    sending = {
        each.pk: each for each in Campaign.objects.filter(status=Campaign.Status.SENDING).select_related("account")
    }
    with connection.cursor() as cursor:
        cursor.execute(TRIED, {"campaigns": list(sending), "least": LEAST_TRIED})
        tried = dict(cursor.fetchall())
    paused = 0
    for pk, n in tried.items():
        fault = fault_of(sending[pk], n)
        paused += fault is not None and pause(sending[pk], fault)
    return paused


def fault_of(campaign: Campaign, tried: int) -> Fault | None:
    """Return what is wrong with a campaign of which so many were tried, or None."""
    with connection.cursor() as cursor:
        cursor.execute(REFUSED, {"campaign": campaign.pk, "reasons": ABOUT_US, "by_reply": BY_REPLY})
        counts = {Reason(reason): n for reason, n in cursor.fetchall()}
    refused = sum(counts.values())
    if not refused or 100 * refused < campaign.account.fault_percent * tried or refused < _refused_before(campaign):
        return None
    reason = max(counts, key=lambda each: counts[each])
    return Fault(tried, refused, reason, _words(campaign, reason))


def pause(campaign: Campaign, fault: Fault) -> bool:
    """Pause the campaign with the fault for its writers to read, and tell the owners; return False if it was stopped meanwhile."""
    account = campaign.account
    with transaction.atomic(), translation.override(account.language):
        if not campaign.pause():
            return False
        Campaign.objects.filter(pk=campaign.pk).update(fault=words_of(fault)[:500])
        counts = {"campaign": campaign.pk, "refused": fault.refused, "tried": fault.tried, "reason": fault.reason}
        note_of_system(account, ACTION, campaign.name, **counts)
        path = reverse("reports:campaign_report", args=[campaign.pk])
        tell_owners(account, "campaign_refused", path, campaign=campaign, fault=lazy(words_of, str)(fault))
    return True


def words_of(fault: Fault) -> str:
    """Return the fault in a few sentences of the language in force."""
    values = {"percent": fault.percent, "reason": Reason(fault.reason).label, "advice": str(fault.reason.advice)}
    said = _("%(percent)s%% of the recipients tried so far refuse this email: %(reason)s. %(advice)s") % values
    words = _("The server’s words: “%(words)s”") % {"words": fault.words}
    return f"{said} {words}" if fault.words else said


def _refused_before(campaign: Campaign) -> int:
    """Return how many must be refused before the campaign is paused, or paused again."""
    paused = AuditEntry.objects.of(campaign.account).filter(action=ACTION, details__campaign=campaign.pk, user=None)
    last = paused.order_by("-pk").first()
    return int(last.details["refused"]) + AGAIN if last else 0


def _words(campaign: Campaign, reason: Reason) -> str:
    """Return the words most often heard, without anybody's address."""
    with connection.cursor() as cursor:
        cursor.execute(WORDS, {"campaign": campaign.pk, "reason": reason, "most": WORDS_OF})
        heard = Counter(throttles.masked(text) for (text,) in cursor.fetchall())
    words = heard.most_common(1)[0][0] if heard else ""
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"
