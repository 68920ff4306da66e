"""What readers and servers refuse from now on: suppressions that follow from a message.

What a reader's own wish to leave means stands in `delivery/leaving.py`.
"""

from __future__ import annotations

from datetime import datetime

from campaigns.suppressions import rules
from delivery.models import Message
from mailsales.reasons import Reason

LONGEST_TEXT = 500


def suppress(message: Message, reason: Reason, text: str, retry_at: datetime | None = None) -> bool:
    """Never mail the message's address again for its account, or not before `retry_at`; return whether that is new.

    A weaker suppression is replaced, a stronger one stays. `text` is the evidence: the server's or reporter's own words.
    """
    if not message.address:  # erased meanwhile
        return False
    campaign = message.campaign
    evidence = {
        "text": text[:LONGEST_TEXT],
        "campaign": campaign.name,
        "list": campaign.list.name if campaign.list else "",
    }
    return rules.suppress(message.account_id, [message.address], reason, evidence, retry_at=retry_at) > 0
