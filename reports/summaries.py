"""Figures as pages show them: parts of bars with their meaning, tiles, lanes, advice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import formats, timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from campaigns.models import Campaign
from mailsales.badges import Badge
from mailsales.reasons import About
from reports import charts, queries
from reports.charts import Chart, Part, percent
from reports.places import Place

NEXT_TIME = {
    About.ADDRESS: Badge(gettext_lazy("Not sent next time"), "mail-x", "bad"),
    About.MAILBOX: Badge(gettext_lazy("Sent next time"), "refresh-cw"),
    About.MOMENT: Badge(gettext_lazy("Sent next time"), "refresh-cw"),
    About.US: Badge(gettext_lazy("Our problem"), "wrench", "warn"),
}


@dataclass(frozen=True)
class Fact:
    name: str | Promise
    value: str
    is_code: bool = False


@dataclass(frozen=True)
class Tile:
    icon: str
    name: str
    value: str
    unit: str
    count: str
    meaning: str


def count_of(number: int) -> str:
    return number_format(number, force_grouping=True)


def date_and_time(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), pgettext("date format", "D j M, H:i"))


# -- one campaign ------------------------------------------------------------------------------


def ledger(counts: queries.Counts) -> list[Part]:
    """Return where everything went; what did not happen at all is left out, save for the five that are always asked for."""
    late = _("Accepted by the receiving servers.")
    if counts.late:
        late = _("Accepted by the receiving servers. %(count)s of them came back with an error later.")
        late %= {"count": count_of(counts.late)}
    deferred = _("To be tried again by itself.") if counts.deferred else _("All of them are settled.")
    unknown: Any = (
        "unknown",
        _("Unknown"),
        counts.unknown,
        _("The connection broke after handing over, before the reply."),
    )
    if counts.unknown:
        see = ngettext("See %(count)s person and decide", "See %(count)s people and decide", counts.unknown)
        unknown = (*unknown, see % {"count": count_of(counts.unknown)}, "?result=unknown#recipient-table")
    parts: list[Any] = [
        ("sent", _("Sent"), counts.sent, late),
        ("deferred", _("Deferred"), counts.deferred, deferred),
        ("bounced", _("Bounced"), counts.bounced, _("Refused: no such address, mailbox full and the like.")),
        ("spam", _("Refused as spam"), counts.spam, _("Refused for the content or the sender’s reputation.")),
        unknown,
    ]
    if counts.waiting:
        parts.append(("rest", _("To come"), counts.waiting, _("Not sent yet.")))
    if counts.suppressed or counts.cancelled:
        words = _("Unsubscribed or suppressed in the meantime, or cancelled.")
        parts.append(("rest", _("Left out"), counts.suppressed + counts.cancelled, words))
    return charts.bar(*parts)


def reaction_parts(counts: queries.Counts, found: queries.Reactions) -> list[dict[str, Any]]:
    """Return opens and clicks: people, machines alone, nobody."""
    shown = (
        (_("Opens"), "opened", found.opened, found.opened_by_machine, _("Not opened")),
        (_("Clicks"), "clicked", found.clicked, found.clicked_by_machine, _("Not clicked")),
    )
    return [
        {
            "name": name,
            "share": percent(people, counts.sent),
            "count": people,
            "parts": charts.bar(
                (tone, _("People"), people, ""),
                ("machine", _("Machines"), machines, ""),
                ("rest", nobody, max(counts.sent - people - machines, 0), ""),
            ),
        }
        for name, tone, people, machines, nobody in shown
    ]


def hours_chart(campaign: Campaign, found: queries.Hours) -> Chart:
    start = timezone.localtime(campaign.send_at) if campaign.send_at else timezone.localtime()
    names = [f"{start + timedelta(hours=hour):%H:%M}" for hour in range(queries.HOURS + 1)]
    series = [("opened", _("Opens"), found.opens), ("clicked", _("Clicks"), found.clicks)]
    columns = [_("Time"), _("Opens"), _("Clicks")]
    return charts.lines(
        _("Opens and clicks by hour"),
        [names[0], names[6], names[12], names[18], names[24]],
        series,
        [*columns],
        names[:24],
    )


def reason_rows(failures: list[queries.Failure]) -> list[dict[str, Any]]:
    """Return why mails did not arrive, with what follows from it."""
    most = max((failure.count for failure in failures), default=1)
    return [
        {
            "name": failure.reason.label,
            "count": failure.count,
            "state": NEXT_TIME[failure.reason.about],
            "advice": failure.reason.advice,
            "tone": "spam" if failure.reason.is_spam else "bounced",
            "width": round(100 * failure.count / most, 1),
            "replies": [{"count": n, "text": text} for n, text in failure.replies],
        }
        for failure in failures
    ]


def link_rows(found: list[queries.LinkCount]) -> list[dict[str, Any]]:
    most = max((link.people for link in found), default=0) or 1
    return [
        {
            "text": link.label or link.url,
            "url": link.url,
            "people": link.people,
            "clicks": link.clicks,
            "machine": link.machine,
            "width": round(100 * link.people / most, 1),
        }
        for link in found
    ]


def provider_rows(places: list[Place]) -> list[dict[str, Any]]:
    """Return the figures by provider; the full width of a bar stands for the worst of them."""
    worst = max((_failed(place) / place.total for place in places if place.total), default=0.0)
    found = []
    for place in places:
        room = max(round(place.total * worst) - _failed(place), 0)
        parts = charts.bar(
            ("bounced", _("Bounced"), place.bounced, ""),
            ("spam", pgettext("column", "Spam"), place.spam, ""),
            ("unknown", pgettext("column", "Unknown"), place.unknown, ""),
            ("rest", "", room, ""),
        )[:3]
        found.append(
            {
                "name": place.name,
                "total": place.total,
                "failed_share": percent(_failed(place), place.total),
                "bounced": place.bounced,
                "spam": place.spam,
                "unknown": place.unknown,
                "opened_share": percent(place.opened, place.sent) if place.sent else "–",
                "parts": parts,
            }
        )
    return found


def _failed(place: Place) -> int:
    return place.bounced + place.spam + place.unknown


# -- while it is sent --------------------------------------------------------------------------


def progress(
    campaign: Campaign, counts: queries.Counts, in_flight: int, *, is_held_back: bool = False
) -> dict[str, Any]:
    """Return how far it is, how fast, and when it may be done, unless something is held back."""
    seconds = max((_until(campaign) - _since(campaign)).total_seconds(), 1.0)
    speed = counts.done / seconds
    facts = []
    if counts.waiting:  # later on it would only tell how long the deferred ones wait
        words = _("%(count)s emails a second") % {"count": number_format(round(speed, 1), force_grouping=True)}
        facts.append(Fact(_("Average speed"), words))
    facts += [
        Fact(_("Running for"), duration(seconds)),
        Fact(
            _("In the hands of the workers"),
            ngettext("%(count)s email", "%(count)s emails", in_flight) % {"count": count_of(in_flight)},
        ),
    ]
    if is_held_back and counts.waiting:
        facts.append(Fact(_("Expected finish"), _("When what is held back goes on")))
    elif campaign.status == Campaign.Status.SENDING and speed and counts.waiting:
        facts.append(Fact(_("Expected finish"), _("In about %(time)s") % {"time": duration(counts.waiting / speed)}))
    elif counts.deferred and not counts.waiting:
        facts.append(Fact(_("Expected finish"), _("When the deferred ones are settled")))
    return {"share": percent(counts.done, counts.total), "done": counts.done, "facts": facts}


def _since(campaign: Campaign) -> datetime:
    """Return when sending began, moved by the pauses since then: its latest end moves with them."""
    began = campaign.send_at or timezone.now()
    if campaign.expires_at:
        began = max(began, campaign.expires_at - timedelta(hours=campaign.expiry_hours))
    return began


def _until(campaign: Campaign) -> datetime:
    return campaign.paused_at or timezone.now()


def duration(seconds: float) -> str:
    """Return a span of time in words."""
    whole = round(seconds)
    if whole < 60:
        return ngettext("%(count)s second", "%(count)s seconds", whole) % {"count": whole}
    if whole < 7_200:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": whole // 60, "seconds": whole % 60}
    return _("%(hours)s h %(minutes)s min") % {"hours": whole // 3_600, "minutes": whole % 3_600 // 60}


# -- home --------------------------------------------------------------------------------------


def tiles(month: queries.Month) -> list[Tile]:
    """Return the four numbers of the last thirty days with what they mean."""
    campaigns = ngettext("%(count)s campaign", "%(count)s campaigns", month.campaigns) % {
        "count": count_of(month.campaigns)
    }
    return [
        Tile(
            "send",
            _("Emails sent"),
            count_of(month.sent),
            _("emails"),
            campaigns,
            _("Emails that the receiving servers accepted."),
        ),
        _rate("circle-x", _("Bounced"), month.bounced, month.total, _("Above 2%, the large providers become strict.")),
        _rate(
            "shield-x",
            _("Refused as spam"),
            month.spam,
            month.total,
            _("Refused for the content or the sender’s reputation."),
        ),
        Tile(
            "mail-open",
            _("Opened (people)"),
            percent(month.opened, month.sent).rstrip("%"),
            "%",
            ngettext("%(count)s email", "%(count)s emails", month.opened) % {"count": count_of(month.opened)},
            _("Automatic opens by machines are not counted."),
        ),
    ]


def _rate(icon: str, name: str, count: int, total: int, meaning: str) -> Tile:
    emails = ngettext("%(count)s email", "%(count)s emails", count) % {"count": count_of(count)}
    return Tile(icon, name, percent(count, total).rstrip("%"), "%", emails, meaning)
