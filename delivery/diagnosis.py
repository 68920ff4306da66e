"""Why a report says that a recipient was not reached: one reason out of its fields, its text for people and its codes.

A report says the same thing several times, and seldom everywhere well: the reply that a server gave, the words of the
system that reports it, a status code that may be a mere guess (RFC 3464 §2.3.4). The most particular words decide, read by
the same rules as SMTP replies; then the enhanced code, then the bare one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from delivery import replies
from delivery.reply_rules import mailboxes, moments, returned
from delivery.reply_rules.registry import CODES
from delivery.reply_rules.registry import ENHANCED as REGISTERED
from delivery.reply_rules.rule import Rule
from delivery.smtp import ENHANCED, LONGEST_TEXT, Reply
from mailsales.reasons import About, Reason

CODE = re.compile(r"(?<![\w.=/#-])(?<!\S:)([45]\d\d)(?=[ ,:;-]|$)")
STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
# Of a reply in several lines, each line begins with the code (RFC 5321 §4.2.1).
REPEATED = re.compile(r"(?<=\s)[45]\d\d(?:-| (?=[45]\.\d))(?:[45]\.\d{1,3}\.\d{1,3}\b)?")
IN_REPLY_TO = re.compile(r"\(in reply to [^()]{0,40}\)")  # Postfix
NEXT_REPLY = re.compile(r" (?:<<<|>>>|[45]\d\d(?= [<45]))")  # in a transcript
# That a system gave up is the reason only where it names none.
GAVE_UP = re.compile(
    r"(?:\b(?:i'm not going to try again; )?(?:this |the |your )?(?:message|mail) (?:has been|was|is|had been) (?:in the queue too long|too long in the queue|queued too long))"
    r"|(?:message|mail)?[ ]?(?:could not|cannot|has not|can't)(?: been| be)? deliver(?:ed)? (?:for|within|after|in)(?: the last| more than)? (?:\d+ \w+|too long)|message will be deleted from queue|will keep trying until message is \d+ \w+ old"
    r"|all hosts (?:for .{0,80} )?have been failing for a long time(?: and were last tried after this message arrived)?|retry time(?:out)? (?:exceeded|not reached(?: for any host)?)|delivery failed \d+ attempts|delivery time (?:limit )?(?:has )?expired|message (?:has )?(?:expired|timed out)|(?:message|mail) still undelivered after|could not send message for past|unable to deliver (?:message )?(?:in|after|for) (?:\d+|multiple) \w+|(?:failed|tried) (?:\d+|multiple) (?:times|attempts)|multiple retries|maximum (?:retry|delivery|queue) (?:time|attempts|lifetime)|timeout exceeded|retry limit|giving up(?! on)",
    re.IGNORECASE,
)
BAD_ADDRESS = re.compile(r"\b[45]\.1\.\d")  # RFC 3463 §3.2
IS_UNKNOWN = re.compile(r"\b[45]\.(?:1\.\d|5\.0)\b")
AFTER = frozenset({"data", "dot"})  # where a status field of 5.1.1 is mostly a guess
LONGEST_SENTENCE = 120  # characters
SENDER_ABROAD = re.compile(
    r"expéditeur|absender|remitente|mittente|remetente|отправител|差出人|送信者|发件人|寄件|발신자|보낸"
)
BEHIND = 20  # characters behind the words of a rule; what follows may be the reporting system's
BEFORE_REPLY = 200  # characters before a quoted reply that may say more than it
LONGEST = 2_000  # characters of one text that are read
# What a rule says only for want of better words: others are looked for, then a code that knows more.
VAGUE = frozenset({Reason.OTHER, Reason.SYSTEM_ERROR, Reason.SYNTAX})
VAGUE_CODES = VAGUE | {Reason.POLICY, Reason.SECURITY, Reason.CONTENT}


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
    said = [list(_readings(text[:LONGEST], field, command, host)) for text in texts if text.strip()]
    flat = [one for readings in said for one in readings]
    best = next((one for one in flat if one.code), flat[0] if flat else None)
    enhanced = (best.reply.enhanced if best else "") or field
    code = best.code if best else None
    reason, words = _reason(said, (enhanced, field), code)
    return Diagnosis(_of_opening(reason, command), enhanced, code, words[:LONGEST_TEXT])


# -- inside ------------------------------------------------------------------------------------


def _readings(text: str, status: str, command: str, host: str) -> Iterator[_Said]:
    """Yield the first reply that the text quotes, all from there on, then all of it."""
    text = " ".join(text.split())
    quoted = CODE.search(text)
    if quoted:
        code, words = int(quoted[1]), text[quoted.start() :]
        plain = IN_REPLY_TO.sub("", REPEATED.sub("", words[3:].lstrip(" -:,;")))
        plain = " ".join(plain.split())
        following = NEXT_REPLY.search(plain)
        for each in (plain[: following.start()], plain) if following else (plain,):
            yield _Said(
                Reply(code, _with(each, "" if command in AFTER else status, str(code)[0]), command, host), code, words
            )
        if quoted.start() < 5:
            return
        text = text[max(0, quoted.start() - BEFORE_REPLY) :]
    found = ENHANCED.search(text)
    leading = found[0][0] if found else status[:1]
    code = 450 if leading == "4" else 550
    yield _Said(Reply(code, _with(text, status, str(code)[0]), command, host), None, text)


def _with(text: str, status: str, leading: str) -> str:
    """Return the text behind the status field's code, where it has none of its own and the field's is no mere guess."""
    found = ENHANCED.search(text)
    is_told = status.startswith((f"{leading}.1.", f"{leading}.2.", "5.5.0")) and not status.endswith(".1.0")
    return text if not is_told or (found and found[0][0] == leading) else f"{status} {text}"


def _reason(said: list[list[_Said]], codes: tuple[str, str], code: int | None) -> tuple[Reason, str]:
    """Return the reason and the words that told it."""
    known = [REGISTERED.get(each.partition(".")[2]) for each in codes]
    if said and said[0] and _is_about_others(said[0][0]):
        known = [reason for reason in known if reason and not reason.can_be_hard]
    vague: tuple[Reason, str] | None = None
    first = said[0][0].words if said and said[0] else ""
    for number, readings in enumerate(said or [[]]):
        for one in readings:
            rule = _rule_for(one.reply)
            if rule and _is_doubtful(rule, one):
                return Reason.OTHER, one.words
            if rule and not _is_vague(rule):
                return rule.reason, one.words
            if rule and (not vague or vague[0] is Reason.OTHER):
                vague = rule.reason, one.words
        if number == 0 and (reason := next((each for each in known if each and each not in VAGUE_CODES), None)):
            return reason, first
    if any(GAVE_UP.search(one.reply.text) for readings in said for one in readings):
        return Reason.EXPIRED, first
    if vague and vague[0] is not Reason.OTHER:
        return vague
    if codes[0].startswith("4") and Reason.SYNTAX in known:
        return Reason.SYSTEM_ERROR, first
    return next((reason for reason in known if reason), None) or CODES.get(code or 0, Reason.OTHER), first


def _rule_for(reply: Reply) -> Rule | None:
    reply = replace(reply, text=GAVE_UP.sub(" ", reply.text))
    rule = returned.rule_for(reply) or replies.rule_for(reply)
    if rule in mailboxes.UNKNOWN and rule.reason is Reason.USER_UNKNOWN and reply.command == "dsn":
        return rule if IS_UNKNOWN.search(reply.text) else returned.UNKNOWN_TO_A_FILTER
    if rule in mailboxes.UNKNOWN and rule.reason is Reason.FILTERED and BAD_ADDRESS.search(reply.text):
        return replies.rule_for(replace(reply, command="rcpt"))  # after DATA, but words and code agree
    return rule


def _is_doubtful(rule: Rule, said: _Said) -> bool:
    """Return whether a quoted refusal that seems to be about a dead address may mean somebody else."""
    if not rule.reason.can_be_hard or said.code is None:
        return False
    text = replies.normal(said.reply.text)
    found = rule.text.search(text)
    return _speaks_of_sender(text[: found.end() + BEHIND if found else None])


def _is_about_others(said: _Said) -> bool:
    """Return whether a quoted refusal that no rule knows speaks of the sender, so that its code is a guess."""
    return said.code is not None and _speaks_of_sender(replies.normal(said.reply.text)[:LONGEST_SENTENCE])


def _speaks_of_sender(text: str) -> bool:
    return replies.DOUBT.search(text) is not None or SENDER_ABROAD.search(text) is not None


def _is_vague(rule: Rule) -> bool:
    """Return whether the rule's words are too general to stand against others."""
    return rule.reason is Reason.OTHER or (rule.reason in VAGUE and rule in moments.RULES)


def _of_opening(reason: Reason, command: str) -> Reason:
    """Return the reason where nobody was named yet: such a refusal is about the sender."""
    if command not in replies.BEFORE_RECIPIENT or not (
        reason.about in (About.ADDRESS, About.MAILBOX) or reason is Reason.OTHER
    ):
        return reason
    return Reason.REJECTED if command == "mail" else Reason.BLOCKED
