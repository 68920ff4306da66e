"""A text for people about a failure: whether it is one, whom it names, and what returned with it.

A known system's opening needs one more sign that a mail system wrote the mail. A text that opens like none needs several:
the writer, the subject, the returned mail, an SMTP reply, a sentence about a failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from delivery.bounce_formats import FORMATS, signs
from delivery.bounce_formats.explanations import explained, unquoted
from delivery.bounce_formats.notice import ADDRESS, Format, Notice
from delivery.bounce_formats.recipients import notices
from delivery.complaints import read_json
from delivery.parts import Group
from delivery.reports import Report

OPENING_LINES = 60
LONGEST_OPENING = 400  # characters of a line
FIRST_LINES = 2  # in which a mail begins so, and does not quote another
ENOUGH = 4  # signs, of those in `_weight`
ADDRESSES = re.compile(ADDRESS)
REPLY = re.compile(r"(?<![\d.])[45]\d\d[ -]#?(?:[45]\.\d{1,3}\.\d{1,3}|[A-Za-z<])|\(#[45]\.\d\.\d\)")
SENTENCE = re.compile(
    r"(?:could|can|cannot|was|were|has|have|did|is|are)(?: ?not|n't)? (?:be |been )?(?:deliver|reach|accept|receiv|sent\b|process)|undeliver|unable to deliver|not (?:be )?deliver|deliver\w* (?:\S+ ){0,6}fail|fail\w* (?:\S+ ){0,4}deliver|permanent (?:error|failure)|returned to (?:you|sender)|user unknown|unknown user|mailbox (?:is )?full|does not exist|rejected|bounced"
)
STRANGER = Format("a system that no format knows", r"")
SENDER_FIELDS = ("from", "return-path", "sender", "reply-to", "x-sender", "errors-to")


@dataclass(frozen=True, slots=True)
class Told:
    """What a text says. `action` is "" for a text that tells of no failure."""

    action: str = ""
    notices: list[Notice] = field(default_factory=list)
    returned: Group = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    command: str = "dsn"
    wrapped: str = ""  # a bounce that came back in a bounce, where that names nobody

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def told(report: Report) -> Told:
    """Return what the mail's text tells of a failure or a delay."""
    if signs.is_from_amazon(report.header) and (found := _of_json(report.text)):
        return found
    lines, returned, below = explained(report.text)
    lines = unquoted(lines)
    returned = returned or report.returned
    form = _form(report, lines, returned)
    if not form:
        return Told("", [], returned, lines)
    action = form.action
    named = notices(lines, senders_of(report.header, returned))
    for notice in named:
        notice.action = action
    wrapped = "" if named or not signs.is_from_daemon(returned) else "\n".join(below).lstrip()
    return Told(
        action, named or _named_in_header(report.header, returned, action), returned, lines, form.command, wrapped
    )


def senders_of(header: Group, returned: Group) -> set[str]:
    """Return the addresses, in lower case, that were not sent to but from, or write now."""
    values = [returned.get(name, "") for name in SENDER_FIELDS] + [header.get("from", ""), header.get("reply-to", "")]
    values += [header.get(name, "") for name in ("to", "delivered-to", "x-original-to")]
    found = {address.lower() for value in values for address in ADDRESSES.findall(value)}
    sent_to = {address.lower() for address in ADDRESSES.findall(returned.get("to", ""))}
    own = {address.lower() for address in ADDRESSES.findall(header.get("to", ""))}
    return found - (sent_to - own)


# -- inside ------------------------------------------------------------------------------------


def _form(report: Report, lines: list[str], returned: Group) -> Format | None:
    """Return the form of the text, None where the mail is something else than a failure or a delay."""
    header = report.header
    written = [line.strip().lower() for line in lines if line.strip()][:OPENING_LINES]
    text = "\n".join(written)
    known = _known(written)
    is_daemon = signs.is_from_daemon(header)
    is_sure = known is not None and not known.is_plain
    if (signs.is_answer(header) or signs.is_vacation(header)) and not (is_daemon and known):
        return None
    if signs.is_of_list(header) and not (is_daemon and (report.kind or report.has_returned)):
        return None
    if signs.is_challenge(header, text, is_sure=is_daemon and is_sure):
        return None
    if is_sure and _is_signed(report, text, returned):
        return known
    return (known or STRANGER) if _weight(report, text, returned, known) >= ENOUGH else None


def _is_signed(report: Report, text: str, returned: Group) -> bool:
    """Return whether a mail system sent the mail, beside what its text says. Tickets quote mails, and are automatic too."""
    header = report.header
    if signs.is_from_daemon(header) or signs.is_from_nobody(header) or "x-failed-recipients" in header:
        return True
    begins_so = _known(text.split("\n")[:FIRST_LINES]) is not None
    has_returned = report.has_returned or (bool(returned) and begins_so)
    if signs.is_automatic(header) or signs.is_from_machine(header):
        return has_returned
    return begins_so and report.has_returned and signs.is_of_failure(header)


def _known(written: list[str]) -> Format | None:
    """Return the format that the text opens in: one of a delay if there is any, since those begin as failures do."""
    found: dict[str, Format] = {}
    for line in written:
        for form in FORMATS:
            before = found.get(form.action)
            is_better = before is None or (before.is_plain and not form.is_plain)
            if is_better and form.opening.search(line[:LONGEST_OPENING]):
                found[form.action] = form
    return found.get("delayed") or found.get("failed") or found.get("delivered")


def _weight(report: Report, text: str, returned: Group, known: Format | None) -> int:
    """Return how many signs there are that a system whose words prove little tells of a failure."""
    header = report.header
    says_reply, says_failure = REPLY.search(text) is not None, bool(known) or SENTENCE.search(text) is not None
    is_of_failure = signs.is_of_failure(header)
    has_returned = bool(returned) or report.has_returned or "x-failed-recipients" in header
    is_daemon, is_nobody = signs.is_from_daemon(header), signs.is_from_nobody(header)
    is_about_mail = is_of_failure or has_returned or (is_daemon and known is not None and says_reply)
    is_signed = (
        is_daemon
        or report.has_returned
        or "x-failed-recipients" in header
        or (is_nobody and (says_reply or has_returned))
    )
    if not is_about_mail or not is_signed:
        return 0
    if not has_returned and not notices(text.splitlines(), senders_of(header, returned)):
        return 0
    is_machine = is_nobody or signs.is_automatic(header)
    weight = 2 * is_daemon + is_machine + 2 * is_of_failure + has_returned + says_reply + says_failure
    return weight if is_daemon or is_nobody else weight - 2


def _named_in_header(header: Group, returned: Group, action: str) -> list[Notice]:
    """Return the recipients whom only a header names: of this mail, or of the returned one."""
    for value in (header.get("x-failed-recipients", ""), returned.get("to", ""), returned.get("delivered-to", "")):
        found = list(dict.fromkeys(ADDRESSES.findall(value)))[:20]
        if found:
            return [Notice(address, action=action) for address in found]
    return [Notice("", action=action)]


def _of_json(text: str) -> Told | None:
    """Return what Amazon SES says of a bounce over SNS; docs.aws.amazon.com/ses: notification contents."""
    said = read_json(text)
    bounce = said.get("bounce") if said else None
    recipients = bounce.get("bouncedRecipients") if isinstance(bounce, dict) else None
    if not isinstance(recipients, list):
        return None
    found = [_of_ses(one) for one in recipients[:100] if isinstance(one, dict)]
    return Told("failed", found, {}, text.split("\n")) if found else None


def _of_ses(said: dict[str, Any]) -> Notice:
    values = {name: str(said.get(name) or "") for name in ("emailAddress", "diagnosticCode", "action", "status")}
    text = values["diagnosticCode"].removeprefix("smtp;").strip()
    return Notice(values["emailAddress"][:320], text, action=values["action"] or "failed", status=values["status"])
