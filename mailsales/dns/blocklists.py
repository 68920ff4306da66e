"""Whether addresses and domains are on block lists that receivers use (DNSBL, RFC 5782).

A list is believed only while its own test points are as RFC 5782 §5 says: one that lists everything (a zone that was given
up, a wildcard) or nothing (it does not answer this name server) is "unusable", and a refusal is never a listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

import dns.reversename

from mailsales.dns.blocklist_table import BLOCKLISTS, REFUSALS, Blocklist, Kind, Meaning, Refusal
from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions, a_labels

LONGEST_REASON = 300  # characters of a list's own words that are kept
State = Literal["listed", "clear", "refused", "unusable", "trouble"]


@dataclass(frozen=True)
class Finding:
    """What a list says of `subject`. `answers` are its A records as they came, `meanings` those of a listing.

    `reason` is what the list says in words, a stranger's; `refusal` is why it does not answer.
    """

    blocklist: Blocklist
    subject: str
    state: State
    answers: tuple[str, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    refusal: Refusal | None = None
    reason: str = ""


def look_up(questions: Questions, subject: str, *, blocklists: Iterable[Blocklist] = BLOCKLISTS) -> list[Finding]:
    """Return what each list that has such things says of an IP address or a domain.

    What is no domain is on no list. Use one `Questions` for many subjects: the lists' test points are asked for once.
    """
    kind, label = _asked_as(subject)
    return [_finding(questions, one, subject, label) for one in blocklists if kind in one.kinds]


def _asked_as(subject: str) -> tuple[Kind, str]:
    """Return what it is, and the name that it has below a list's zone (RFC 5782 §2.1, §2.4, §3)."""
    try:
        address = ip_address(subject)
    except ValueError:
        try:
            return "domain", a_labels(subject)
        except NoSuchDomain:
            return "domain", ""
    reverse = dns.reversename.from_address(str(address))
    return "ipv4" if address.version == 4 else "ipv6", reverse.split(3)[0].to_text()


def _finding(questions: Questions, blocklist: Blocklist, subject: str, label: str) -> Finding:
    try:
        listed, unlisted = (_answers(questions, blocklist, test) for test in (blocklist.listed, blocklist.unlisted))
        if refusal := _refusal(blocklist, [*listed, *unlisted]):
            return Finding(blocklist, subject, "refused", (*listed, *unlisted), refusal=refusal)
        if unlisted or not _listings(listed):
            return Finding(blocklist, subject, "unusable", tuple(unlisted))
        answers = _answers(questions, blocklist, label)
    except DnsTrouble:
        return Finding(blocklist, subject, "trouble")
    if refusal := _refusal(blocklist, answers):
        return Finding(blocklist, subject, "refused", tuple(answers), refusal=refusal)
    if not (found := _listings(answers)):
        return Finding(blocklist, subject, "unusable" if answers else "clear", tuple(answers))
    meanings = tuple(dict.fromkeys(meaning for answer in found for meaning in _meanings(blocklist, answer)))
    reason = _reason(questions, blocklist, label)
    return Finding(blocklist, subject, "listed", tuple(found), meanings, reason=reason)


def _answers(questions: Questions, blocklist: Blocklist, label: str) -> list[str]:
    try:
        return sorted(questions.a(f"{label}.{blocklist.zone}"))
    except NoSuchDomain:
        return []


def _refusal(blocklist: Blocklist, answers: Sequence[str]) -> Refusal | None:
    """Return why the list does not answer, if it says so."""
    known = {**REFUSALS, **blocklist.refusals}
    return next((known[answer] for answer in answers if answer in known), None) or next(
        ("blocked" for answer in answers if answer.startswith("127.255.")), None
    )


def _listings(answers: Sequence[str]) -> list[str]:
    """Return the answers that can be listings; a parked zone answers by the address of some web server."""
    return [answer for answer in answers if answer.startswith("127.")]


def _meanings(blocklist: Blocklist, answer: str) -> list[Meaning]:
    if answer in blocklist.codes:
        return [blocklist.codes[answer]]
    last = int(answer.rpartition(".")[2])
    return [meaning for bit, meaning in blocklist.bits.items() if last & bit] or ["spam"]


def _reason(questions: Questions, blocklist: Blocklist, label: str) -> str:
    """Return what the list says of the listing (RFC 5782 §2.1)."""
    try:
        return " ".join(" ".join(questions.txt(f"{label}.{blocklist.zone}")).split())[:LONGEST_REASON]
    except (NoSuchDomain, DnsTrouble):
        return ""
