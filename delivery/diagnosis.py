"""Why a report says that a recipient was not reached: one reason out of its fields, its text for people and its codes.

A report says the same thing several times, and seldom everywhere well: the reply that a server gave, the words of the
system that reports it, a status code that may be a mere guess (RFC 3464 §2.3.4). The most particular words decide, read by
the same rules as SMTP replies; then the enhanced code, then the bare one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from delivery import replies
from delivery.reply_rules import returned
from delivery.reply_rules.registry import CODES
from delivery.reply_rules.registry import ENHANCED as REGISTERED
from delivery.smtp import ENHANCED, LONGEST_TEXT, Reply
from mailsales.reasons import About, Reason

CODE = re.compile(r"(?<![\d.:/=#-])([45]\d\d)(?=[ -]|$)")
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
REPEATED = re.compile(r"(?<=\s)[45]\d\d(?:-| (?=[45]\.\d))(?:[45]\.\d{1,3}\.\d{1,3}\b)?")  # of a reply in several lines
LONGEST = 4_000  # characters of one text that are read
# What a rule says only for want of better words: others are looked for, then a code that knows more.
VAGUE = frozenset({Reason.OTHER, Reason.SYSTEM_ERROR, Reason.SYNTAX})
VAGUE_CODES = VAGUE | {Reason.POLICY, Reason.SECURITY}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The reason, the enhanced code or nothing, the code of the quoted reply or None, and the words that told it."""

    reason: Reason
    status: str
    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as a reply to read, the code that it quotes, and its words as they stand there."""

    reply: Reply
    code: int | None
    words: str


def diagnose(texts: Sequence[str], status: str, command: str, host: str) -> Diagnosis:
    """Return what the texts, the most particular first, and the status field say together."""
    found = STATUS.search(status)
    field = found[0] if found else ""
    said = [one for text in texts if text.strip() for one in _readings(text[:LONGEST], field, command, host)]
    best = next((one for one in said if one.code), said[0] if said else None)
    enhanced = best.reply.enhanced if best else field
    reason, words = _reason(said, enhanced or field, field, best.code if best else None)
    reason = _of_opening(reason, command)
    return Diagnosis(reason, enhanced or field, best.code if best else None, words[:LONGEST_TEXT])


# -- inside ------------------------------------------------------------------------------------


def _readings(text: str, status: str, command: str, host: str) -> Iterator[_Said]:
    """Yield the text from the code on that it quotes, then all of it."""
    text = " ".join(text.split())
    quoted = CODE.search(text)
    if quoted:
        code, words = int(quoted[1]), text[quoted.start() :]
        plain = " ".join(REPEATED.sub("", words[3:].lstrip(" -")).split())
        yield _Said(Reply(code, _with(plain, status, str(code)[0]), command, host), code, words)
        if quoted.start() < 5:
            return
    found = ENHANCED.search(text)
    leading = found[0][0] if found else status[:1]
    code = 450 if leading == "4" else 550
    yield _Said(Reply(code, _with(text, status, str(code)[0]), command, host), None, text)


def _with(text: str, status: str, leading: str) -> str:
    """Return the text behind the status field's code, where it has none of its own and the field says something."""
    found = ENHANCED.search(text)
    is_told = status.startswith(leading) and not status.endswith((".0.0", ".5.0"))
    return text if not is_told or (found and found[0][0] == leading) else f"{status} {text}"


def _reason(said: list[_Said], enhanced: str, status: str, code: int | None) -> tuple[Reason, str]:
    """Return the reason and the words that told it."""
    vague: tuple[Reason, str] | None = None
    for one in said:
        rule = returned.rule_for(one.reply) or replies.rule_for(one.reply)
        if rule and rule.reason not in VAGUE:
            return rule.reason, one.words
        if rule and (not vague or vague[0] is Reason.OTHER):
            vague = rule.reason, one.words
    words = said[0].words if said else ""
    known = [REGISTERED.get(each.partition(".")[2]) for each in (enhanced, status)]
    for reason in known:
        if reason and reason not in VAGUE_CODES:
            return reason, words
    if vague and vague[0] is not Reason.OTHER:
        return vague
    return next((reason for reason in known if reason), None) or CODES.get(code or 0, Reason.OTHER), words


def _of_opening(reason: Reason, command: str) -> Reason:
    """Return the reason where nobody was named yet: such a refusal is about the sender."""
    if command not in replies.BEFORE_RECIPIENT or not (
        reason.about in (About.ADDRESS, About.MAILBOX) or reason is Reason.OTHER
    ):
        return reason
    return Reason.REJECTED if command == "mail" else Reason.BLOCKED
