"""The people of a campaign: who got it, what they did, and the story of one mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import formats, timezone
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from accounts.models import Account
from campaigns.models import Campaign, Contact
from delivery.models import Attempt, Bounce, Click, Complaint, Link, Message, Open, Unsubscribe
from mailsales.badges import Badge
from mailsales.reasons import Reason
from reports.queries import SPAM, Counts, Reactions

Status = Message.Status
RESULTS: dict[str, str | Promise] = {
    "": gettext_lazy("All"),
    "deferred": gettext_lazy("Deferred"),
    "bounced": gettext_lazy("Bounced"),
    "spam": pgettext_lazy("short", "Refused as spam"),
    "unknown": gettext_lazy("Unknown"),
    "opened": gettext_lazy("Opened by a person"),
    "clicked": gettext_lazy("Clicked"),
}


def messages_of(campaign: Campaign, result: str = "", q: str = "") -> QuerySet[Message]:
    """Return the campaign's messages with this result (a key of RESULTS) whose address or name holds `q`."""
    found: QuerySet[Message] = Message.objects.of(campaign.account).filter(campaign=campaign).select_related("contact")
    if q:
        found = found.filter(Q(address__icontains=q) | Q(contact__name__icontains=q))
    if result in ("deferred", "unknown"):
        return found.filter(status=result)
    if result == "bounced":
        return found.filter(status=Status.BOUNCED).exclude(reason__in=SPAM)
    if result == "spam":
        return found.filter(status=Status.BOUNCED, reason__in=SPAM)
    if result in ("opened", "clicked"):
        events = (Open if result == "opened" else Click).objects.of(campaign.account)
        return found.filter(pk__in=events.by_people().filter(campaign_id=campaign.pk).values("message_id"))
    return found


def counts_by_result(counts: Counts, found: Reactions) -> dict[str, int]:
    return {
        "": counts.total,
        "deferred": counts.deferred,
        "bounced": counts.bounced,
        "spam": counts.spam,
        "unknown": counts.unknown,
        "opened": found.opened,
        "clicked": found.clicked,
    }


@dataclass(frozen=True)
class Recipient:
    """A row of the list of recipients."""

    pk: int
    name: str
    address: str
    state: Badge
    reaction: str | Promise
    at: datetime | None


def recipients(account: Account, messages: Iterable[Message]) -> list[Recipient]:
    """Return the rows of a page, with what each person did; two queries for all of them."""
    shown = list(messages)
    opens, clicks = _events(Open, account, shown), _events(Click, account, shown)
    return [
        Recipient(
            message.pk,
            name_of(message),
            message.address,
            message.state,
            _reaction(message, opens.get(message.pk, []), clicks.get(message.pk, [])),
            message.closed_at,
        )
        for message in shown
    ]


def name_of(message: Message) -> str:
    return (message.contact.name if message.contact else "") or message.address or _("(erased)")


def _events(model: type[Open] | type[Click], account: Account, messages: list[Message]) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    if messages:
        events = model.objects.of(account).filter(message_id__in=[message.pk for message in messages])
        for event in events.order_by("at"):
            found.setdefault(event.message_id, []).append(event)
    return found


def _reaction(message: Message, opens: list[Open], clicks: list[Click]) -> str | Promise:
    human_clicks = [click for click in clicks if not click.machine]
    if human_clicks:
        words = ngettext(
            "Opened by a person, %(count)s click", "Opened by a person, %(count)s clicks", len(human_clicks)
        )
        return words % {"count": number_format(len(human_clicks))}
    if any(not each.machine for each in opens):
        return _("Opened by a person")
    if opens:
        return _("Opened by a machine (%(name)s)") % {"name": _(opens[0].machine)}
    return Reason(message.reason).label if message.reason else ""


# -- one mail ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A line of a timeline."""

    at: datetime
    tone: str
    icon: str
    title: str
    text: str = ""
    reply: str = ""

    @property
    def day(self) -> str:
        return formats.date_format(timezone.localtime(self.at), pgettext("date format", "j M"))

    @property
    def time(self) -> str:
        return formats.date_format(timezone.localtime(self.at), "H:i:s")


def timeline(message: Message) -> list[Event]:
    """Return what happened to one mail, oldest first."""
    links = {link.number: link for link in Link.objects.of(message.account).filter(campaign=message.campaign_id)}
    found = [_attempt(message, attempt) for attempt in Attempt.objects.filter(account=message.account, message=message)]
    found += [_open(each) for each in Open.objects.of(message.account).filter(message_id=message.pk)]
    found += [_click(each, links) for each in Click.objects.of(message.account).filter(message_id=message.pk)]
    found += [_bounce(each) for each in Bounce.objects.of(message.account).filter(message_id=message.pk)]
    for complaint in Complaint.objects.filter(account=message.account, message=message):
        found.append(
            Event(complaint.at, "bad", "flag", _("Reported as spam"), _("Now in suppressions."), complaint.text)
        )
    for left in Unsubscribe.objects.filter(account=message.account, message=message):
        found.append(Event(left.at, "warn", "mail-x", _("Unsubscribed"), str(Unsubscribe.How(left.how).label)))
    start = message.campaign.send_at
    first = [Event(start, "", "list-plus", _("Added to the recipients"))] if start else []
    return first + sorted(found, key=lambda event: event.at) + _end(message)


def _attempt(message: Message, attempt: Attempt) -> Event:
    reply = f"{attempt.code or ''} {attempt.text}".strip()
    if 200 <= attempt.code < 300:
        words = _("Handed over to %(server)s.") % {"server": attempt.host}
        return Event(attempt.at, "good", "check", _("Accepted by the receiving server"), words, reply)
    if attempt.code == 0 and attempt.command == "dot":
        words = _("The connection broke after the mail was handed over. Whether it arrived cannot be known.")
        return Event(attempt.at, "warn", "circle-question-mark", _("No reply"), words, reply)
    if attempt.code >= 500 or message.status == Status.BOUNCED:
        return Event(attempt.at, "bad", "circle-x", _("Refused"), _advice(message.reason), reply)
    return Event(attempt.at, "warn", "clock", _("Turned away for now"), _("It is tried again by itself."), reply)


def _advice(reason: str | None) -> str:
    if not reason:
        return ""
    return _("%(reason)s. %(advice)s") % {"reason": Reason(reason).label, "advice": Reason(reason).advice}


def _open(event: Any) -> Event:
    if event.machine:
        return Event(
            event.at,
            "",
            "bot",
            _("A machine opened it"),
            _("%(name)s. Not counted as a person.") % {"name": _(event.machine)},
        )
    return Event(event.at, "live", "mail-open", _("A person opened it"))


def _click(event: Any, links: Mapping[int, Link]) -> Event:
    link = links.get(event.number)
    label = (link.label or link.url) if link else str(event.number)
    if event.machine:
        words = _("%(name)s. Not counted as a person.") % {"name": _(event.machine)}
        return Event(event.at, "", "bot", _("A machine followed “%(link)s”") % {"link": label}, words)
    return Event(event.at, "live", "mouse-pointer-click", _("Clicked “%(link)s”") % {"link": label})


def _bounce(event: Any) -> Event:
    reply = f"{event.code or ''} {event.text}".strip()
    return Event(event.at, "bad", "undo-2", _("Came back with an error"), _advice(event.reason), reply)


def _end(message: Message) -> list[Event]:
    """Return what closed a mail without a transaction."""
    if not message.closed_at:
        return []
    if message.status == Status.SUPPRESSED:
        return [
            Event(message.closed_at, "", "minus", _("Left out"), _("The person had unsubscribed or was suppressed."))
        ]
    if message.status == Status.CANCELLED:
        return [Event(message.closed_at, "", "ban", _("Cancelled"))]
    if message.reason == Reason.WORKER_LOST:
        words = _("The sending process was lost at this mail. Whether it arrived cannot be known.")
        return [Event(message.closed_at, "warn", "circle-question-mark", _("No reply"), words)]
    return []


def received_by(contact: Contact, limit: int = 30) -> list[Event]:
    """Return what a contact got and did lately, newest first."""
    messages = Message.objects.of(contact.account).filter(contact=contact).select_related("campaign", "account")
    found: list[Event] = []
    for message in messages.order_by("-pk")[:limit]:
        name = message.campaign.name
        if message.status == Status.SENT and message.closed_at:
            found.append(Event(message.closed_at, "good", "check", _("Received “%(name)s”") % {"name": name}))
        elif message.closed_at:
            badge = message.state
            found.append(
                Event(message.closed_at, badge.tone, badge.icon, f"{badge.label}: {name}", _advice(message.reason))
            )
        found += [
            event for event in timeline(message) if event.icon in ("mail-open", "mouse-pointer-click", "mail-x", "flag")
        ]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]
