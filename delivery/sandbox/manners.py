"""How addresses of the sandbox misbehave: what stands before `+` in the local part picks the provider's own words.

The texts are those of Gmail, Outlook.com, Postgrey and docomo, so that reading them is tried on the real thing.
"""

from __future__ import annotations

from dataclasses import dataclass

NO_SUCH_USER = (
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
    "550-5.1.1 double-checking the recipient's email address for typos or\r\n"
    "550 5.1.1 unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser"
)
OVER_QUOTA = (
    "552-5.2.2 The recipient's inbox is out of storage space. Please direct the\r\n"
    "552 5.2.2 recipient to https://support.google.com/mail/?p=OverQuotaPerm"
)
UNSOLICITED = (
    "550-5.7.1 [192.0.2.1      12] Our system has detected that this message is\r\n"
    "550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail,\r\n"
    "550-5.7.1 this message has been blocked. Please visit\r\n"
    "550 5.7.1 https://support.google.com/mail/?p=UnsolicitedMessageError for more information."
)
GREYLISTED = "451 4.7.1 Greylisting in action, please come back later"
BLOCK_LISTED = (
    "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider "
    "since part of their network is on our block list (S3150). You can also refer your provider to "
    "http://mail.live.com/mail/troubleshooting.aspx#errors."
)
DOCOMO_FILTER = "550 Unknown user {recipient}"
TAKEN = "250 2.0.0 Ok: kept in the sandbox"
DEFERRALS = 3
SLOWNESS = 3.0  # seconds


@dataclass(frozen=True, slots=True)
class Manner:
    """Replies in place of the good ones, and what happens after the mail was taken."""

    at_rcpt: str = ""
    at_dot: str = ""
    deferrals: int = 0
    seconds: float = 0
    drops: bool = False
    sends_back: str = ""


MANNERS = {
    "bounce": Manner(at_rcpt=NO_SUCH_USER),
    "full": Manner(at_rcpt=OVER_QUOTA),
    "block": Manner(at_rcpt=BLOCK_LISTED),
    "spamreject": Manner(at_dot=UNSOLICITED),
    "filter": Manner(at_dot=DOCOMO_FILTER),
    "defer": Manner(deferrals=DEFERRALS),
    "slow": Manner(seconds=SLOWNESS),
    "drop": Manner(drops=True),
    "dsn": Manner(sends_back="dsn"),
    "complain": Manner(sends_back="complaint"),
}
GOOD = Manner()


def manner_of(recipient: str) -> Manner:
    """Return how the address behaves: `bounce+taro@example.jp` as `bounce`, any other well."""
    word, plus, _rest = recipient.partition("@")[0].lower().partition("+")
    return MANNERS.get(word, GOOD) if plus else GOOD
