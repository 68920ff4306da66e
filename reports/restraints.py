"""What holds back a campaign's mail at the moment: servers that asked for a pause, an operator, warming up; in words."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil

from django.conf import settings
from django.db.models import F
from django.utils.formats import number_format
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Domain
from campaigns.models import Campaign
from delivery import shaping
from delivery.models import Throttle, WarmupDay
from delivery.routes import route_of
from delivery.throttles import masked
from delivery.warmup import plan_of
from mailsales.providers import Provider, provider_of
from mailsales.reasons import Reason
from mailsales.routes import RouteKind
from reports.queries import rows

WAITING = """
SELECT g."group", g.site, d.id, d.name, w.n FROM (
  SELECT destination_id, sum(CASE status WHEN 'all' THEN n WHEN 'deferred' THEN 0 ELSE -n END)::bigint AS n
  FROM tally WHERE campaign_id = %(campaign)s GROUP BY 1
) w JOIN destination d ON d.id = w.destination_id LEFT JOIN destination_group g ON g.destination_id = w.destination_id
WHERE w.n > 0 AND (%(scopes)s::text[] IS NULL OR g."group" = ANY (%(scopes)s) OR g.site = ANY (%(scopes)s))
"""


@dataclass(frozen=True)
class Words:
    """What a page says of a restraint, and the server's own words without any recipient's name."""

    text: str
    reply: str = ""


@dataclass
class Restraint:
    """What holds back messages of a campaign: how many wait behind it, by the id of their destination.

    `names` are those of the destinations. Both are empty where everything waits, since there is only one way to go.
    `label` is the provider's, or empty. What is not suspended goes slowly.
    """

    words: Words
    is_suspended: bool = True
    label: str = ""
    waiting: dict[int, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.waiting.values())

    @property
    def name(self) -> str:
        """Return the provider, or else the destination with most to come and how many there are beside it."""
        if self.label:
            return self.label
        largest = self.names[max(self.waiting, key=lambda pk: self.waiting[pk])]
        more = len(self.waiting) - 1
        text = ngettext("%(name)s and %(count)s more", "%(name)s and %(count)s more", more)
        return text % {"name": largest, "count": more} if more else largest

    def add(self, destination: int, name: str, count: int) -> None:
        self.waiting[destination], self.names[destination] = count, name

    def within(self, destinations: Set[int]) -> Restraint | None:
        """Return the part that concerns these destinations, if any."""
        waiting = {pk: n for pk, n in self.waiting.items() if pk in destinations}
        return replace(self, waiting=waiting, names={pk: self.names[pk] for pk in waiting}) if waiting else None


def restraints(campaign: Campaign) -> list[Restraint]:
    """Return what holds back messages of the campaign that wait while it sends, what lasts longest first."""
    if campaign.status != Campaign.Status.SENDING:
        return []
    return [*_of_warming_up(campaign), *_of_throttles(campaign)]


def _of_throttles(campaign: Campaign) -> list[Restraint]:
    try:
        route = route_of(campaign.account, campaign.sender.domain if campaign.sender else None)
    except ValueError:  # the page says so elsewhere
        return []
    active = Throttle.objects.active().filter(route=route.name).order_by("-until")
    found = {each.scope: Restraint(words_of(each), each.is_suspended, _label(each.scope)) for each in active}
    if route.kind is not RouteKind.MX:
        return list(found.values())
    if found:
        for group, site, pk, name, n in rows(WAITING, campaign=campaign.pk, scopes=list(found)):
            for scope in {group, site} & found.keys():
                found[scope].add(pk, name, n)
    return [restraint for restraint in found.values() if restraint.waiting]


def _label(scope: str) -> str:
    """Return the name of a provider's group, or nothing for a set of mail servers."""
    return "" if "." in scope else shaping.load(settings.SHAPING_FILE).label(scope)


def _of_warming_up(campaign: Campaign) -> list[Restraint]:
    """Return what waits for another day, since the campaign's domain sent enough to a provider today."""
    domain = campaign.sender.domain if campaign.sender else None
    plan = plan_of(domain) if domain else None
    if domain is None or plan is None:
        return []
    used_up = WarmupDay.objects.filter(domain=domain, on=plan.today(), used__gte=F("cap"))
    found = {
        Provider(day.provider): Restraint(_words_of_day(domain, day), label=str(Provider(day.provider).label))
        for day in used_up
    }
    if found:
        for _group, _site, pk, name, n in rows(WAITING, campaign=campaign.pk, scopes=None):
            if restraint := found.get(provider_of(name)):
                restraint.add(pk, name, n)
    return [restraint for restraint in found.values() if restraint.waiting]


# -- in words ----------------------------------------------------------------------------------


def _words_of_day(domain: Domain, day: WarmupDay) -> Words:
    text = ngettext(
        "%(domain)s is warming up: the %(count)s email that may go there today is sent. The rest goes tomorrow.",
        "%(domain)s is warming up: the %(count)s emails that may go there today are sent. The rest goes tomorrow.",
        day.cap,
    )
    return Words(text % {"domain": domain.name, "count": number_format(day.cap, force_grouping=True)})


def words_of(throttle: Throttle) -> Words:
    """Return what the throttle means for whoever waits: until when, how much still goes, and why."""
    reply = f"{throttle.code or ''} {masked(throttle.text)}".strip()
    span = {"time": span_until(throttle.until)}
    if throttle.made_by == Throttle.Maker.PERSON:
        if not throttle.text:
            return Words(_("An operator stopped sending there. It goes on in %(time)s.") % span)
        text = _("An operator stopped sending there (%(text)s). It goes on in %(time)s.")
        return Words(text % {**span, "text": masked(throttle.text)})
    if throttle.made_by == Throttle.Maker.FAILURE:
        return Words(_("The server cannot be reached. The next attempt is in %(time)s.") % span, reply)
    if not throttle.is_suspended:
        text = _("Slowed down to %(rate)s for another %(time)s. The server replied:")
        return Words(text % {**span, "rate": rate_of(throttle)}, reply)
    if throttle.reason == Reason.RATE_LIMITED:
        return Words(_("Goes on in %(time)s. The server limits how much it takes:") % span, reply)
    text = _("Goes on in %(time)s. The server’s reply (%(reason)s):")
    return Words(text % {**span, "reason": Reason(throttle.reason).label}, reply)


def rate_of(throttle: Throttle) -> str:
    """Return how much still goes, by the second where that is a whole email at least."""
    if throttle.rate >= 1:
        count = round(throttle.rate)
        return ngettext("%(count)s email a second", "%(count)s emails a second", count) % {"count": count}
    count = max(round(throttle.rate * 60), 1)
    return ngettext("%(count)s email a minute", "%(count)s emails a minute", count) % {"count": count}


def span_until(moment: datetime) -> str:
    """Return how long it is until then, rounded up: in minutes, from two hours on in hours."""
    minutes = max(ceil((moment - now()).total_seconds() / 60), 1)
    if minutes < 120:
        return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
    hours = ceil(minutes / 60)
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": hours}
