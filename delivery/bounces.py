"""Delivery reports: which recipients failed, why, and whether for good (RFC 3464; RFC 6533 for `global` types).

Only `Action: failed` is a failure: delays, deliveries, relays and expansions change nothing, and neither do automatic
replies (RFC 3834), which have no groups at all. The verdict comes from the same rules as SMTP replies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from delivery.replies import reason_of
from delivery.reports import Group, Report
from delivery.smtp import LONGEST_TEXT, Reply
from mailsales.reasons import Reason

STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
CODE = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -]|$)")
UNASKED = re.compile(r"<<< (503\b|554 .*no valid recipients)")  # DATA pipelined behind a refused RCPT (RFC 2920)
REPLY_TO = re.compile(r"in reply to (?:the )?(end of )?(MAIL|RCPT|DATA)|>>> (MAIL|RCPT|DATA)\b")  # Postfix; Sendmail


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient that a report says was not reached. `code` is None where the report quotes no SMTP reply."""

    recipient: str
    reason: Reason
    is_hard: bool
    status: str
    code: int | None
    text: str


def failures(report: Report) -> list[Failure]:
    """Return the failures of a delivery report, in its order."""
    if report.kind != "delivery-status":
        return []
    failed = [group for group in report.groups if _is_failed(group)]
    command = command_of(report.text) if len(failed) == 1 else "dsn"
    return [_failure(group, command) for group in failed]


def command_of(text: str) -> str:
    """Return the SMTP command that the text for people says was refused, or `dsn`."""
    found = list(REPLY_TO.finditer(text))
    if not found:
        return "dsn"
    is_end, command, sent = found[-1].groups()
    if sent == "DATA" and UNASKED.search(text):
        return "rcpt"
    return "dot" if is_end or sent == "DATA" else (command or sent).lower()


def failure_of(report: Report, address: str) -> Failure | None:
    """Return the failure of this address, or the first where forwarding hid it (RFC 3464 §2.3.1)."""
    found = failures(report)
    return next((one for one in found if one.recipient.casefold() == address.casefold()), found[0] if found else None)


def _is_failed(group: Group) -> bool:
    if "final-recipient" not in group and "original-recipient" not in group:  # RFC 3464 §2.2: about the whole message
        return False
    action = group.get("action", "").partition(" ")[0].lower()
    if action:
        return action == "failed"  # RFC 3464 §2.3.3
    return group.get("status", "").startswith("5")


def _failure(group: Group, command: str) -> Failure:
    text = _value(group.get("diagnostic-code", ""))  # RFC 3464 §2.3.6
    found = STATUS.search(group.get("status", ""))  # RFC 3464 §2.3.4
    status = found[0] if found else ""
    quoted = CODE.search(text)
    code = int(quoted[1]) if quoted else None
    words = text[quoted.end() :].lstrip(" -") if quoted else text
    recipient = _value(group.get("original-recipient") or group.get("final-recipient", "")).strip("<>")
    remote = _value(group.get("remote-mta", ""))
    host = recipient.rpartition("@")[2] if not remote or remote.startswith("[") else remote
    reply = Reply(code or int(f"{status[:1] or 5}50"), words, command, host)
    if status and not reply.enhanced:
        reply = Reply(int(f"{status[0]}50"), f"{status} {words}".strip(), command, host)
    reason = reason_of(reply)
    is_permanent = (status or str(reply.code))[0] == "5"
    return Failure(recipient, reason, is_permanent and reason.can_be_hard, status, code, text[:LONGEST_TEXT])


def _value(typed: str) -> str:
    """Return what stands behind the type of `rfc822; taro@example.jp`, fit for a database."""
    kind, semicolon, value = typed.partition(";")
    text = (value if semicolon and " " not in kind.strip() else typed).strip()
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
