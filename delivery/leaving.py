"""Readers leave: the list of a mail, or all mail of the company (RFC 8058, RFC 2369; 特定電子メール法 第3条第3項).

What one click of a mail program means, and the first button of our page: the reader leaves the list whose mail it was.
`List-Unsubscribe` is a header of a list, as `List-Id` beside it names it (RFC 2369, RFC 2919), programs say "leave this
mailing list", and providers ask for no more. Who takes two newsletters and leaves one keeps the other.
The law lets a reader refuse all of a sender's advertising, and whoever left everything must not be mailed again by the
next import. So who is on no other list then, whose mail came through none, or through one that they are not on or that
is gone, is suppressed for the whole account. Whoever wants to leave everything at once finds a button of the same size
for it beside the first.

Each function may run twice, and beside itself: the contact is locked, rows are made once, changes are guarded.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.timezone import now

from campaigns.models import Contact, Subscription
from campaigns.models.lists import SubscriptionQuerySet
from campaigns.suppressions import rules
from delivery.models import Unsubscribe
from delivery.readers import Reader
from mailsales.reasons import Reason


@transaction.atomic
def leave_list(reader: Reader, how: Unsubscribe.How) -> bool:
    """Take the reader off the list of the mail; return whether that is new."""
    is_new = _note(reader, how)
    lock(reader)
    on_list = reader.subscriptions.filter(list=reader.list)  # nothing, if there is no list
    is_known = on_list.exists()
    has_left = end(on_list)
    if not is_known or not reader.subscriptions.confirmed().exists():
        has_left |= refuse(reader)
    return is_new or has_left


@transaction.atomic
def leave_all(reader: Reader, how: Unsubscribe.How) -> bool:
    """Take the reader off every list, and never mail them again; return whether that is new."""
    is_new = _note(reader, how)
    lock(reader)
    has_left = end(reader.subscriptions) | refuse(reader)
    return is_new or has_left


def lock(reader: Reader) -> None:
    """Let the wishes of one reader take turns, until the transaction ends."""
    if reader.contact:
        Contact.objects.select_for_update(no_key=True).filter(pk=reader.contact.pk).first()


def refuse(reader: Reader) -> bool:
    """Never mail the reader again, unless they come back by themselves; return whether that is new."""
    evidence = {
        "text": "",
        "campaign": reader.campaign.name if reader.campaign else "",
        "list": reader.list.name if reader.list else "",
    }
    return rules.suppress(reader.account.pk, reader.addresses, Reason.UNSUBSCRIBED, evidence) > 0


def end(subscriptions: SubscriptionQuerySet) -> bool:
    """Take the reader off these lists; return whether they were on any."""
    still = subscriptions.exclude(status=Subscription.Status.UNSUBSCRIBED)
    return still.update(status=Subscription.Status.UNSUBSCRIBED, unsubscribed_at=now()) > 0


def _note(reader: Reader, how: Unsubscribe.How) -> bool:
    """Keep that the mail made its reader leave, for reports; a deleted one is in no report."""
    if reader.campaign is None:
        return False
    defaults = {"account": reader.account, "campaign": reader.campaign, "how": how}
    return Unsubscribe.objects.get_or_create(message_id=reader.message_id, defaults=defaults)[1]
