"""A text for people about a failure: whether it is one, whom it names, and what returned with it.

A known system's opening needs one more sign that a mail system wrote the mail. A text that opens like none needs several:
the writer, the subject, the returned mail, an SMTP reply, a sentence about a failure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from delivery.bounce_formats import FORMATS, signs
from delivery.bounce_formats.explanations import explained, unquoted
from delivery.bounce_formats.notice import ADDRESS, Format, Notice
from delivery.bounce_formats.recipients import notices
from delivery.parts import Group
from delivery.reports import Report

OPENING_LINES = 60
ENOUGH = 4  # signs, of those in `_weight`
ADDRESSES = re.compile(ADDRESS)
REPLY = re.compile(r"(?<![\d.])[45]\d\d[ -]#?(?:[45]\.\d{1,3}\.\d{1,3}|[A-Za-z<])|\(#[45]\.\d\.\d\)")
SENTENCE = re.compile(
    r"(?:could|can|cannot|was|were|has|have|did|is|are)(?: ?not|n't)? (?:be |been )?(?:deliver|reach|accept|receiv|sent\b|process)|undeliver|unable to deliver|not (?:be )?deliver|deliver\w* (?:\S+ ){0,6}fail|fail\w* (?:\S+ ){0,4}deliver|permanent (?:error|failure)|returned to (?:you|sender)|user unknown|unknown user|mailbox (?:is )?full|does not exist|rejected|bounced"
)
SENDER_FIELDS = ("from", "return-path", "sender", "reply-to", "x-sender", "errors-to")


@dataclass(frozen=True, slots=True)
class Told:
    """What a text says. `action` is "" for a text that tells of no failure."""

    action: str = ""
    notices: list[Notice] = field(default_factory=list)
    returned: Group = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def told(report: Report) -> Told:
    """Return what the mail's text tells of a failure or a delay."""
    if '"bounce' in report.text.lower()[:5_000] and (found := _of_json(report.text)):
        return found
    lines, returned = explained(report.text)
    lines = unquoted(lines)
    returned = returned or report.returned
    action = _action(report, lines, returned)
    if not action:
        return Told("", [], returned, lines)
    named = notices(lines, senders_of(report.header, returned))
    for notice in named:
        notice.action = action
    return Told(action, named or _named_in_header(report.header, returned, action), returned, lines)


def senders_of(header: Group, returned: Group) -> set[str]:
    """Return the addresses, in lower case, that were not sent to but from, or write now."""
    values = [returned.get(name, "") for name in SENDER_FIELDS] + [header.get("from", ""), header.get("reply-to", "")]
    values += [header.get(name, "") for name in ("to", "delivered-to", "x-original-to")]
    found = {address.lower() for value in values for address in ADDRESSES.findall(value)}
    sent_to = {address.lower() for address in ADDRESSES.findall(returned.get("to", ""))}
    own = {address.lower() for address in ADDRESSES.findall(header.get("to", ""))}
    return found - (sent_to - own)


# -- inside ------------------------------------------------------------------------------------


def _action(report: Report, lines: list[str], returned: Group) -> str:
    """Return "failed", "delayed", or "" where the mail is something else."""
    header = report.header
    written = [line.strip().lower() for line in lines if line.strip()][:OPENING_LINES]
    known = _known(written)
    is_daemon = signs.is_from_daemon(header)
    signed = is_daemon or signs.is_from_nobody(header) or signs.is_automatic(header)
    if signs.is_answer(header) and not (is_daemon and known):
        return ""
    if signs.is_of_list(header) and not (is_daemon and (known or report.kind)):
        return ""
    if signs.is_vacation(header) and not (is_daemon and known):
        return ""
    if known and (signed or signs.is_of_failure(header)):
        return known.action
    if signs.is_challenge(header, "\n".join(written)):
        return ""
    text = " ".join(written)
    return "failed" if _weight(report, text, bool(returned)) >= ENOUGH else ""


def _known(written: list[str]) -> Format | None:
    """Return the format that the text opens in; the earliest line counts, and of two on one line the first listed."""
    delayed = None
    for line in written:
        for form in FORMATS:
            if form.opening.search(line[:400]):
                if form.action == "failed":
                    return delayed or _delayed(written) or form
                delayed = delayed or form
    return delayed


def _delayed(written: list[str]) -> Format | None:
    forms = [form for form in FORMATS if form.action == "delayed"]
    return next((form for line in written for form in forms if form.opening.search(line[:400])), None)


def _weight(report: Report, text: str, has_header: bool) -> int:
    """Return how many signs there are that an unknown system tells of a failure."""
    header = report.header
    says_reply, says_failure = REPLY.search(text) is not None, SENTENCE.search(text) is not None
    if not (says_reply or says_failure or signs.is_of_failure(header)):
        return 0
    return (
        2 * signs.is_from_daemon(header)
        + (signs.is_from_nobody(header) or signs.is_automatic(header))
        + 2 * signs.is_of_failure(header)
        + (has_header or report.has_returned)
        + says_reply
        + says_failure
    )


def _named_in_header(header: Group, returned: Group, action: str) -> list[Notice]:
    """Return the recipients whom only a header names: of this mail, or of the returned one."""
    for value in (header.get("x-failed-recipients", ""), returned.get("to", ""), returned.get("delivered-to", "")):
        found = list(dict.fromkeys(ADDRESSES.findall(value)))[:20]
        if found:
            return [Notice(address, action=action) for address in found]
    return [Notice("", action=action)]


def _of_json(text: str) -> Told | None:
    """Return what Amazon SES says of a bounce over SNS; docs.aws.amazon.com/ses: notification contents."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        said, _end = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return None
    bounce = said.get("bounce") if isinstance(said, dict) else None
    recipients = bounce.get("bouncedRecipients") if isinstance(bounce, dict) else None
    if not isinstance(recipients, list):
        return None
    found = [_of_ses(one) for one in recipients[:100] if isinstance(one, dict)]
    return Told("failed", found, {}, []) if found else None


def _of_ses(said: dict[str, Any]) -> Notice:
    values = {name: str(said.get(name) or "") for name in ("emailAddress", "diagnosticCode", "action", "status")}
    text = values["diagnosticCode"].removeprefix("smtp;").strip()
    return Notice(values["emailAddress"][:320], text, action=values["action"] or "failed", status=values["status"])
