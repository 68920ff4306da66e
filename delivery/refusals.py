"""What readers and servers refuse from now on: suppressions and unsubscribes that follow from a message.

Each function may run twice, and beside itself: rows are made once, changes are guarded.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.timezone import now

from campaigns.models import Subscription
from campaigns.suppressions import rules
from delivery.models import Message, Unsubscribe
from mailsales.reasons import Reason


def suppress(message: Message, reason: Reason, text: str, retry_at: datetime | None = None) -> bool:
    """Never mail the message's address again for its account, or not before `retry_at`; return whether that is new.

    A weaker suppression is replaced, a stronger one stays. `text` is the evidence: the server's or reporter's own words.
    """
    if not message.address:  # erased meanwhile
        return False
    campaign = message.campaign
    evidence = {"text": text, "campaign": campaign.name, "list": campaign.list.name if campaign.list else ""}
    return rules.suppress(message.account_id, [message.address], reason, evidence, retry_at=retry_at) > 0


def unsubscribe(message: Message, how: Unsubscribe.How) -> bool:
    """Take the message's contact off the campaign's list, and suppress the address for the account.

    Return whether the message was not so used before.
    """
    defaults = {"account_id": message.account_id, "campaign_id": message.campaign_id, "how": how}
    _unsubscribe, is_new = Unsubscribe.objects.get_or_create(message=message, defaults=defaults)
    suppress(message, Reason.UNSUBSCRIBED, "")
    if message.contact_id is None or message.campaign.list_id is None:
        return is_new
    on_list = Subscription.objects.filter(list_id=message.campaign.list_id, contact_id=message.contact_id)
    on_list.exclude(status=Subscription.Status.UNSUBSCRIBED).update(
        status=Subscription.Status.UNSUBSCRIBED, unsubscribed_at=now()
    )
    return is_new
