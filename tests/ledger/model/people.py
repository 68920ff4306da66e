"""The tick, people who pause, cancel, resend and unsubscribe, and time that passes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.model.rows import Ledger
from tests.ledger.model.words import (
    CANCELLED,
    CLOSED,
    DONE,
    FROZEN,
    ON,
    PAUSED,
    QUEUED,
    SENDING,
    STOPPED,
    UNKNOWN,
    Step,
)


def tick_and_people(ledger: Ledger, s: bytes) -> Iterator[Step]:
    rows = s[ledger.row : ledger.row + ledger.M]
    is_on, is_paused = s[ledger.campaign] == ON, s[ledger.campaign] == PAUSED
    empty = all(row in CLOSED for row in rows)
    if s[ledger.campaign] == STOPPED and (
        QUEUED in rows or (ledger.mutant == "cancel closes leased rows" and SENDING in rows)
    ):
        n = bytearray(s)
        for m in ledger.messages:
            if rows[m] == QUEUED or (ledger.mutant == "cancel closes leased rows" and rows[m] == SENDING):
                ledger.close(n, m, CANCELLED)
        yield ("the tick closes the due rows of the cancelled campaign", 0, 0), n, "", False
    if ledger.mutant == "hasten takes leased rows":
        yield from _hastens(ledger, s)
    if ledger.mutant == "finish checks before it locks":
        yield from _torn_finish(ledger, s, empty)
    elif is_on and empty:
        yield _campaign(ledger, s, "the tick finds no open row and finishes the campaign", DONE)
    if is_on and s[ledger.pauses]:
        yield _campaign(ledger, s, "a person pauses the campaign", PAUSED, ledger.pauses)
    if is_paused:
        yield _campaign(ledger, s, "a person resumes the campaign", ON)
    if (is_on or is_paused) and s[ledger.cancels]:
        yield _campaign(ledger, s, "a person cancels the campaign", STOPPED, ledger.cancels)
    for m in ledger.messages:
        unknown = rows[m] == UNKNOWN or (
            ledger.mutant == "resend without a guard" and rows[m] == SENDING and s[ledger.resends + m]
        )
        if unknown and s[ledger.resends_left] and s[ledger.campaign] != STOPPED:
            n = bytearray(s)
            n[ledger.resends_left] -= 1
            n[ledger.resends + m] += rows[m] == UNKNOWN
            ledger.close(n, m, QUEUED)
            n[ledger.campaign] = ON if s[ledger.campaign] == DONE else s[ledger.campaign]
            yield ("a person asks to send message {m} again", 0, m), n, "", False
        if s[ledger.unsubscribes] and not s[ledger.barred + m]:
            n = bytearray(s)
            n[ledger.unsubscribes] -= 1
            n[ledger.barred + m] = 1
            yield ("the contact of message {m} unsubscribes", 0, m), n, "", False
    stop_to_come = s[ledger.campaign] in (PAUSED, STOPPED) and not s[ledger.stop_in_force]
    if stop_to_come or 1 in s[ledger.barred : ledger.barred + ledger.M]:
        n = bytearray(s)
        n[ledger.stop_in_force] = int(s[ledger.campaign] in (PAUSED, STOPPED))
        for m in ledger.messages:
            n[ledger.barred + m] = 2 if s[ledger.barred + m] else 0
        for w in ledger.workers:
            if not (ledger.bounds.blind and s[ledger.life + w] == FROZEN):
                n[ledger.is_fresh + w] = 0
        yield ("1.5 s pass: what was committed is in force, older watches are stale", 0, 0), n, "", False


def _campaign(ledger: Ledger, s: bytes, words: str, to: int, budget: int = -1) -> Step:
    n = bytearray(s)
    n[ledger.campaign], n[ledger.stop_in_force] = to, 0 if to in (ON, DONE) else s[ledger.stop_in_force]
    if budget >= 0:
        n[budget] -= 1
    return (words, 0, 0), n, "", False


def _hastens(ledger: Ledger, s: bytes) -> Iterator[Step]:
    """`hasten` moves due times alone, and here each waiting row is due: only without its guard is it a step."""
    for m in ledger.messages:
        if s[ledger.row + m] == SENDING:
            n = bytearray(s)
            ledger.close(n, m, QUEUED)
            yield ("what was put off is called back, and the claimed message {m} with it", 0, m), n, "", False


def _torn_finish(ledger: Ledger, s: bytes, empty: bool) -> Iterator[Step]:
    if s[ledger.campaign] == ON and empty and not s[ledger.saw_empty]:
        n = bytearray(s)
        n[ledger.saw_empty] = 1
        yield ("the tick sees no open row", 0, 0), n, "", False
    if s[ledger.campaign] == ON and s[ledger.saw_empty]:
        label, n, bad, fault = _campaign(ledger, s, "the tick finishes the campaign on what it saw", DONE)
        n[ledger.saw_empty] = 0
        yield label, n, bad, fault
