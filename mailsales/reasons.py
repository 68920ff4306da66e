"""Why a mail did not arrive: one vocabulary for SMTP replies, delivery reports and complaints (docs/design.md §10).

Each reason has a label and a sentence of advice in both languages, and says whom it is about: the *address* (wrong for
good), the *mailbox* (its owner or their rules), *us* (never counted against the recipient) or the *moment*.
The rules that find a reason stand in `delivery/reply_rules/`.
"""

from __future__ import annotations

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class About(models.TextChoices):
    ADDRESS = "address", _("the address")
    MAILBOX = "mailbox", _("the mailbox")
    US = "us", _("the sender")
    MOMENT = "moment", _("the moment")


class Reason(models.TextChoices):
    USER_UNKNOWN = "user_unknown", _("No such address")
    HOST_UNKNOWN = "host_unknown", _("No such domain")
    MOVED = "moved", _("The address has moved")
    NOT_ACCEPTED = "not_accepted", _("The domain takes no mail")
    MAILBOX_FULL = "mailbox_full", _("Mailbox full")
    SUSPENDED = "suspended", _("Mailbox suspended")
    FILTERED = "filtered", _("Domain filter")
    SPAM = "spam", _("Judged to be spam")
    VIRUS = "virus", _("Judged to be a virus")
    CONTENT = "content", _("Refused for the content")
    TOO_BIG = "too_big", _("Too big")
    SYNTAX = "syntax", _("Protocol or form error")
    POLICY = "policy", _("Refused by the receiver’s policy")
    AUTH_FAILURE = "auth_failure", _("SPF, DKIM or DMARC failed")
    BLOCKED = "blocked", _("Refused for the sender’s reputation")
    REJECTED = "rejected", _("This sender is refused")
    RELAY_DENIED = "relay_denied", _("The server does not relay")
    SECURITY = "security", _("Encryption failed")
    RATE_LIMITED = "rate_limited", _("Sending too fast")
    NETWORK_ERROR = "network_error", _("The server could not be reached")
    SYSTEM_ERROR = "system_error", _("Trouble at the receiving server")
    EXPIRED = "expired", _("Not delivered in time")
    OTHER = "other", _("Other reasons")
    # not failures
    DELIVERED = "delivered", _("Delivered")
    DELAYED = "delayed", _("Delayed")
    VACATION = "vacation", _("Automatic reply")
    COMPLAINT = "complaint", _("Reported as spam")
    # why the outcome is unknown
    NO_REPLY = "no_reply", _("Cut off before the reply")
    WORKER_LOST = "worker_lost", _("The sending process was lost")
    RESTORED = "restored", _("Restored from a backup")
    CANCELLED = "cancelled", _("Cancelled")
    # why nothing is sent
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    MANUAL = "manual", _("By hand")
    PAUSED = "paused", _("Paused by the reader")

    @property
    def about(self) -> About:
        return ABOUT.get(self, About.MOMENT)

    @property
    def advice(self) -> str | Promise:
        return ADVICE.get(self, "")

    @property
    def can_be_hard(self) -> bool:
        return self in HARD

    @property
    def is_spam(self) -> bool:
        """Return whether reports count it as refused for spam, content or reputation."""
        return self in REFUSED_AS_SPAM


HARD = frozenset({Reason.USER_UNKNOWN, Reason.HOST_UNKNOWN, Reason.MOVED, Reason.NOT_ACCEPTED})
REFUSED_AS_SPAM = frozenset(
    {Reason.SPAM, Reason.VIRUS, Reason.CONTENT, Reason.BLOCKED, Reason.REJECTED, Reason.AUTH_FAILURE, Reason.POLICY}
)
OPEN_QUESTIONS = frozenset({Reason.NO_REPLY, Reason.WORKER_LOST, Reason.RESTORED})

ABOUT = {
    **dict.fromkeys(HARD, About.ADDRESS),
    **dict.fromkeys((Reason.MAILBOX_FULL, Reason.SUSPENDED, Reason.FILTERED), About.MAILBOX),
    **dict.fromkeys(REFUSED_AS_SPAM, About.US),
    **dict.fromkeys(
        (Reason.TOO_BIG, Reason.SYNTAX, Reason.RELAY_DENIED, Reason.SECURITY, Reason.RATE_LIMITED), About.US
    ),
}

ADVICE: dict[Reason, Promise] = {
    Reason.USER_UNKNOWN: _("The address does not exist. It is now in suppressions."),
    Reason.HOST_UNKNOWN: _("Perhaps a typing mistake. It is now in suppressions."),
    Reason.MOVED: _("The owner uses another address. This one is now in suppressions."),
    Reason.NOT_ACCEPTED: _("The domain says that it takes no mail. It is now in suppressions."),
    Reason.MAILBOX_FULL: _("Often it helps to wait until the owner makes room."),
    Reason.SUSPENDED: _("The provider has closed the mailbox for the time being."),
    Reason.FILTERED: _("The recipient’s own setting. Ask them to allow your domain."),
    Reason.SPAM: _("Do not send the same text again; review the body and the links."),
    Reason.VIRUS: _("Look through the links: one of them may point to an infected page."),
    Reason.CONTENT: _("Refused for attachments or the kind of links."),
    Reason.TOO_BIG: _("Make the email smaller."),
    Reason.SYNTAX: _("Not counted against the recipient. Ask your operator to look at the server’s words."),
    Reason.POLICY: _("Not counted against the recipient. Read the server’s words; they name the rule."),
    Reason.AUTH_FAILURE: _("Not counted against the recipient. Look at the settings of your sending domain."),
    Reason.BLOCKED: _("Not counted against the recipient. The sending server or domain is on a block list."),
    Reason.REJECTED: _("The receiver does not want mail from this sender."),
    Reason.RELAY_DENIED: _("The mail server of the domain is not set up for this address."),
    Reason.SECURITY: _("The connection could not be encrypted as the domain demands."),
    Reason.RATE_LIMITED: _("Not counted against the recipient. Spread the sending over more time."),
    Reason.NETWORK_ERROR: _("The receiving server did not answer. It is tried again by itself."),
    Reason.SYSTEM_ERROR: _("Trouble at the receiving server. It is tried again by itself."),
    Reason.EXPIRED: _("The server did not accept it in the time allowed for this campaign."),
    Reason.OTHER: _("Read the server’s words."),
}
