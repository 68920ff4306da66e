"""The people of a campaign: who got it, what they did, and the story of one mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from mailsales.reasons import OPEN_QUESTIONS, Reason
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
    """Return the campaign's messages with this result (a key of RESULTS) whose address or name holds `q`.

    Reason and due time are named beside the status, which no index may mention.
    """
    found: QuerySet[Message] = Message.objects.of(campaign.account).filter(campaign=campaign).select_related("contact")
    if q:
        found = found.filter(Q(address__icontains=q) | Q(contact__name__icontains=q))
    if result == "deferred":
        return found.filter(status=Status.DEFERRED, due_at__isnull=False)
    if result == "unknown":
        return found.filter(status=Status.UNKNOWN, reason__in=OPEN_QUESTIONS)
    if result == "bounced":
        return found.filter(status=Status.BOUNCED, reason__in=[reason for reason in Reason if reason not in SPAM])
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
    """Return the rows of a page, with what each person did; three queries for all of them."""
    shown = list(messages)
    opens, clicks, bounces = (_events(kind, account, shown) for kind in (Open, Click, Bounce))
    return [
        Recipient(
            message.pk,
            name_of(message),
            message.address,
            message.state,
            _("Came back with an error")
            if message.pk in bounces
            else _reaction(message, opens.get(message.pk, []), clicks.get(message.pk, [])),
            message.closed_at,
        )
        for message in shown
    ]


def name_of(message: Message) -> str:
    return (message.contact.name if message.contact else "") or message.address or _("(erased)")


def _events(
    model: type[Open] | type[Click] | type[Bounce], account: Account, messages: list[Message]
) -> Mapping[int, list[Any]]:
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
    start = message.campaign.send_at
    first = [Event(start, "", "list-plus", _("Added to the recipients"))] if start else []
    found = _attempts(message) + _what_came_back(message.account, [message])[message.pk]
    return first + sorted(found, key=lambda event: event.at) + _end(message)


def _attempts(message: Message) -> list[Event]:
    attempts = list(Attempt.objects.filter(account=message.account, message=message).order_by("lease_id"))
    return [_attempt(message, attempt, is_last=attempt is attempts[-1]) for attempt in attempts]


def _what_came_back(account: Account, messages: Sequence[Message]) -> Mapping[int, list[Event]]:
    """Return what readers, machines and servers did afterwards, by message; as many queries for fifty as for one."""
    found: dict[int, list[Event]] = defaultdict(list)
    ids = [message.pk for message in messages]
    campaigns = {message.campaign_id for message in messages}
    links = {(link.campaign_id, link.number): link for link in Link.objects.of(account).filter(campaign__in=campaigns)}
    for opened in Open.objects.of(account).filter(message_id__in=ids):
        found[opened.message_id].append(_open(opened))
    clicks: Iterable[Any] = Click.objects.of(account).filter(message_id__in=ids)
    for click in clicks:
        found[click.message_id].append(_click(click, links.get((click.campaign_id, click.number))))
    for bounce in Bounce.objects.of(account).filter(message_id__in=ids):
        found[bounce.message_id].append(_bounce(bounce))
    for complaint in Complaint.objects.filter(account=account, message__in=ids):
        event = Event(complaint.at, "bad", "flag", _("Reported as spam"), _("Now in suppressions."), complaint.text)
        found[complaint.message_id].append(event)
    for left in Unsubscribe.objects.filter(account=account, message__in=ids):
        event = Event(left.at, "warn", "mail-x", _("Unsubscribed"), str(Unsubscribe.How(left.how).label))
        found[left.message_id].append(event)
    return found


def _attempt(message: Message, attempt: Attempt, *, is_last: bool) -> Event:
    reply = f"{attempt.code or ''} {attempt.text}".strip()
    if 200 <= attempt.code < 300:
        words = _("Handed over to %(server)s.") % {"server": attempt.host}
        return Event(attempt.at, "good", "check", _("Accepted by the receiving server"), words, reply)
    if attempt.code == 0 and attempt.command == "dot":
        words = _("The connection broke after the mail was handed over. Whether it arrived cannot be known.")
        return Event(attempt.at, "warn", "circle-question-mark", _("No reply"), words, reply)
    is_final = is_last and message.status == Status.BOUNCED and message.reason != Reason.EXPIRED
    if attempt.code >= 500 or is_final:
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


def _click(event: Any, link: Link | None) -> Event:
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
    if message.status == Status.BOUNCED and message.reason == Reason.EXPIRED:
        return [Event(message.closed_at, "bad", "circle-x", str(Reason.EXPIRED.label), str(Reason.EXPIRED.advice))]
    if message.status == Status.UNKNOWN and message.reason in (Reason.WORKER_LOST, Reason.RESTORED):
        words = _("The sending process was lost at this mail. Whether it arrived cannot be known.")
        if message.reason == Reason.RESTORED:
            words = _("A backup was restored. Whether the mail left after it was made cannot be known.")
        return [Event(message.closed_at, "warn", "circle-question-mark", _("No reply"), words)]
    return []


def received_by(contact: Contact, limit: int = 30) -> list[Event]:
    """Return what a contact got and did lately, newest first; machines are left out."""
    own = Message.objects.of(contact.account).filter(contact=contact, closed_at__isnull=False)
    messages = list(own.select_related("campaign").order_by("-pk")[:limit])
    came_back = _what_came_back(contact.account, messages)
    found = [event for events in came_back.values() for event in events if event.icon != "bot"]
    found += [_received(message) for message in messages]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]


def _received(message: Message) -> Event:
    at, name, badge = message.closed_at or message.campaign.created_at, message.campaign.name, message.state
    if message.status == Status.SENT:
        return Event(at, "good", "check", _("Received “%(name)s”") % {"name": name})
    return Event(at, badge.tone, badge.icon, f"{badge.label}: {name}", _advice(message.reason))
