"""Reports of abuse: what a mailbox provider sends when a reader presses “spam” (RFC 5965, RFC 6449).

Beside the format there are mails in its place: Hotmail's programme returns the message behind a subject alone, Amazon SES
tells in JSON, Apple Mail writes for a reader who asks it to unsubscribe him.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from delivery.bounce_formats import signs
from delivery.bounce_formats.notice import ADDRESS
from delivery.parts import printable
from delivery.reports import Report

AGAINST_US = frozenset({"abuse", "fraud", "virus", "other", "opt-out"})  # not: not-spam, auth-failure (RFC 5965 §7.3)
MOST_RECIPIENTS = 100
ADDRESSES = re.compile(ADDRESS)
RECIPIENTS = ("original-rcpt-to", "removal-recipient")  # RFC 5965 §3.2; sent by some with opt-out
SAID = ("user-agent", "source-ip", "arrival-date")
# Hotmail's JMRP, and loops whose feedback part was lost on the way.
SUBJECT = re.compile(
    r"^(?:complaint about message from|e?mail feedback report for|(?:e?mail )?(?:abuse|spam|feedback) report\b)"
)
SENTENCE = re.compile(
    r"^\s*this is an? (?:\S+ )?(?:e?mail )?(?:abuse|spam|feedback) (?:report|complaint) (?:for|about) "
)
LOOP = re.compile(r"\b(?:staff@hotmail|scomp|fbl|feedback|abuse|complaints?|arf|postmaster|jmrp)")
BY_APPLE = re.compile(r"^\s*apple mail sent this email to unsubscribe\b")


@dataclass(frozen=True, slots=True)
class Feedback:
    """A report by a provider. Who complained is usually blacked out; the token says which message it was."""

    feedback_type: str
    text: str
    recipients: tuple[str, ...] = ()

    @property
    def is_against_us(self) -> bool:
        """Whether a reader complained; other reports praise, or count failures of DMARC."""
        return self.feedback_type in AGAINST_US


def feedback_of(report: Report) -> Feedback | None:
    """Return what a feedback report says, None for any other mail."""
    if report.kind == "feedback-report" and report.groups:
        group = report.groups[0]
        said = [f"{name}: {group[name]}" for name in SAID if name in group]
        recipients = ADDRESSES.findall(", ".join(group.get(name, "") for name in RECIPIENTS))
        kind = group.get("feedback-type", "").partition(",")[0].strip().lower()
        return Feedback(kind[:20], "; ".join(said)[:500], _each_once(recipients))
    if signs.is_from_amazon(report.header) and (found := _of_json(report.text)):
        return found
    return _of_words(report)


def is_wish(report: Report) -> bool:
    """Return whether a mail program writes for its user that he wants no more mail: a wish, though a machine's words."""
    return BY_APPLE.match(report.text[:200].lower()) is not None


# -- inside ------------------------------------------------------------------------------------


def _each_once(addresses: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address[:320] for address in addresses))[:MOST_RECIPIENTS]


def _of_words(report: Report) -> Feedback | None:
    """Return the complaint of a mail that has no feedback part, or lost it. The message must have come back with it."""
    header, text = report.header, report.text[:500].lower()
    subject = header.get("subject", "").lower()[:200]
    if not report.has_returned or report.kind or "in-reply-to" in header:
        return None
    is_by_loop = LOOP.search(header.get("from", "").lower()[:300]) is not None
    if not is_by_loop or not (SUBJECT.match(subject) or SENTENCE.match(text)):
        return None
    recipient = report.returned.get("x-hmxmroriginalrecipient", "")  # Hotmail
    return Feedback("abuse", printable(subject)[:500], _each_once(ADDRESSES.findall(recipient)))


def _of_json(text: str) -> Feedback | None:
    """Return what Amazon SES says of a complaint over SNS; docs.aws.amazon.com/ses: notification contents."""
    said = read_json(text)
    complaint = said.get("complaint") if said else None
    if not isinstance(complaint, dict):
        return None
    listed = complaint.get("complainedRecipients")
    recipients = (
        [str(one.get("emailAddress")) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    )
    kind = str(complaint.get("complaintFeedbackType") or "abuse").lower()
    text = printable(str(complaint.get("userAgent") or ""))
    return Feedback(printable(kind)[:20], text[:500], _each_once([printable(one) for one in recipients if "@" in one]))


def read_json(text: str) -> dict[str, object] | None:
    """Return the first object in a text, though a mail server broke its long lines (Sendmail marks them with "!")."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        said, _end = json.JSONDecoder(strict=False).raw_decode(text[start:].replace("!\n ", ""))
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
