"""A reader moves to another address: asked for with the token of a mail, in force once it is confirmed from there.

Two contacts become one when the new address is known already. The one that asked stays, since its mails carry its
tokens; the other's subscriptions join it, and where one of the two had left a list, the person has left it.
What the reader refused goes with them; what a mailbox refused stays with its address.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now

from accounts.models import Account
from campaigns.models import AddressChange, Contact, Destination, Subscription, Suppression
from campaigns.suppressions import rules
from mailsales.reasons import Reason

VALID = timedelta(days=3)
MOST_A_DAY = 3  # wishes of one contact, and mails to one address
THEIR_OWN = (Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.MANUAL, Reason.PAUSED)


@transaction.atomic
def ask(contact: Contact, address: str) -> AddressChange | None:
    """Keep the wish, or return None when the contact wished too often today."""
    Contact.objects.select_for_update(no_key=True).filter(pk=contact.pk).first()
    today = AddressChange.objects.of(contact.account).filter(created_at__gt=now() - timedelta(days=1))
    if today.filter(contact=contact).count() >= MOST_A_DAY:
        return None
    return AddressChange.objects.create(account=contact.account, contact=contact, address=address)


def may_be_asked(change: AddressChange) -> bool:
    """Return whether a mail may go to the new address. Nobody who asks learns what stands against it."""
    today = AddressChange.objects.of(change.account).filter(created_at__gt=now() - timedelta(days=1))
    is_asked_too_often = today.filter(address=change.address).count() > MOST_A_DAY
    is_known = change.address == change.contact.address
    return not is_known and not is_asked_too_often and not is_refused(change.account, change.address)


def is_refused(account: Account, address: str) -> bool:
    """Return whether no mail may go to the address, for another reason than its reader's break."""
    held = rules.suppression_of(account, address)
    return held is not None and held.reason != Reason.PAUSED


def find(account_id: int, pk: int) -> AddressChange | None:
    """Return a wish that came true and still holds, or can come true."""
    found = AddressChange.objects.filter(account_id=account_id, pk=pk).select_related("account", "contact").first()
    if found is None:
        return None
    if found.confirmed_at:
        return found if found.contact.address == found.address else None
    is_valid = found.created_at > now() - VALID and not is_refused(found.account, found.address)
    return found if is_valid else None


@transaction.atomic
def confirm(change: AddressChange) -> bool:
    """Let the contact have the new address; return whether that happened now."""
    waiting = AddressChange.objects.of(change.account).filter(pk=change.pk, confirmed_at=None)
    if not waiting.update(confirmed_at=now()):
        return False
    both = Contact.objects.select_for_update().of(change.account)
    contact = both.get(pk=change.contact_id)
    other = both.filter(address=change.address).exclude(pk=contact.pk).first()
    if other:
        _join(contact, other)
    _take_refusals_along(change, contact.address)
    contact.address = change.address
    contact.destination, _is_new = Destination.objects.get_or_create(name=change.address.rpartition("@")[2])
    contact.updated_at = now()
    contact.save(update_fields=["address", "destination", "name", "fields", "updated_at"])
    return True


def _join(contact: Contact, other: Contact) -> None:
    """Give the contact what the other has, and delete the other."""
    own = {each.list_id: each for each in Subscription.objects.of(contact.account).filter(contact=contact)}
    for theirs in Subscription.objects.of(contact.account).filter(contact=other):
        mine = own.get(theirs.list_id)
        if mine is None:
            Subscription.objects.filter(list=theirs.list_id, contact=other).update(contact=contact)
        elif _rank(theirs) > _rank(mine):
            kept = {name: getattr(theirs, name) for name in ("status", "basis", "source", "unsubscribed_at")}
            Subscription.objects.filter(list=theirs.list_id, contact=contact).update(**kept)
    contact.name = contact.name or other.name
    contact.fields = {**other.fields, **{key: value for key, value in contact.fields.items() if value}}
    other.delete()


def _rank(subscription: Subscription) -> int:
    """Return what prevails when two become one: a refusal, then a consent."""
    order = [Subscription.Status.UNCONFIRMED, Subscription.Status.CONFIRMED, Subscription.Status.UNSUBSCRIBED]
    return order.index(Subscription.Status(subscription.status))


def _take_refusals_along(change: AddressChange, old: str) -> None:
    refused = Suppression.objects.of(change.account).in_force().filter(address=old, reason__in=THEIR_OWN)
    for each in refused:
        reason = Reason(each.reason)
        rules.suppress(change.account_id, [change.address], reason, each.evidence, retry_at=each.retry_at)
