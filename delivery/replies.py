"""What an SMTP reply means for the message: a verdict out of code, enhanced code, command, text and host.

`delivery/reply_rules/` is the table of words, each rule with its source; where no rule knows the words, the enhanced code
decides, then the bare one. What becomes of the message:

- 2xx: sent. No reply after the dot: unknown; before it, the message was surely not taken and waits.
- 4xx, and whatever is said before MAIL (a greeting of 4xx or 5xx, EHLO, STARTTLS, AUTH): deferred until expiry.
  A code at `connect` is no server's but what DNS says of the recipient's domain (RFC 7505, RFC 5321 §5.1).
- 5xx about the sending rate or the sender's reputation (block list, PTR): deferred until expiry, since it ends when the
  rate falls or the listing does. So are 552 for too many recipients (RFC 5321 §4.5.3.1.10) and any 5xx that itself asks
  to try again later and is not about the sender.
- Other 5xx: bounced. Hard, so that the address is never mailed again, only if the reason is one of
  `mailsales.reasons.HARD`, the recipient was named, and nothing else in the reply contradicts it. A refusal for
  authentication, content or spam bounces this message and is never held against the recipient.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from delivery.models import Message
from delivery.reply_rules import RULES
from delivery.reply_rules.registry import CODES, ENHANCED
from delivery.reply_rules.rule import Rule
from delivery.smtp import OPENING, Reply
from mailsales.reasons import About, Reason

GREETING = OPENING - {"connect"}  # said by a server, before the first message
BEFORE_RECIPIENT = GREETING | {"mail"}
ADDRESS = re.compile(r"""(?:"[^"\s]{1,64}"|[^\s<>()\[\],;:"'@]+)@[\w.-]*\w""")
NOISE = re.compile(r"\b(?=[\w-]*\d)[\w-]{14,}\b")  # ids of sessions and queues, which differ in every reply
LATER = re.compile(
    r"\b(try|retry|resend|come back)\b[^.]{0,40}\b(later|again in|in \d)|temporar(y|ily)\b|後(に|で).{0,6}再"
)
GREYLISTED = re.compile(r"gr[ea]y ?-?list")  # RFC 6647
DURATION = r"(?P<n>\d{1,5}|an?|one)\s*(?P<unit>s|sec|second|m|min|minute|h|hr|hour)(s|\(s\))?\b"
WAITS = [
    re.compile(pattern)
    for pattern in (
        rf"\b(again|retry|retries|wait|back|resend|gr[ea]y ?-?list\w*|deferred|delayed|blocked|later)\b.{{0,120}}?\b{DURATION}",
        rf"\b(in|after|for) {DURATION}.{{0,30}}\b(again|retry|resend)\b",
        r"\b(again|retry|back|wait|gr[ea]y ?-?list\w*)\b.{0,120}?\b(?P<hours>\d{1,2}):(?P<minutes>\d\d):(?P<seconds>\d\d)\b",
        r"(?P<n>\d{1,5}) ?(?P<unit>秒|分|時間)(間|以上|ほど|程度|くらい)*(後|経|お?待|あけ|空け|おい|置)",
    )
]
SECONDS = {"s": 1, "m": 60, "h": 3_600, "秒": 1, "分": 60, "時": 3_600}
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=4)
# What the enhanced code (RFC 3463 §3) must begin with, if there is one: "User unknown" with 5.2.1 or 5.7.1 is in doubt.
SURE = {
    Reason.USER_UNKNOWN: ("5.1.", "5.0.", "5.4.1", "5.5.0"),
    Reason.HOST_UNKNOWN: ("5.1.2", "5.0.", "5.4."),
    Reason.MOVED: ("5.1.", "5.0.", "5.7.17", "5.7.18"),
    Reason.NOT_ACCEPTED: ("5.1.", "5.0.", "5.3.2"),
}
# Words of somebody or something else that may be what is unknown: the sender, this host, a look-up that failed.
DOUBT = re.compile(
    r"\b(senders?|sending|from (address|domain|header|you)|from:|reply-to|(return|reverse)[- ]path|return address|envelope"
    r"|your (domain|ip|address|host|server|mail ?server|mail ?box|account|name|network|reputation)|helo|ehlo|clients?"
    r"|call(back|out)|(un)?verif\w*|password|authenti\w*|spf|dkim|dmarc|ldap|allowed|permitted|whitelist|agent|command"
    r"|count|too many|relay (user|host)|problem|internal|outside)\b"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the message: sent, deferred, bounced or unknown; and, if hard, of the address."""

    status: Message.Status
    reason: Reason | None = None
    is_hard: bool = False


def read(reply: Reply) -> Verdict:
    """Return the verdict on the message to which the reply was given."""
    if reply.is_positive:
        return SENT
    if reply.code == 0:
        return UNKNOWN if reply.command == "dot" else UNREACHED
    reason = reason_of(reply)
    if reply.code < 500 or is_passing(reply, reason):
        return Verdict(Message.Status.DEFERRED, reason)
    return Verdict(Message.Status.BOUNCED, reason, reason.can_be_hard)


def reason_of(reply: Reply) -> Reason:
    """Return why the reply refuses; of a 5xx, one that can be hard only if that is beyond doubt."""
    rule = rule_for(reply)
    reason = rule.reason if rule else _registered(reply)
    if reply.command in BEFORE_RECIPIENT and reason.about in (About.ADDRESS, About.MAILBOX):
        return Reason.REJECTED if reply.command == "mail" else Reason.BLOCKED  # nobody was named: about the sender
    if reason.can_be_hard and reply.code >= 500 and not _is_sure(reply, reason):
        return Reason.OTHER
    return reason


def is_passing(reply: Reply, reason: Reason) -> bool:
    """Return whether a 5xx leaves the message waiting."""
    if reply.command in GREETING or reason in (Reason.RATE_LIMITED, Reason.BLOCKED):
        return True
    return reason is not Reason.EXPIRED and reason.about is not About.US and asks_for_later(reply)


def _is_sure(reply: Reply, reason: Reason) -> bool:
    """Return whether nothing else in the reply contradicts that the address is dead.

    A receiving server, which is there, must say of a domain by code that it is not, or takes no mail.
    """
    if asks_for_later(reply) or DOUBT.search(reply.text.lower()):
        return False
    if reply.enhanced:
        return reply.enhanced.startswith(SURE[reason])
    is_of_domain = reason in (Reason.HOST_UNKNOWN, Reason.NOT_ACCEPTED)
    return not is_of_domain or reply.command in ("dsn", "connect") or reply.code == 556


def asks_for_later(reply: Reply) -> bool:
    return LATER.search(reply.text.lower()) is not None


def is_greylisted(reply: Reply) -> bool:
    """Return whether it is refused only for being new (RFC 6647): the next try is usually taken."""
    return 400 <= reply.code < 500 and GREYLISTED.search(reply.text.lower()) is not None


def wait_of(reply: Reply) -> timedelta | None:
    """Return how long the reply asks to wait before the next try, from 1 minute to 4 hours; None where it does not."""
    text = reply.text.lower()
    found = next((match for pattern in WAITS if (match := pattern.search(text))), None)
    if found is None:
        return None
    parts = found.groupdict()
    if "hours" in parts:
        seconds = sum(int(parts[name]) * size for name, size in (("hours", 3_600), ("minutes", 60), ("seconds", 1)))
    else:
        seconds = (int(parts["n"]) if parts["n"].isdecimal() else 1) * SECONDS[parts["unit"][0]]
    return min(max(timedelta(seconds=seconds), SHORTEST), LONGEST)


def is_unread(reply: Reply) -> bool:
    """Return whether it refuses in words that no rule knows and with a code that says nothing particular."""
    if reply.code < 400 or rule_for(reply):
        return False
    return ENHANCED.get(_detail(reply), Reason.OTHER) in VAGUE


def rule_for(reply: Reply) -> Rule | None:
    """Return the rule that knows the reply's words."""
    return _rule(str(reply.code), reply.command, reply.host.lower(), normal(reply.text))


def normal(text: str) -> str:
    """Return a text as the rules expect it: in lower case, each address `x@x`, ids of sessions and queues masked."""
    return NOISE.sub("#", ADDRESS.sub("x@x", text)).lower()


@lru_cache(maxsize=4096)
def _rule(code: str, command: str, host: str, text: str) -> Rule | None:
    """A campaign hears the same few sentences again and again, so readings are kept."""
    return next((rule for rule in RULES if rule.fits(code, command, host, text)), None)


def _registered(reply: Reply) -> Reason:
    return ENHANCED.get(_detail(reply)) or CODES.get(reply.code, Reason.OTHER)


def _detail(reply: Reply) -> str:
    """Return `subject.detail` of the enhanced code."""
    return reply.enhanced.partition(".")[2]


SENT = Verdict(Message.Status.SENT)
UNKNOWN = Verdict(Message.Status.UNKNOWN, Reason.NO_REPLY)
UNREACHED = Verdict(Message.Status.DEFERRED, Reason.NETWORK_ERROR)
VAGUE = frozenset({Reason.OTHER, Reason.POLICY, Reason.SYSTEM_ERROR, Reason.SYNTAX})
