"""What came back about a message: which recipients failed, why, and whether for good; or what else the mail is.

`read_bounce` reads any mail in this order: a report of abuse (ARF, RFC 5965), a delivery report with fields (RFC 3464;
RFC 6533 for `global` types), then the texts of mail systems that write for people alone (`delivery/bounce_formats/`).
Only `Action: failed` is a failure: delays, deliveries, relays and expansions change nothing, and neither do automatic
replies (RFC 3834) and challenges. The reason comes from the same rules as for SMTP replies (`delivery/diagnosis.py`).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from enum import StrEnum

from delivery.bounce_formats import signs
from delivery.bounce_formats.notice import Notice
from delivery.bounce_formats.recipients import command_of, notices, reply_in
from delivery.bounce_formats.telling import Told, senders_of, told
from delivery.complaints import Feedback, feedback_of, is_wish
from delivery.diagnosis import STATUS, diagnose
from delivery.parts import Group, printable
from delivery.reports import Report, groups_of, read_report
from delivery.returned_tokens import tokens_in
from mailsales.reasons import Reason

FAILED = ("failed", "failure", "fail", "error", "undeliverable", "bounced", "refused", "rejected")
NOT_FAILED = ("delayed", "delivered", "relayed", "expanded", "deliverable")  # RFC 3464 §2.3.3
ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")  # a letter of an address, RFC 6533 §3
MOST_READ, SHORTEST_SHARE = 60_000, 240  # characters of all recipients' texts together, and of one's
ALWAYS_DEAD = frozenset({Reason.USER_UNKNOWN, Reason.MOVED})


class Kind(StrEnum):
    """What a mail that came back is. Only a bounce and a complaint are ever held against an address."""

    BOUNCE = "bounce"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    FEEDBACK = "feedback"  # that blames nobody: not-spam, auth-failure (RFC 5965 §7.3)
    OPT_OUT = "opt_out"  # a mail program unsubscribes its user: a person's wish, whatever is marked as automatic
    RECEIPT = "receipt"  # RFC 8098
    VACATION = "vacation"
    CHALLENGE = "challenge"
    ORDINARY = "ordinary"


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient of whom a report speaks. `action` is "failed", or "delayed" where the mail is still being tried.

    `code` is None where the report quotes no SMTP reply; `status` is the enhanced code (RFC 3463) or nothing.
    `recipient` is empty where neither the report nor the returned mail names one.
    """

    recipient: str
    reason: Reason
    is_hard: bool
    status: str
    code: int | None
    text: str
    action: str = "failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail is. `recipients` are those that failed or wait, in the mail's order; `feedback` is a complaint.

    `tokens` are texts that look like tokens of ours, the likeliest first, not yet validated: from the address that the mail
    was sent to, then from the header of the returned mail. `returned` is that header, names in lower case.
    """

    kind: Kind
    recipients: list[Failure] = field(default_factory=list)
    feedback: Feedback | None = None
    tokens: list[str] = field(default_factory=list)
    header: Group = field(default_factory=dict)
    returned: Group = field(default_factory=dict)

    @property
    def failures(self) -> list[Failure]:
        """The recipients that were given up."""
        return [one for one in self.recipients if one.action == "failed"]

    @property
    def is_automatic(self) -> bool:
        """Whether a program wrote it, so that nobody's wish stands in it (RFC 3834 §5)."""
        if self.kind is Kind.OPT_OUT:
            return False
        return self.kind is not Kind.ORDINARY or signs.is_automatic(self.header) or signs.is_from_daemon(self.header)

    def failure_of(self, address: str) -> Failure | None:
        """Return the failure of this address, or the first where forwarding hid it (RFC 3464 §2.3.1)."""
        found = self.failures
        same = (one for one in found if one.recipient.casefold() == address.casefold())
        return next(same, found[0] if found else None)


def read_bounce(raw: bytes) -> Reading:
    """Return what the mail is, whatever bytes it is: never raises, in time that grows as its size.

    For the inbound server: take `tokens` in turn until one validates; without one, keep the mail for the operator. Then
    `feedback` of a COMPLAINT, `failure_of(message.address)` of a BOUNCE; every other kind changes nothing.
    """
    report = read_report(raw)
    story = told(report)
    returned = report.returned or story.returned
    kind, recipients, feedback = _read(report, story)
    if kind is Kind.BOUNCE and story.wrapped:
        inner = read_report(story.wrapped.encode("utf-8", "replace"))
        recipients = _read(inner, told(inner))[1] or recipients
    tokens = tokens_in(report.header, report.groups, returned, story.text)
    return Reading(kind, recipients, feedback, tokens, report.header, returned)


# -- inside ------------------------------------------------------------------------------------


def _read(report: Report, story: Told) -> tuple[Kind, list[Failure], Feedback | None]:
    if feedback := feedback_of(report):
        return (Kind.COMPLAINT if feedback.is_against_us else Kind.FEEDBACK), [], feedback
    if is_wish(report):
        return Kind.OPT_OUT, [], Feedback("opt-out", "")
    if report.kind == "disposition-notification":
        return Kind.RECEIPT, [], None
    groups = [group for group in report.groups if _names_recipient(group)]
    groups = [group for group in groups if _action(group)]
    if report.kind == "delivery-status" and groups:
        return _of_groups(report, story, groups)
    if story.action == "delivered":
        return Kind.DELIVERED, [], None
    if story.action:
        groups = [group for group in groups_of(story.text) if _names_recipient(group) and "action" in group]
        if groups:
            return _of_groups(report, story, groups)
        failures = [_of_notice(notice, story) for notice in story.notices]
        return (Kind.BOUNCE if story.action == "failed" else Kind.DELAYED), failures, None
    if signs.is_vacation(report.header):
        return Kind.VACATION, [], None
    return (Kind.CHALLENGE if signs.is_challenge(report.header, story.text) else Kind.ORDINARY), [], None


def _names_recipient(group: Group) -> bool:
    return "final-recipient" in group or "original-recipient" in group  # else about the whole message, RFC 3464 §2.2


def _of_groups(report: Report, story: Told, groups: list[Group]) -> tuple[Kind, list[Failure], None]:
    notes = story.notices or notices(story.lines, senders_of(report.header, report.returned))
    actions = [_action(group) for group in groups]
    failures = [
        _of_group(group, action, story, notes, len(groups))
        for group, action in zip(groups, actions, strict=True)
        if action in ("failed", "delayed")
    ]
    if "failed" in actions:
        return Kind.BOUNCE, failures, None
    return (Kind.DELAYED if failures else Kind.DELIVERED), failures, None


def _action(group: Group) -> str:
    """Return the action of RFC 3464 §2.3.3, also where it is missing or misspelt."""
    said = group.get("action", "").lower().strip(" ;:.")
    word = said.partition(" ")[0].strip("(),;")
    if word.startswith(FAILED):
        return "failed"
    if word in NOT_FAILED:
        return word
    status = STATUS.search(group.get("status", ""))
    first = status[0][0] if status else ""
    return {"5": "failed", "4": "delayed", "2": "delivered"}.get(first, "failed" if word else "")


def _of_group(group: Group, action: str, story: Told, notes: list[Notice], count: int) -> Failure:
    is_only = count == 1
    diagnostic = typed(group.get("diagnostic-code", ""))  # RFC 3464 §2.3.6
    recipient = _recipient(group)
    note = next((one for one in notes if one.recipient.lower() == recipient.lower()), None)
    if note is None and is_only and len(notes) == 1:
        note = notes[0]
    status = group.get("status", "")
    _code, _blank, comment = status.partition(" ")
    quoted = reply_in(story.lines) if is_only else ""
    texts = [diagnostic, quoted, note.text if note else "", comment.strip("() ")]
    command = command_of(diagnostic)
    if command == "dsn" and (note or is_only):
        command = command_of(story.text if is_only else note.text if note else "")
    command = story.command if command == "dsn" else command
    remote = typed(group.get("remote-mta", "")).partition(" ")[0]
    host = recipient.rpartition("@")[2] if not remote or remote.startswith("[") else remote
    return _failure(recipient, action, _shares(texts, count), status, command, host)


def _of_notice(notice: Notice, story: Told) -> Failure:
    is_only = len(story.notices) == 1
    texts = [reply_in(story.lines), notice.text, story.text] if is_only else [notice.text]
    command = command_of(story.text if is_only else notice.text)
    command = story.command if command == "dsn" else command
    host = notice.recipient.rpartition("@")[2]
    texts = _shares(texts, len(story.notices))
    return _failure(notice.recipient, notice.action, texts, notice.status, command, host)


def _shares(texts: list[str], count: int) -> list[str]:
    """Return the beginnings of the texts that are read of each of so many recipients, so that thousands take no minutes."""
    return [text[: max(SHORTEST_SHARE, MOST_READ // count)] for text in texts]


def _failure(recipient: str, action: str, texts: list[str], status: str, command: str, host: str) -> Failure:
    found = diagnose(texts, status, command, host)
    reason = found.reason
    if action == "delayed" and reason is Reason.OTHER:
        reason = Reason.EXPIRED  # not yet, and nobody says why
    is_hard = action == "failed" and reason.can_be_hard
    if reason not in ALWAYS_DEAD and found.code is None and found.status.startswith("4"):  # DNS may know it later
        is_hard = False
        reason = Reason.NETWORK_ERROR if reason is Reason.HOST_UNKNOWN else reason
    text = printable(found.text)
    return Failure(printable(recipient)[:320], reason, is_hard, found.status, found.code, text, action)


def _recipient(group: Group) -> str:
    for name in ("original-recipient", "final-recipient"):
        value = typed(group.get(name, "")).strip("<> \"'")
        if "@" in value:
            return ESCAPED.sub(lambda found: chr(min(int(found[1], 16), sys.maxunicode)), value)
    return typed(group.get("final-recipient") or group.get("original-recipient", "")).strip("<> ")


def typed(value: str) -> str:
    """Return what stands behind the type of `rfc822; taro@example.jp`, fit for a database."""
    kind, semicolon, rest = value.partition(";")
    return printable((rest if semicolon and " " not in kind.strip() else value).strip())
