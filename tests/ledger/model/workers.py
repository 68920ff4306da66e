"""What workers, receivers and late statements do: one step is one committed statement, one journal write or one flight of bytes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.model.rows import Ledger
from tests.ledger.model.words import (
    ANSWERED,
    BLANK,
    CHECKED,
    CLAIM,
    DEAD,
    DOT,
    DOTTED,
    DROPPED,
    FREE,
    GIVE_BACK,
    GIVING,
    GONE,
    GOT_OF,
    HELD,
    NOTE_OF,
    NOTED,
    NOTHING,
    ON,
    OPEN,
    QUEUED,
    QUIET,
    RECORD,
    REPLY_LATER,
    REPLY_NO,
    REPLY_OK,
    SENDING,
    SENT,
    Step,
)


def worker_database(ledger: Ledger, s: bytes, w: int) -> Iterator[Step]:
    """Claim, record, watch, and look for orphans."""
    at = ledger.memory + w * ledger.M
    is_open, memory = s[ledger.generation + w] == OPEN, s[at : at + ledger.M]
    yield from _claims(ledger, s, w, memory, is_open)
    yield from _records(ledger, s, w, memory)
    yield from _watches(ledger, s, w, memory, is_open)
    yield from _orphans(ledger, s, w, memory, is_open)


def _claims(ledger: Ledger, s: bytes, w: int, memory: bytes, is_open: bool) -> Iterator[Step]:
    base = w * ledger.M
    if s[ledger.campaign] == ON and (is_open or ledger.mutant == "claim by a closed generation"):
        due = [m for m in ledger.messages if s[ledger.row + m] == QUEUED and memory[m] == FREE]
        for ms in [[m] for m in due] if ledger.bounds.chunk == 1 else ([due] if due else []):
            n = bytearray(s)
            ledger.claim(n, w, ms)
            n[ledger.sees_on + w] = 1
            for m in ms:
                n[ledger.memory + base + m] = HELD
                if ledger.mutant != "suppression checked only at fan-out":
                    n[ledger.knows_barred + base + m] = int(s[ledger.barred + m] > 0)
            yield ("worker {w} claims message {m}", w, ms[0]), n, "", False
            if s[ledger.faults] and "cut" in ledger.bounds.kinds and not s[ledger.late_kind + w]:
                n = ledger.cut(s, w, CLAIM, dict.fromkeys(ms, HELD))
                yield (
                    ("worker {w} claims message {m} and loses its connection before the answer", w, ms[0]),
                    n,
                    "",
                    True,
                )


def _records(ledger: Ledger, s: bytes, w: int, memory: bytes) -> Iterator[Step]:
    base = w * ledger.M
    told = {
        m: memory[m]
        for m in ledger.messages
        if memory[m] in ANSWERED or (memory[m] == HELD and s[ledger.knows_barred + base + m])
    }
    if told:
        n = bytearray(s)
        for m, got in told.items():
            ledger.record(n, w, m, ledger.row_of(got), s[ledger.lease + base + m])
            n[ledger.memory + base + m] = n[ledger.knows_barred + base + m] = 0
        yield ("worker {w} records what it was told", w, 0), n, "", False
        if s[ledger.faults] and "cut" in ledger.bounds.kinds and not s[ledger.late_kind + w]:
            yield (
                ("worker {w} records and loses its connection before the answer", w, 0),
                ledger.cut(s, w, RECORD, told),
                "",
                True,
            )


def _watches(ledger: Ledger, s: bytes, w: int, memory: bytes, is_open: bool) -> Iterator[Step]:
    M, base = ledger.M, w * ledger.M
    if is_open:
        barred = [int(s[ledger.barred + m] > 0 and memory[m] in (HELD, NOTED)) for m in ledger.messages]
        if ledger.mutant == "suppression checked only at fan-out":
            barred = [0] * M
        n = bytearray(s)
        n[ledger.is_fresh + w], n[ledger.sees_on + w] = 1, int(s[ledger.campaign] == ON)
        n[ledger.knows_barred + base : ledger.knows_barred + base + M] = bytes(barred)
        if n != s:
            yield ("worker {w} watches: beats, and reads stops", w, 0), n, "", False
    elif any(held in (HELD, NOTED, CHECKED, GIVING) for held in memory):
        n = bytearray(s)
        for m in ledger.messages:
            if memory[m] in (HELD, NOTED, GIVING):
                n[ledger.memory + base + m] = n[ledger.knows_barred + base + m] = 0
        if n != s:
            yield ("worker {w} watches: finds its generation closed, drops what it holds", w, 0), n, "", False
    elif not any(memory):
        n = bytearray(s)
        n[ledger.life + w], n[ledger.disk + w] = DEAD, GONE
        yield ("worker {w} has nothing left and exits", w, 0), n, "", False


def _orphans(ledger: Ledger, s: bytes, w: int, memory: bytes, is_open: bool) -> Iterator[Step]:
    base = w * ledger.M
    for m in ledger.messages:
        orphan = s[ledger.lease + base + m] and s[ledger.row + m] == SENDING and memory[m] == FREE
        if orphan and is_open and ledger.mutant != "orphans are not looked for":
            n = bytearray(s)
            ledger.record(n, w, m, QUEUED, 1)
            yield (
                ("worker {w} finds message {m} leased to it without knowing, and gives it back", w, m),
                n,
                "",
                False,
            )


def worker_message(ledger: Ledger, s: bytes, w: int, m: int) -> Iterator[Step]:
    at = w * ledger.M + m
    held, after_bytes = s[ledger.memory + at], ledger.mutant == "journal written after the bytes"
    if held == HELD and ledger.may_go(s, w, m):
        n = bytearray(s)
        if after_bytes:
            yield (
                ("worker {w} sends the dot of message {m} before the journal", w, m),
                n,
                ledger.send(n, w, m),
                False,
            )
        else:
            n[ledger.memory + at], n[ledger.journal + at] = NOTED, DOT
            yield ("worker {w} writes `dot` of message {m} to its journal", w, m), n, "", False
    if held == DOTTED and after_bytes and s[ledger.journal + at] == BLANK:
        n = bytearray(s)
        n[ledger.journal + at] = DOT
        yield ("worker {w} writes `dot` of message {m} to its journal at last", w, m), n, "", False
    if held in (NOTED, CHECKED):
        yield from _dot(ledger, s, w, m)
    if held in (HELD, GIVING):
        n = bytearray(s)
        ledger.record(n, w, m, QUEUED, s[ledger.lease + at])
        n[ledger.memory + at] = n[ledger.knows_barred + at] = 0
        yield ("worker {w} gives message {m} back unsent", w, m), n, "", False
    if held == HELD and s[ledger.faults] and "cut" in ledger.bounds.kinds and not s[ledger.late_kind + w]:
        n = ledger.cut(s, w, GIVE_BACK, {m: HELD})
        n[ledger.memory + at] = HELD if ledger.mutant == "sends on after giving back in doubt" else GIVING
        yield ("worker {w} gives message {m} back and loses its connection before the answer", w, m), n, "", True
    if held == DOTTED and s[ledger.wire + at] in GOT_OF:
        n = bytearray(s)
        n[ledger.memory + at], n[ledger.journal + at] = GOT_OF[s[ledger.wire + at]], NOTE_OF[s[ledger.wire + at]]
        n[ledger.wire + at] = QUIET
        yield ("worker {w} gets the reply to message {m} and journals it", w, m), n, "", False
    if held == DOTTED and ledger.mutant == "record before the reply" and s[ledger.row + m] == SENDING:
        n = bytearray(s)
        ledger.record(n, w, m, SENT, s[ledger.lease + at])
        yield ("worker {w} records message {m} as sent without waiting", w, m), n, "", False


def _dot(ledger: Ledger, s: bytes, w: int, m: int) -> Iterator[Step]:
    """From the journal to the wire: guard, then the write that holds the final dot."""
    at, n = w * ledger.M + m, bytearray(s)
    if s[ledger.memory + at] == CHECKED:
        yield ("worker {w} writes the flight with the dot of message {m}", w, m), n, ledger.send(n, w, m), False
    elif not ledger.may_go(s, w, m):
        n[ledger.memory + at], n[ledger.journal + at] = HELD, BLANK
        yield ("worker {w} must not send message {m} and annuls its journal record", w, m), n, "", False
    elif ledger.bounds.torn:
        n[ledger.memory + at] = CHECKED
        yield ("worker {w} passes the guard for message {m}", w, m), n, "", False
    else:
        yield (
            ("worker {w} passes the guard and writes the flight with the dot of message {m}", w, m),
            n,
            ledger.send(n, w, m),
            False,
        )


def receiver(ledger: Ledger, s: bytes, w: int) -> Iterator[Step]:
    listens = s[ledger.life + w] != DEAD
    for m in ledger.messages:
        at = w * ledger.M + m
        if s[ledger.wire + at] != DOT:
            continue
        n = bytearray(s)
        n[ledger.copies + m] += 1
        n[ledger.wire + at] = REPLY_OK if listens else QUIET
        yield ("the receiver accepts message {m} of worker {w}", w, m), n, "", False
        if not listens:
            n = bytearray(s)
            n[ledger.wire + at] = QUIET
            yield ("the dot of message {m} is lost with worker {w}", w, m), n, "", False
            continue
        for answer, words, allowed in (
            (REPLY_LATER, "the receiver defers message {m} of worker {w}", s[ledger.defers]),
            (REPLY_NO, "the receiver refuses message {m} of worker {w}", ledger.bounds.refusals),
        ):
            if allowed:
                n = bytearray(s)
                n[ledger.wire + at] = answer
                n[ledger.defers] -= answer == REPLY_LATER
                yield (words, w, m), n, "", False
        if s[ledger.faults] and "lost" in ledger.bounds.kinds:
            for accepted in (0, 1):
                n = bytearray(s)
                n[ledger.faults] -= 1
                n[ledger.copies + m] += accepted
                n[ledger.wire + at], n[ledger.excuse + m] = DROPPED, 1
                words = "accepts" if accepted else "does not accept"
                yield (
                    (f"the receiver {words} message {{m}} of worker {{w}}, and the reply is lost", w, m),
                    n,
                    "",
                    True,
                )


def late_statement(ledger: Ledger, s: bytes, w: int) -> Iterator[Step]:
    """A statement whose sender lost the connection: the server commits it late, or never."""
    kind, base = s[ledger.late_kind + w], w * ledger.M
    if not kind:
        return
    n = bytearray(s)
    n[ledger.late_kind + w] = NOTHING
    n[ledger.late + base : ledger.late + base + ledger.M] = bytes(ledger.M)
    n[ledger.late_lease + base : ledger.late_lease + base + ledger.M] = bytes(ledger.M)
    yield (
        ("the server drops the unanswered statement of worker {w} (rolled back, or restarted)", w, 0),
        bytearray(n),
        "",
        False,
    )
    for m in ledger.messages:
        value, has_lease = s[ledger.late + base + m], s[ledger.late_lease + base + m]
        if value and kind == CLAIM:
            is_open = s[ledger.generation + w] == OPEN or ledger.mutant == "claim by a closed generation"
            if is_open and s[ledger.campaign] == ON and s[ledger.row + m] == QUEUED:
                ledger.claim(n, w, [m])
        elif value:
            ledger.record(n, w, m, QUEUED if kind == GIVE_BACK else ledger.row_of(value), has_lease)
    yield ("the server commits the unanswered statement of worker {w}", w, 0), n, "", False
