"""What a reader chooses: lists, a break, a name. The token of one of their mails is the proof that it is they.

A reader who had unsubscribed comes back here alone, by a deed of their own: ticking a list is consent, and is written
down as such with the time and the place. Complaints, entries by hand and dead addresses are not the reader's to lift.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _

from accounts import audit
from campaigns.models import Contact, Subscription, Suppression
from campaigns.suppressions import rules
from delivery import leaving
from delivery.models import Unsubscribe
from delivery.readers import Reader
from mailsales.reasons import Reason

BREAKS = (30, 90)  # days
END = 0  # of days: end the break now
READERS_TO_LIFT = (Reason.UNSUBSCRIBED, Reason.PAUSED)


@dataclass(frozen=True, slots=True)
class Wishes:
    """`lists` are the primary keys of those wanted; `pause` a number of days, END, or None to leave it as it is."""

    lists: Collection[int]
    pause: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is now. `chosen` is what really arrives: nothing, for who unsubscribed from everything."""

    subscriptions: list[Subscription]
    chosen: set[int]
    suppression: Suppression | None
    zone: tzinfo

    @property
    def break_ends(self) -> datetime | None:
        """Return until when the reader has a break, in the account's zone."""
        held = self.suppression
        return held.retry_at.astimezone(self.zone) if held and held.reason == Reason.PAUSED and held.retry_at else None

    @property
    def has_left(self) -> bool:
        return self.suppression is not None and self.suppression.reason == Reason.UNSUBSCRIBED

    @property
    def is_barred(self) -> bool:
        """Return whether the address gets nothing, whatever its reader ticks."""
        return self.suppression is not None and self.suppression.reason not in READERS_TO_LIFT


def standing_of(reader: Reader) -> Standing:
    known = list(reader.subscriptions.select_related("list").order_by("list__name"))
    suppression = rules.suppression_of(reader.account, reader.contact.address) if reader.contact else None
    has_left = suppression is not None and suppression.reason == Reason.UNSUBSCRIBED
    chosen = {each.list_id for each in known if each.status == Subscription.Status.CONFIRMED and not has_left}
    return Standing(known, chosen, suppression, ZoneInfo(reader.account.time_zone))


@transaction.atomic
def save(reader: Reader, wishes: Wishes, ip: str | None) -> None:
    """Do what the reader chose. Lists that they were never on are no choice and are ignored."""
    leaving.lock(reader)
    before = standing_of(reader)
    wanted = {each.list_id for each in before.subscriptions} & set(wishes.lists)
    if came := wanted - before.chosen:
        _come_back(reader, came, ip)
    if left := {each.list_id for each in before.subscriptions} - wanted:
        _leave(reader, left & before.chosen, is_last=not wanted)
    if wishes.pause is not None:
        _pause(reader, wishes.pause)
    _rename(reader, wishes.name)


def _come_back(reader: Reader, lists: set[int], ip: str | None) -> None:
    """Put the reader on lists again, which rests on this consent alone, and lift their own refusal."""
    rules.return_of(reader.account, reader.addresses)
    with translation.override(reader.account.language):
        source = _("Preference page")
    reader.subscriptions.filter(list__in=lists).update(
        status=Subscription.Status.CONFIRMED,
        unsubscribed_at=None,
        basis=Subscription.Basis.CONSENT,
        source=source,
        created_at=now(),
    )
    names = [each.list.name for each in reader.subscriptions.filter(list__in=lists).select_related("list")]
    audit.note_of_reader(
        reader.account, ip, "subscription.return", reader.addresses[-1], lists=names, message=reader.message_id
    )


def _leave(reader: Reader, lists: set[int], *, is_last: bool) -> None:
    if reader.list and reader.list.pk in lists:
        leaving.leave_list(reader, Unsubscribe.How.PAGE)
    leaving.end(reader.subscriptions.filter(list__in=lists))
    if is_last and lists:
        leaving.refuse(reader)


def _pause(reader: Reader, days: int) -> None:
    """Begin a break anew, or end it. What keeps mail away for other reasons stays."""
    address = reader.addresses[-1]
    Suppression.objects.of(reader.account).filter(address=address, reason=Reason.PAUSED).delete()
    if days:
        retry_at = now() + timedelta(days=days)
        rules.suppress(reader.account.pk, [address], Reason.PAUSED, {"text": ""}, retry_at=retry_at)


def _rename(reader: Reader, name: str) -> None:
    if reader.contact and reader.contact.name != name:
        Contact.objects.of(reader.account).filter(pk=reader.contact.pk).update(name=name, updated_at=now())
