"""What block lists say of the addresses and domains that send, asked once a day (RFC 5782).

A list that refuses to answer, or that is not to be trusted, has said nothing: that is no listing, and no acquittal.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.timezone import now

from accounts.models import BlocklistAnswer, Domain
from mailsales.dns.blocklists import Finding, look_up
from mailsales.dns.questions import Questions

EVERY = timedelta(hours=23)
SLICE = 50  # names at once
MOST_SECONDS = 120.0  # for all of them
KEPT = timedelta(days=7)  # what is asked no longer
STATES = {"listed": BlocklistAnswer.State.LISTED, "clear": BlocklistAnswer.State.CLEAN}


def check_due(at: datetime | None = None) -> int:
    """Ask about the names whose answers are a day old; return how many."""
    at = at or now()
    BlocklistAnswer.objects.filter(checked_at__lt=at - KEPT).delete()
    fresh = set(BlocklistAnswer.objects.filter(checked_at__gt=at - EVERY).values_list("name", flat=True))
    names = [name for name in dict.fromkeys([*settings.SENDING_ADDRESSES, *_domains()]) if name not in fresh][:SLICE]
    questions = Questions(settings.DNS_SERVERS)
    with questions.within(MOST_SECONDS):
        for asked, name in enumerate(names):
            if not questions.seconds_left:
                return asked
            _save(name, look_up(questions, name), at)
    return len(names)


# -- inside ------------------------------------------------------------------------------------


def _domains() -> list[str]:
    return list(Domain.objects.proven().order_by("pk").values_list("name", flat=True))


def _answer(name: str, finding: Finding, at: datetime) -> BlocklistAnswer:
    """Return the row. `text` is the list's own words, or a word of ours for what it means or why it says nothing."""
    state = STATES.get(finding.state, BlocklistAnswer.State.UNKNOWN)
    text = finding.reason or ", ".join(finding.meanings) or finding.refusal or ""
    if not text and state == BlocklistAnswer.State.UNKNOWN:
        text = finding.state
    return BlocklistAnswer(name=name, list=finding.blocklist.title, state=state, text=text[:300], checked_at=at)


def _save(name: str, found: list[Finding], at: datetime) -> None:
    """Save the answers; where name servers are in trouble, what a list said before stays."""
    known = set(BlocklistAnswer.objects.filter(name=name).values_list("list", flat=True))
    told = [one for one in found if one.state != "trouble" or one.blocklist.title not in known]
    BlocklistAnswer.objects.bulk_create(
        [_answer(name, one, at) for one in told],
        update_conflicts=True,
        unique_fields=["name", "list"],
        update_fields=["state", "text", "checked_at"],
    )
