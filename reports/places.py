"""Where a campaign's messages went: by mailbox provider, or by large domain of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.functional import Promise

from campaigns.models import Campaign, Destination
from mailsales import ledger
from mailsales.providers import Provider, provider_of
from reports.queries import SPAM, rows

COLUMNS = {"all": "total", "suppressed": "other", "cancelled": "other"}  # of Place, where not named as the status
OWN_NAMES, OWN_SHARE = 6, 0.02  # how many domains of no provider are shown by name, and from which share of all


@dataclass
class Place:
    """What became of the messages to one mailbox provider, or to one large domain of its own."""

    name: str | Promise
    total: int = 0
    sent: int = 0
    deferred: int = 0
    bounced: int = 0
    spam: int = 0
    unknown: int = 0
    other: int = 0
    opened: int = 0
    reply: str = ""
    destinations: set[int] = field(default_factory=set)

    @property
    def done(self) -> int:
        return self.sent + self.bounced + self.spam + self.unknown + self.other

    @property
    def to_come(self) -> int:
        return self.total - self.done


def places(campaign: Campaign, *, is_live: bool = False) -> list[Place]:
    """Return the figures by mailbox provider and large domain, the largest first and the rest last; while sending with a deferral's words."""
    tally = ledger.execute("progress", campaign=campaign.pk)
    names = _names({destination: int(n) for destination, status, n in tally if status == "all"})
    found = {name: Place(name.label if isinstance(name, Provider) else name) for name in set(names.values())}
    by_destination = {destination: found[name] for destination, name in names.items()}
    for destination, place in by_destination.items():
        place.destinations.add(destination)
    for destination, status, n in tally:
        if destination in by_destination:
            place, column = by_destination[destination], COLUMNS.get(status, str(status))
            setattr(place, column, getattr(place, column) + int(n))
    add = _add_replies if is_live else _add_details
    add(campaign, by_destination)
    return sorted(found.values(), key=lambda place: (place.name == Provider.OTHER.label, -place.total))


def _names(totals: dict[int, int]) -> dict[int, Provider | str]:
    """Return as what each destination is shown: as its provider, or by its own name if it is among the largest."""
    domains = dict(Destination.objects.filter(pk__in=totals).values_list("pk", "name"))
    providers = {pk: provider_of(name) for pk, name in domains.items()}
    others = [pk for pk, provider in providers.items() if provider == Provider.OTHER]
    large = sorted(others, key=lambda pk: -totals[pk])[:OWN_NAMES]
    is_told_apart = len(others) > 1 or len(set(providers.values())) == 1
    return {
        pk: domains[pk]
        if is_told_apart and pk in large and totals[pk] >= OWN_SHARE * sum(totals.values())
        else provider
        for pk, provider in providers.items()
    }


def _add_details(campaign: Campaign, by_destination: dict[int, Place]) -> None:
    spam = rows(
        """SELECT destination_id, count(*) FROM message
        WHERE campaign_id = %(c)s AND reason = ANY (%(spam)s) AND status = 'bounced' GROUP BY 1""",
        c=campaign.pk,
        spam=SPAM,
    )
    for destination, n in spam:
        place = by_destination[destination]
        place.spam += n
        place.bounced -= n
    opened = rows(
        """SELECT m.destination_id, count(*) FROM (SELECT DISTINCT message_id FROM open WHERE campaign_id = %(c)s AND machine = '') o
        JOIN message m ON m.id = o.message_id GROUP BY 1""",
        c=campaign.pk,
    )
    for destination, n in opened:
        by_destination[destination].opened += n


def _add_replies(campaign: Campaign, by_destination: dict[int, Place]) -> None:
    found = rows(
        """SELECT m.destination_id, a.code, a.text FROM message m JOIN attempt a ON a.message_id = m.id
        WHERE m.campaign_id = %(c)s AND m.reason IS NOT NULL AND m.status = 'deferred' ORDER BY m.id DESC LIMIT 200""",
        c=campaign.pk,
    )
    for destination, code, text in found:
        place = by_destination[destination]
        place.reply = place.reply or f"{code or ''} {text}".strip()
