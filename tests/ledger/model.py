"""An explicit-state model checker of the delivery protocol in docs/ledger.md.

It walks every interleaving of workers, receiver, replayer, sweeper, tick, people and faults within
stated bounds, breadth first, and checks after each step that nobody was lost and nobody mailed
twice. A step is one committed SQL statement, one journal write, or one flight of bytes. States that
differ only in the numbering of workers or messages count once.

    python -m tests.ledger.model             all scenarios of the short form
    python -m tests.ledger.model --deep      wider bounds
    python -m tests.ledger.model --mutants   protocols broken on purpose: each must be caught

What is not a step here is argued in docs/ledger.md: SQL isolation (`test_races.py` runs it), clocks
(a deadline is a step "time passes"), and bytes on the network (a dot on the wire may arrive, or not,
until the sweeper's patience of 15 minutes is over).
"""

from __future__ import annotations

import argparse
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import permutations, product
from operator import itemgetter
from typing import Protocol

# --- the words of the ledger, as small numbers so that a state is a short bytes object ------------

QUEUED, SENDING, SENT, BOUNCED, SUPPRESSED, CANCELLED, UNKNOWN = range(7)  # message; a deferred one is QUEUED
TERMINAL = (SENT, BOUNCED, SUPPRESSED, CANCELLED)  # nothing leaves these
CLOSED = (*TERMINAL, UNKNOWN)  # UNKNOWN is left by later evidence or by a person

ON, PAUSED, STOPPED, DONE = range(4)  # campaign: sending, paused, cancelled, sent
RUNS, FROZEN, DEAD = range(3)  # the worker's process
OPEN, REPLAYED, SWEPT = range(3)  # its generation: open, closed by the replayer, closed by the sweeper
READABLE, REBOOTED, GONE = range(3)  # its journal: same boot, machine rebooted since, lost with the host

# What a worker holds in memory for a message.
FREE, HELD, NOTED, CHECKED, DOTTED, GOT_OK, GOT_NO, GOT_LATER, GOT_NOTHING, GIVING = range(10)
ANSWERED = (GOT_OK, GOT_NO, GOT_LATER, GOT_NOTHING)
# What its journal says about the message under the present lease.
BLANK, DOT, SAID_OK, SAID_NO, SAID_LATER, SAID_NOTHING = range(6)
# What is on the wire. The receiver has decided once it is no longer DOT.
QUIET, REPLY_OK, REPLY_NO, REPLY_LATER, DROPPED = 0, 2, 3, 4, 5

NOTE_OF = {REPLY_OK: SAID_OK, REPLY_NO: SAID_NO, REPLY_LATER: SAID_LATER, DROPPED: SAID_NOTHING}
GOT_OF = {REPLY_OK: GOT_OK, REPLY_NO: GOT_NO, REPLY_LATER: GOT_LATER, DROPPED: GOT_NOTHING}
ROW_OF_NOTE = {BLANK: QUEUED, DOT: UNKNOWN, SAID_OK: SENT, SAID_NO: BOUNCED, SAID_LATER: QUEUED, SAID_NOTHING: UNKNOWN}
ROW_OF_GOT = {GOT_OK: SENT, GOT_NO: BOUNCED, GOT_LATER: QUEUED, GOT_NOTHING: UNKNOWN, HELD: SUPPRESSED}

NOTHING, CLAIM, RECORD, GIVE_BACK = range(4)  # a statement whose commit the worker will never hear of

Label = tuple[str, int, int]  # words with {w} and {m}, worker, message
Step = tuple[Label, bytearray, str, bool]  # label, next state, invariant broken, is it a fault


class Model(Protocol):
    """What the checker needs to know of a model."""

    def start(self) -> bytes: ...
    def steps(self, state: bytes) -> Iterator[Step]: ...
    def canonical(self, state: bytearray) -> bytes: ...
    def broken(self, before: bytes, after: bytearray) -> str: ...
    def finished(self, state: bytes) -> bool: ...


@dataclass(frozen=True)
class Bounds:
    """How often each fault and each person may strike in one scenario."""

    name: str
    messages: int = 2
    workers: int = 2
    chunk: int = 1
    faults: int = 0
    kinds: tuple[str, ...] = ()  # kill freeze host power cut lost restart
    defers: int = 0
    resends: int = 0
    pauses: int = 0
    cancels: int = 0
    unsubscribes: int = 0
    refusals: bool = False
    blind: bool = False  # the guard does not notice that its process slept
    torn: bool = False  # a process may be frozen between the guard and the write
    mutant: str = ""  # the rule that is broken, "" for the protocol itself


class Delivery:
    """The protocol for one campaign: rows, leases, journals, bytes, people, faults."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.mutant = bounds.mutant
        self.M, self.W = bounds.messages, bounds.workers
        self.messages, self.workers = range(self.M), range(self.W)
        pairs, at = self.M * self.W, 0
        for section, size in (
            # One value per message: its row; accepted copies and resends asked for (what the checker
            # counts); excuse for being unknown; barred by an unsubscribe: 1 committed, 2 in force.
            ("row", self.M), ("copies", self.M), ("resends", self.M), ("excuse", self.M), ("barred", self.M),
            # One value per worker and message, at w * M + m: the row carries this worker's lease; memory;
            # journal; wire; known to be barred; in a statement without answer, and under its lease still.
            ("lease", pairs), ("memory", pairs), ("journal", pairs), ("wire", pairs), ("knows_barred", pairs),
            ("late", pairs), ("late_lease", pairs),
            # One value per worker; is_fresh: its last watch is younger than the deadline.
            ("life", self.W), ("generation", self.W), ("disk", self.W), ("is_fresh", self.W), ("sees_on", self.W),
            ("late_kind", self.W),
            # One value: campaign; is the stop in force; what the tick saw; what may still happen.
            ("campaign", 1), ("stop_in_force", 1), ("saw_empty", 1), ("faults", 1), ("defers", 1), ("resends_left", 1),
            ("pauses", 1), ("cancels", 1), ("unsubscribes", 1), ("restored", 1),
        ):  # fmt: skip
            setattr(self, section, at)
            at += size
        self.size = at
        self.orders = [self._order(ws, ms) for ws in permutations(self.workers) for ms in permutations(self.messages)]

    row: int
    copies: int
    resends: int
    excuse: int
    barred: int
    lease: int
    memory: int
    journal: int
    wire: int
    knows_barred: int
    late: int
    late_lease: int
    life: int
    generation: int
    disk: int
    is_fresh: int
    sees_on: int
    late_kind: int
    campaign: int
    stop_in_force: int
    saw_empty: int
    faults: int
    defers: int
    resends_left: int
    pauses: int
    cancels: int
    unsubscribes: int
    restored: int

    def _order(self, workers: tuple[int, ...], messages: tuple[int, ...]) -> Callable[[bytearray], tuple[int, ...]]:
        """Return a function that renumbers workers and messages of a state."""
        M, indices = self.M, []
        for start in range(self.row, self.lease, M):
            indices += [start + m for m in messages]
        for start in range(self.lease, self.life, M * self.W):
            indices += [start + w * M + m for w in workers for m in messages]
        for start in range(self.life, self.campaign, self.W):
            indices += [start + w for w in workers]
        return itemgetter(*indices, *range(self.campaign, self.size))

    def start(self) -> bytes:
        s, b = bytearray(self.size), self.bounds
        for w in self.workers:
            s[self.is_fresh + w] = s[self.sees_on + w] = 1
        for name in ("faults", "defers", "pauses", "cancels", "unsubscribes"):
            s[getattr(self, name)] = getattr(b, name)
        s[self.resends_left] = b.resends
        return self.canonical(s)

    def canonical(self, state: bytearray) -> bytes:
        return bytes(min(order(state) for order in self.orders))

    def finished(self, state: bytes) -> bool:
        return state[self.campaign] in (STOPPED, DONE) and all(state[self.row + m] in CLOSED for m in self.messages)

    # --- invariants -------------------------------------------------------------------------------

    def broken(self, before: bytes, after: bytearray) -> str:
        """Return the invariant that the step from `before` to `after` broke, or ""."""
        for m in self.messages:
            row, copies, resends = after[self.row + m], after[self.copies + m], after[self.resends + m]
            was = before[self.row + m]
            if copies > 1 + resends:
                return "I1 at most one accepted copy, and one more for each resend of an `unknown` by a person"
            if row == SENT and not copies:
                return "I2 `sent` only after an accepted copy"
            if row in (SUPPRESSED, CANCELLED, BOUNCED) and copies and not resends:
                return "I3 no accepted copy behind `suppressed`, `cancelled` or `bounced`"
            if was in TERMINAL and row != was and not after[self.restored]:
                return "I4 terminal states are final"
            if (
                was == UNKNOWN
                and row not in (UNKNOWN, SENT, BOUNCED)
                and after[self.resends + m] == before[self.resends + m]
            ):
                return "I5 only evidence or a person's guarded resend leaves `unknown`"
            if row == UNKNOWN and not after[self.excuse + m]:
                return "I6 `unknown` only for a transaction cut by a fault, or a worker that was lost"
        return ""

    # --- what the SQL statements do ---------------------------------------------------------------

    def _close(self, s: bytearray, m: int, row: int) -> None:
        """Set a row and take away every lease on it."""
        s[self.row + m] = row
        if row == UNKNOWN:
            return  # keeps its lease: later evidence under it may still come
        for w in self.workers:
            at = w * self.M + m
            s[self.lease + at] = s[self.late_lease + at] = s[self.journal + at] = 0

    def _claim(self, s: bytearray, w: int, ms: list[int]) -> None:
        """Lease due rows to a generation. Guard: generation open, campaign on, row due, not locked."""
        for m in ms:
            self._close(s, m, SENDING)
            s[self.lease + w * self.M + m] = 1

    def _record(self, s: bytearray, w: int, m: int, row: int, has_lease: int) -> None:
        """Close or requeue one row. Guard: still `sending` under the very lease, or `unknown` under it."""
        now = s[self.row + m]
        if (
            self.mutant == "unguarded update"
            or (self.mutant == "record without the lease" and now == SENDING)
            or (has_lease and now == SENDING)
            or (has_lease and now == UNKNOWN and row in (SENT, BOUNCED))
        ):
            self._close(s, m, row)

    def _may_go(self, s: bytes | bytearray, w: int, m: int) -> bool:
        """The guard before the bytes: a clock and two look-ups in memory, no round trip."""
        fresh = s[self.is_fresh + w]
        on = s[self.sees_on + w] or self.mutant == "pause checked only at claim"
        if self.mutant == "pause checked only at claim":
            fresh = 1
        return bool(fresh and on and not s[self.knows_barred + w * self.M + m])

    def _send(self, s: bytearray, w: int, m: int) -> str:
        """Put the final dot on the wire; return the promise it breaks, or ""."""
        at = w * self.M + m
        s[self.memory + at], s[self.wire + at] = DOTTED, DOT
        if self.bounds.blind or self.bounds.torn:
            return ""  # the stop promises do not hold for a process that slept in the gap
        if s[self.stop_in_force]:
            return "I7 no dot leaves after a pause or cancel is in force"
        if s[self.barred + m] == 2:
            return "I8 no dot leaves after an unsubscribe is in force"
        return ""

    # --- who does what ----------------------------------------------------------------------------

    def steps(self, state: bytes) -> Iterator[Step]:
        for w in self.workers:
            if state[self.life + w] == RUNS:
                yield from self._worker_database(state, w)
                for m in self.messages:
                    yield from self._worker_message(state, w, m)
            yield from self._receiver(state, w)
            yield from self._late_statement(state, w)
            yield from self._recovery(state, w)
            if state[self.faults]:
                yield from self._faults(state, w)
        yield from self._tick_and_people(state)
        if state[self.faults] and "restore" in self.bounds.kinds and not state[self.restored]:
            yield self._restore(state)

    def _worker_database(self, s: bytes, w: int) -> Iterator[Step]:
        M, base = self.M, w * self.M
        is_open = s[self.generation + w] == OPEN
        memory = s[self.memory + base : self.memory + base + M]

        if s[self.campaign] == ON and (is_open or self.mutant == "claim by a closed generation"):
            due = [m for m in self.messages if s[self.row + m] == QUEUED and memory[m] == FREE]
            for ms in [[m] for m in due] if self.bounds.chunk == 1 else ([due] if due else []):
                n = bytearray(s)
                self._claim(n, w, ms)
                n[self.sees_on + w] = 1
                for m in ms:
                    n[self.memory + base + m] = HELD
                    if self.mutant != "suppression checked only at fan-out":
                        n[self.knows_barred + base + m] = int(s[self.barred + m] > 0)
                yield ("worker {w} claims message {m}", w, ms[0]), n, "", False
                if s[self.faults] and "cut" in self.bounds.kinds and not s[self.late_kind + w]:
                    n = self._cut(s, w, CLAIM, dict.fromkeys(ms, HELD))
                    yield (
                        ("worker {w} claims message {m} and loses its connection before the answer", w, ms[0]),
                        n,
                        "",
                        True,
                    )

        told = {
            m: memory[m]
            for m in self.messages
            if memory[m] in ANSWERED or (memory[m] == HELD and s[self.knows_barred + base + m])
        }
        if told:
            n = bytearray(s)
            for m, got in told.items():
                self._record(n, w, m, self._row_of(got), s[self.lease + base + m])
                n[self.memory + base + m] = n[self.knows_barred + base + m] = 0
            yield ("worker {w} records what it was told", w, 0), n, "", False
            if s[self.faults] and "cut" in self.bounds.kinds and not s[self.late_kind + w]:
                yield (
                    ("worker {w} records and loses its connection before the answer", w, 0),
                    self._cut(s, w, RECORD, told),
                    "",
                    True,
                )

        if is_open:
            barred = [int(s[self.barred + m] > 0 and memory[m] in (HELD, NOTED)) for m in self.messages]
            if self.mutant == "suppression checked only at fan-out":
                barred = [0] * M
            n = bytearray(s)
            n[self.is_fresh + w], n[self.sees_on + w] = 1, int(s[self.campaign] == ON)
            n[self.knows_barred + base : self.knows_barred + base + M] = bytes(barred)
            if n != s:
                yield ("worker {w} watches: beats, and reads stops", w, 0), n, "", False
        elif any(held in (HELD, NOTED, CHECKED, GIVING) for held in memory):
            n = bytearray(s)
            for m in self.messages:
                if memory[m] in (HELD, NOTED, GIVING):
                    n[self.memory + base + m] = n[self.knows_barred + base + m] = 0
            if n != s:
                yield ("worker {w} watches: finds its generation closed, drops what it holds", w, 0), n, "", False
        elif not any(memory):
            n = bytearray(s)
            n[self.life + w], n[self.disk + w] = DEAD, GONE
            yield ("worker {w} has nothing left and exits", w, 0), n, "", False

        for m in self.messages:
            orphan = s[self.lease + base + m] and s[self.row + m] == SENDING and memory[m] == FREE
            if orphan and is_open and self.mutant != "orphans are not looked for":
                n = bytearray(s)
                self._record(n, w, m, QUEUED, 1)
                yield (
                    ("worker {w} finds message {m} leased to it without knowing, and gives it back", w, m),
                    n,
                    "",
                    False,
                )

    def _row_of(self, got: int) -> int:
        if got == GOT_NOTHING and self.mutant == "a lost reply is a deferral":
            return QUEUED
        return SENT if got == DOTTED else ROW_OF_GOT[got]

    def _cut(self, s: bytes, w: int, kind: int, what: dict[int, int]) -> bytearray:
        """Return the state in which a statement is at the server and its sender will never hear of it."""
        n = bytearray(s)
        n[self.faults] -= 1
        n[self.late_kind + w] = kind
        for m, value in what.items():
            n[self.late + w * self.M + m] = value
            n[self.late_lease + w * self.M + m] = s[self.lease + w * self.M + m]
        return n

    def _worker_message(self, s: bytes, w: int, m: int) -> Iterator[Step]:
        at = w * self.M + m
        held, after_bytes = s[self.memory + at], self.mutant == "journal written after the bytes"
        if held == HELD and self._may_go(s, w, m):
            n = bytearray(s)
            if after_bytes:
                yield (
                    ("worker {w} sends the dot of message {m} before the journal", w, m),
                    n,
                    self._send(n, w, m),
                    False,
                )
            else:
                n[self.memory + at], n[self.journal + at] = NOTED, DOT
                yield ("worker {w} writes `dot` of message {m} to its journal", w, m), n, "", False
        if held == DOTTED and after_bytes and s[self.journal + at] == BLANK:
            n = bytearray(s)
            n[self.journal + at] = DOT
            yield ("worker {w} writes `dot` of message {m} to its journal at last", w, m), n, "", False
        if held in (NOTED, CHECKED):
            yield from self._dot(s, w, m)
        if held in (HELD, GIVING):
            n = bytearray(s)
            self._record(n, w, m, QUEUED, s[self.lease + at])
            n[self.memory + at] = n[self.knows_barred + at] = 0
            yield ("worker {w} gives message {m} back unsent", w, m), n, "", False
        if held == HELD and s[self.faults] and "cut" in self.bounds.kinds and not s[self.late_kind + w]:
            n = self._cut(s, w, GIVE_BACK, {m: HELD})
            n[self.memory + at] = HELD if self.mutant == "sends on after giving back in doubt" else GIVING
            yield ("worker {w} gives message {m} back and loses its connection before the answer", w, m), n, "", True
        if held == DOTTED and s[self.wire + at] in GOT_OF:
            n = bytearray(s)
            n[self.memory + at], n[self.journal + at] = GOT_OF[s[self.wire + at]], NOTE_OF[s[self.wire + at]]
            n[self.wire + at] = QUIET
            yield ("worker {w} gets the reply to message {m} and journals it", w, m), n, "", False
        if held == DOTTED and self.mutant == "record before the reply" and s[self.row + m] == SENDING:
            n = bytearray(s)
            self._record(n, w, m, SENT, s[self.lease + at])
            yield ("worker {w} records message {m} as sent without waiting", w, m), n, "", False

    def _dot(self, s: bytes, w: int, m: int) -> Iterator[Step]:
        """From the journal to the wire: guard, then the write that holds the final dot."""
        at, n = w * self.M + m, bytearray(s)
        if s[self.memory + at] == CHECKED:
            yield ("worker {w} writes the flight with the dot of message {m}", w, m), n, self._send(n, w, m), False
        elif not self._may_go(s, w, m):
            n[self.memory + at], n[self.journal + at] = HELD, BLANK
            yield ("worker {w} must not send message {m} and annuls its journal record", w, m), n, "", False
        elif self.bounds.torn:
            n[self.memory + at] = CHECKED
            yield ("worker {w} passes the guard for message {m}", w, m), n, "", False
        else:
            yield (
                ("worker {w} passes the guard and writes the flight with the dot of message {m}", w, m),
                n,
                self._send(n, w, m),
                False,
            )

    def _receiver(self, s: bytes, w: int) -> Iterator[Step]:
        listens = s[self.life + w] != DEAD
        for m in self.messages:
            at = w * self.M + m
            if s[self.wire + at] != DOT:
                continue
            n = bytearray(s)
            n[self.copies + m] += 1
            n[self.wire + at] = REPLY_OK if listens else QUIET
            yield ("the receiver accepts message {m} of worker {w}", w, m), n, "", False
            if not listens:
                n = bytearray(s)
                n[self.wire + at] = QUIET
                yield ("the dot of message {m} is lost with worker {w}", w, m), n, "", False
                continue
            for answer, words, allowed in (
                (REPLY_LATER, "the receiver defers message {m} of worker {w}", s[self.defers]),
                (REPLY_NO, "the receiver refuses message {m} of worker {w}", self.bounds.refusals),
            ):
                if allowed:
                    n = bytearray(s)
                    n[self.wire + at] = answer
                    n[self.defers] -= answer == REPLY_LATER
                    yield (words, w, m), n, "", False
            if s[self.faults] and "lost" in self.bounds.kinds:
                for accepted in (0, 1):
                    n = bytearray(s)
                    n[self.faults] -= 1
                    n[self.copies + m] += accepted
                    n[self.wire + at], n[self.excuse + m] = DROPPED, 1
                    words = "accepts" if accepted else "does not accept"
                    yield (
                        (f"the receiver {words} message {{m}} of worker {{w}}, and the reply is lost", w, m),
                        n,
                        "",
                        True,
                    )

    def _late_statement(self, s: bytes, w: int) -> Iterator[Step]:
        """A statement whose sender lost the connection: the server commits it late, or never."""
        kind, base = s[self.late_kind + w], w * self.M
        if not kind:
            return
        n = bytearray(s)
        n[self.late_kind + w] = NOTHING
        n[self.late + base : self.late + base + self.M] = bytes(self.M)
        n[self.late_lease + base : self.late_lease + base + self.M] = bytes(self.M)
        yield (
            ("the server drops the unanswered statement of worker {w} (rolled back, or restarted)", w, 0),
            bytearray(n),
            "",
            False,
        )
        for m in self.messages:
            value, has_lease = s[self.late + base + m], s[self.late_lease + base + m]
            if value and kind == CLAIM:
                is_open = s[self.generation + w] == OPEN or self.mutant == "claim by a closed generation"
                if is_open and s[self.campaign] == ON and s[self.row + m] == QUEUED:
                    self._claim(n, w, [m])
            elif value:
                self._record(n, w, m, QUEUED if kind == GIVE_BACK else self._row_of(value), has_lease)
        yield ("the server commits the unanswered statement of worker {w}", w, 0), n, "", False

    # --- recovery ---------------------------------------------------------------------------------

    def _recovery(self, s: bytes, w: int) -> Iterator[Step]:
        life, generation, disk, base = s[self.life + w], s[self.generation + w], s[self.disk + w], w * self.M
        leased = [m for m in self.messages if s[self.lease + base + m] and s[self.row + m] == SENDING]
        unsettled = [m for m in self.messages if s[self.lease + base + m] and s[self.row + m] == UNKNOWN]
        if life == FROZEN:
            n = bytearray(s)
            n[self.life + w] = RUNS
            yield ("worker {w} wakes up", w, 0), n, "", False
        has_lock = life == DEAD or (self.mutant == "replay without the lock" and life == FROZEN)
        if has_lock and disk != GONE:  # the lock on its journal is free: proof of death
            if generation == OPEN:
                n = bytearray(s)
                n[self.generation + w] = REPLAYED
                if disk == REBOOTED:
                    self._excuse(n, w)
                yield ("the replayer locks the journal of worker {w} and closes its generation", w, 0), n, "", False
            elif leased or any(s[self.journal + base + m] in (SAID_OK, SAID_NO) for m in unsettled):
                n = bytearray(s)
                for m in leased + unsettled:
                    self._record(n, w, m, self._row_of_journal(s, w, m), 1)
                yield ("the replayer settles the leases of worker {w} from its journal", w, 0), n, "", False

        decided = all(s[self.wire + base + m] != DOT for m in self.messages) or self.mutant == "impatient lease"
        if generation == OPEN and decided and (life != RUNS or self.mutant in ("impatient lease", "impatient sweeper")):
            n = bytearray(s)
            n[self.generation + w] = SWEPT
            if not self.bounds.blind:
                n[self.is_fresh + w] = 0
            if life != RUNS:
                self._excuse(n, w)
            yield ("15 minutes without a beat: the sweeper closes the generation of worker {w}", w, 0), n, "", False
        if leased and (generation == SWEPT or (generation == REPLAYED and disk == GONE)):
            n = bytearray(s)
            for m in leased:
                requeue = self.mutant == "impatient lease" or (self.mutant == "sweeper resends what it cannot read")
                self._record(n, w, m, QUEUED if requeue else UNKNOWN, 1)
            yield ("the sweeper settles the leases of worker {w} without a journal", w, 0), n, "", False
        if (
            life == DEAD
            and generation != OPEN
            and not leased
            and not s[self.late_kind + w]
            and DOT not in s[self.wire + base : self.wire + base + self.M]
        ):
            n = bytearray(s)
            self._forget(n, w)
            n[self.life + w], n[self.generation + w], n[self.disk + w] = RUNS, OPEN, READABLE
            n[self.lease + base : self.lease + base + self.M] = n[
                self.journal + base : self.journal + base + self.M
            ] = bytes(self.M)
            yield ("worker {w} is started again, as a new generation", w, 0), n, "", False

    def _row_of_journal(self, s: bytes, w: int, m: int) -> int:
        note = s[self.journal + w * self.M + m]
        if note == BLANK and s[self.disk + w] == REBOOTED and self.mutant != "reboot ignored":
            return UNKNOWN  # not synced to disk: absence proves nothing after a power loss
        if note == DOT and self.mutant == "dot without reply is sent again":
            return QUEUED
        return ROW_OF_NOTE[note]

    def _excuse(self, n: bytearray, w: int) -> None:
        """Let the checker accept `unknown` for what a lost worker had under lease."""
        for m in self.messages:
            n[self.excuse + m] |= n[self.lease + w * self.M + m]

    def _forget(self, n: bytearray, w: int) -> None:
        """Clear the memory of a process and its ends of the connections; a dot on the wire stays there."""
        n[self.is_fresh + w] = n[self.sees_on + w] = 1
        for at in range(w * self.M, w * self.M + self.M):
            n[self.memory + at] = n[self.knows_barred + at] = 0
            if n[self.wire + at] != DOT:
                n[self.wire + at] = QUIET

    def _faults(self, s: bytes, w: int) -> Iterator[Step]:
        life, base, kinds = s[self.life + w], w * self.M, self.bounds.kinds
        if "freeze" in kinds and life == RUNS:
            n = bytearray(s)
            n[self.faults] -= 1
            n[self.life + w] = FROZEN
            yield ("worker {w} is frozen", w, 0), n, "", True
        if "kill" in kinds and life != DEAD:
            n = bytearray(s)
            n[self.faults] -= 1
            n[self.life + w] = DEAD
            for m in self.messages:  # the window: from `dot` in the journal to the reply in the journal
                n[self.excuse + m] |= s[self.journal + base + m] == DOT
            self._forget(n, w)
            yield ("worker {w} is killed with -9", w, 0), n, "", True
        if "host" in kinds and s[self.disk + w] != GONE:
            n = bytearray(s)
            n[self.faults] -= 1
            n[self.life + w], n[self.disk + w] = DEAD, GONE
            self._excuse(n, w)
            self._forget(n, w)
            yield ("the host of worker {w} is lost with its journal", w, 0), n, "", True
        if "power" in kinds and s[self.disk + w] == READABLE:
            yield from self._power_loss(s, w)
        if (
            "restart" in kinds
            and self.mutant == "claim committed asynchronously"
            and any(s[self.lease + base : self.lease + base + self.M])
        ):
            n = bytearray(s)
            n[self.faults] -= 1
            for m in self.messages:
                if s[self.lease + base + m] and s[self.row + m] == SENDING:
                    self._close(n, m, QUEUED)
            yield ("PostgreSQL crashes and forgets the claim of worker {w}", w, 0), n, "", True

    def _power_loss(self, s: bytes, w: int) -> Iterator[Step]:
        """Any unsynced tail of the journal may be missing after the machine comes back."""
        base = w * self.M
        notes = [s[self.journal + base + m] for m in self.messages]
        left = [{note, BLANK} | ({DOT} if note > DOT else set()) for note in notes]
        for kept in product(*left):
            n = bytearray(s)
            n[self.faults] -= 1
            n[self.life + w], n[self.disk + w] = DEAD, REBOOTED
            n[self.journal + base : self.journal + base + self.M] = bytes(kept)
            self._excuse(n, w)
            self._forget(n, w)
            yield (
                (
                    f"the machine of worker {{w}} loses power; {sum(a != b for a, b in zip(notes, kept, strict=False))} journal records are gone",
                    w,
                    0,
                ),
                n,
                "",
                True,
            )

    def _restore(self, s: bytes) -> Step:
        """The worst backup: taken before the first message was sent. It knows no lease and no worker."""
        n = bytearray(s)
        n[self.faults] -= 1
        n[self.restored], n[self.campaign], n[self.stop_in_force] = 1, PAUSED, 0
        for m in self.messages:
            self._close(n, m, QUEUED)
            if self.mutant != "restore keeps the queue":
                n[self.row + m], n[self.excuse + m] = UNKNOWN, 1
        for w in self.workers:
            n[self.generation + w], n[self.late_kind + w] = SWEPT, NOTHING
            if not (self.bounds.blind and s[self.life + w] == FROZEN):
                n[self.is_fresh + w] = 0
        n[self.late : self.life] = bytes(2 * self.M * self.W)
        return ("the database is restored from a backup and held", 0, 0), n, "", True

    # --- tick, people, time -----------------------------------------------------------------------

    def _tick_and_people(self, s: bytes) -> Iterator[Step]:
        rows = s[self.row : self.row + self.M]
        is_on, is_paused = s[self.campaign] == ON, s[self.campaign] == PAUSED
        empty = all(row in CLOSED for row in rows)
        if s[self.campaign] == STOPPED and (
            QUEUED in rows or (self.mutant == "cancel closes leased rows" and SENDING in rows)
        ):
            n = bytearray(s)
            for m in self.messages:
                if rows[m] == QUEUED or (self.mutant == "cancel closes leased rows" and rows[m] == SENDING):
                    self._close(n, m, CANCELLED)
            yield ("the tick closes the due rows of the cancelled campaign", 0, 0), n, "", False
        if self.mutant == "finish checks before it locks":
            yield from self._torn_finish(s, empty)
        elif is_on and empty:
            yield self._campaign(s, "the tick finds no open row and finishes the campaign", DONE)
        if is_on and s[self.pauses]:
            yield self._campaign(s, "a person pauses the campaign", PAUSED, self.pauses)
        if is_paused:
            yield self._campaign(s, "a person resumes the campaign", ON)
        if (is_on or is_paused) and s[self.cancels]:
            yield self._campaign(s, "a person cancels the campaign", STOPPED, self.cancels)
        for m in self.messages:
            unknown = rows[m] == UNKNOWN or (
                self.mutant == "resend without a guard" and rows[m] == SENDING and s[self.resends + m]
            )
            if unknown and s[self.resends_left] and s[self.campaign] != STOPPED:
                n = bytearray(s)
                n[self.resends_left] -= 1
                n[self.resends + m] += rows[m] == UNKNOWN
                self._close(n, m, QUEUED)
                n[self.campaign] = ON if s[self.campaign] == DONE else s[self.campaign]
                yield ("a person asks to send message {m} again", 0, m), n, "", False
            if s[self.unsubscribes] and not s[self.barred + m]:
                n = bytearray(s)
                n[self.unsubscribes] -= 1
                n[self.barred + m] = 1
                yield ("the contact of message {m} unsubscribes", 0, m), n, "", False
        stop_to_come = s[self.campaign] in (PAUSED, STOPPED) and not s[self.stop_in_force]
        if stop_to_come or 1 in s[self.barred : self.barred + self.M]:
            n = bytearray(s)
            n[self.stop_in_force] = int(s[self.campaign] in (PAUSED, STOPPED))
            for m in self.messages:
                n[self.barred + m] = 2 if s[self.barred + m] else 0
            for w in self.workers:
                if not (self.bounds.blind and s[self.life + w] == FROZEN):
                    n[self.is_fresh + w] = 0
            yield ("1.5 s pass: what was committed is in force, older watches are stale", 0, 0), n, "", False

    def _campaign(self, s: bytes, words: str, to: int, budget: int = -1) -> Step:
        n = bytearray(s)
        n[self.campaign], n[self.stop_in_force] = to, 0 if to in (ON, DONE) else s[self.stop_in_force]
        if budget >= 0:
            n[budget] -= 1
        return (words, 0, 0), n, "", False

    def _torn_finish(self, s: bytes, empty: bool) -> Iterator[Step]:
        if s[self.campaign] == ON and empty and not s[self.saw_empty]:
            n = bytearray(s)
            n[self.saw_empty] = 1
            yield ("the tick sees no open row", 0, 0), n, "", False
        if s[self.campaign] == ON and s[self.saw_empty]:
            label, n, bad, fault = self._campaign(s, "the tick finishes the campaign on what it saw", DONE)
            n[self.saw_empty] = 0
            yield label, n, bad, fault


# --- the doorbell: Celery tasks that ring a lane --------------------------------------------------


class Doorbell:
    """One lane of a campaign, its tasks in the broker, two workers, and a tick that rings again.

    A task carries the lane's epoch. Who pops it moves the epoch by a guarded UPDATE, or throws it away.
    State: tasks of the present epoch that are young, and old; who runs and may renew; who runs on
    borrowed time (a newer task has taken the lane); slices of work left; faults left.
    """

    def __init__(self, faults: int, mutant: str = "") -> None:
        self.faults, self.mutant = faults, mutant

    def start(self) -> bytes:
        return bytes((1, 0, 0, 0, 3, self.faults))

    def canonical(self, state: bytearray) -> bytes:
        return bytes(state)

    def finished(self, state: bytes) -> bool:
        return state[4] == 0

    def broken(self, before: bytes, after: bytearray) -> str:
        return "I9 a lane does not multiply: one runner at most may ring it again" if after[2] > 1 else ""

    def steps(self, state: bytes) -> Iterator[Step]:
        young, old, runs, borrowed, work, faults = state
        keeps_epoch, has_epoch = self.mutant != "re-ring with a new epoch", self.mutant != "lane without an epoch"

        def to(words: str, *values: int, is_fault: bool = False) -> Step:
            return (words, 0, 0), bytearray(values), "", is_fault

        if old and runs + borrowed < 2:  # the queue is longer than the tick's patience: only old tasks come up
            if has_epoch:
                yield to("a worker pops a task and takes the lane", 0, 0, 1, borrowed + runs, work, faults)
            else:
                yield to("a worker pops a task", young, old - 1, runs + 1, borrowed, work, faults)
        if runs:
            yield to(
                "the runner sends a slice and rings again",
                min(young + 1, 2),
                old,
                runs - 1,
                borrowed,
                max(work - 1, 0),
                faults,
            )
        if borrowed:
            yield to(
                "the overtaken runner ends; its ring is stale", young, old, runs, borrowed - 1, max(work - 1, 0), faults
            )
        if work and keeps_epoch and (has_epoch or not (young + old + runs)):
            yield to(
                "time passes; the tick rings the silent lane again",
                1,
                min(old + young, 2),
                runs,
                borrowed,
                work,
                faults,
            )
        elif work and not keeps_epoch:
            yield to(
                "time passes; the tick rings the silent lane with a new epoch", 1, 0, 0, borrowed + runs, work, faults
            )
        if not has_epoch and young:
            yield to("time passes in the queue", 0, min(old + young, 2), runs, borrowed, work, faults)
        if faults:
            yield to("the broker is emptied", 0, 0, runs, borrowed, work, faults - 1, is_fault=True)
            if old:
                yield to(
                    "a task is delivered twice", young, min(old + 1, 2), runs, borrowed, work, faults - 1, is_fault=True
                )
            if runs:
                yield to("the runner is killed", young, old, runs - 1, borrowed, work, faults - 1, is_fault=True)


# --- start and fan-out ----------------------------------------------------------------------------

DRAFT, SCHEDULED, GOING, OVER, STOPPED_EARLY = range(5)


class Start:
    """Two people press "send", two beats tick, two fan-out tasks run, a person may cancel, tasks die.

    State: campaign, renditions, cursor, what each person, tick and slicer has read (0: nothing), cancels
    left, crashes left, rows per contact.
    """

    CONTACTS = 3

    def __init__(self, crashes: int, mutant: str = "") -> None:
        self.crashes, self.mutant = crashes, mutant

    def start(self) -> bytes:
        return bytes((DRAFT, 0, 0, 0, 0, 0, 0, 0, 0, 1, self.crashes)) + bytes(self.CONTACTS)

    def canonical(self, state: bytearray) -> bytes:
        return bytes(state)

    def finished(self, state: bytes) -> bool:
        return state[0] in (OVER, STOPPED_EARLY)

    def broken(self, before: bytes, after: bytearray) -> str:
        rows = after[11:]
        if max(rows) > 1:
            return "F1 one message for each contact"
        if after[0] == OVER and min(rows) < 1:
            return "F2 no contact is left out"
        if after[1] > 1:
            return "F3 content is frozen once"
        if before[0] in (OVER, STOPPED_EARLY) and after[0] != before[0]:
            return "F4 a campaign that ended does not start again"
        return ""

    def steps(self, state: bytes) -> Iterator[Step]:
        for who in (0, 1):
            yield from self._press(state, who)
            yield from self._tick(state, who)
            yield from self._slice(state, who)
        if state[9] and state[0] in (SCHEDULED, GOING):
            yield ("a person cancels", 0, 0), self._with(state, {0: STOPPED_EARLY, 9: 0}), "", False
        if state[0] == GOING and state[2] == self.CONTACTS and not any(state[7:9]):
            yield ("the campaign finishes", 0, 0), self._with(state, {0: OVER}), "", False

    def _with(self, state: bytes, changes: dict[int, int]) -> bytearray:
        n = bytearray(state)
        for at, value in changes.items():
            n[at] = value
        return n

    def _press(self, s: bytes, who: int) -> Iterator[Step]:
        if self.mutant != "send unguarded":
            if s[0] == DRAFT:
                yield (
                    ("person {w} presses send: UPDATE where it is a draft", who, 0),
                    self._with(s, {0: SCHEDULED}),
                    "",
                    False,
                )
        elif s[3 + who]:
            yield (
                ("person {w} saves the campaign as scheduled", who, 0),
                self._with(s, {0: SCHEDULED, 3 + who: 0}),
                "",
                False,
            )
        elif s[0] == DRAFT:
            yield ("person {w} sees a draft", who, 0), self._with(s, {3 + who: 1}), "", False

    def _tick(self, s: bytes, who: int) -> Iterator[Step]:
        if self.mutant != "tick starts unguarded":
            if s[0] == SCHEDULED:
                yield (
                    ("tick {w} locks, freezes and starts the campaign", who, 0),
                    self._with(s, {0: GOING, 1: s[1] + 1}),
                    "",
                    False,
                )
        elif s[5 + who]:
            yield (
                ("tick {w} freezes and starts it", who, 0),
                self._with(s, {0: GOING, 1: s[1] + 1, 5 + who: 0}),
                "",
                False,
            )
        elif s[0] == SCHEDULED:
            yield ("tick {w} sees a due campaign", who, 0), self._with(s, {5 + who: 1}), "", False

    def _slice(self, s: bytes, who: int) -> Iterator[Step]:
        cursor, mine = s[2], 7 + who
        is_open = s[0] == GOING and cursor < self.CONTACTS
        if self.mutant == "fan-out without lock or unique key":
            if s[mine]:
                at = s[mine] - 1
                n = self._with(s, {mine: 0, 2: max(cursor, at + 1), 11 + at: s[11 + at] + 1})
                yield (f"slicer {{w}} inserts contact {at + 1}", who, 0), n, "", False
            elif is_open:
                yield ("slicer {w} reads the cursor", who, 0), self._with(s, {mine: cursor + 1}), "", False
        elif self.mutant == "cursor moved before the rows":
            if s[mine]:
                at = s[mine] - 1
                yield (
                    (f"slicer {{w}} inserts contact {at + 1}", who, 0),
                    self._with(s, {mine: 0, 11 + at: 1}),
                    "",
                    False,
                )
            elif is_open:
                yield (
                    ("slicer {w} moves the cursor", who, 0),
                    self._with(s, {mine: cursor + 1, 2: cursor + 1}),
                    "",
                    False,
                )
        elif is_open:
            yield (
                ("slicer {w} inserts a slice and moves the cursor", who, 0),
                self._with(s, {2: cursor + 1, 11 + cursor: 1}),
                "",
                False,
            )
        if s[mine] and s[10]:
            yield ("slicer {w} is killed", who, 0), self._with(s, {mine: 0, 10: s[10] - 1}), "", True


# --- the checker ----------------------------------------------------------------------------------


@dataclass
class Verdict:
    """What a walk found: the first broken invariant with its shortest trace, or that all held."""

    name: str
    states: int = 0
    steps: int = 0
    seconds: float = 0.0
    broken: str = ""
    trace: list[str] = field(default_factory=list)


def explore(name: str, model: Model) -> Verdict:
    """Walk all states breadth first, check each step, then check that each state can still finish."""
    began, start = time.perf_counter(), model.start()
    numbers, states, parents = {start: 0}, [start], array("l", [-1])
    sources, targets = array("l"), array("l")  # steps that are no faults
    verdict, at = Verdict(name), 0
    canonical, broken = model.canonical, model.broken
    while at < len(states):
        state = states[at]
        for _, after, promise, is_fault in model.steps(state):
            verdict.steps += 1
            key = canonical(after)
            to = numbers.get(key)
            bad = promise or (broken(state, after) if key != state else "")
            if bad:
                return _violation(verdict, model, began, bad, _path(states, parents, at), key)
            if to is None:
                to = numbers[key] = len(states)
                states.append(key)
                parents.append(at)
            if not is_fault:
                sources.append(at)
                targets.append(to)
        at += 1
    verdict.states = len(states)
    stuck = _first_stuck(model, states, sources, targets)
    if stuck is not None:
        bad = "L1 from every state all messages can still come to an end"
        return _violation(verdict, model, began, bad, _path(states, parents, stuck), None)
    verdict.seconds = time.perf_counter() - began
    return verdict


def _first_stuck(model: Model, states: list[bytes], sources: array[int], targets: array[int]) -> int | None:
    """Return the first state from which no fault-free path leads to the end, or None."""
    heads, order = array("l", bytes(8 * (len(states) + 1))), array("l", bytes(8 * len(targets)))
    for to in targets:
        heads[to + 1] += 1
    for i in range(len(states)):
        heads[i + 1] += heads[i]
    free = heads[:]
    for source, to in zip(sources, targets, strict=False):
        order[free[to]] = source
        free[to] += 1
    can_finish = bytearray(model.finished(state) for state in states)
    queue = [i for i, yes in enumerate(can_finish) if yes]
    while queue:
        to = queue.pop()
        for source in order[heads[to] : heads[to + 1]]:
            if not can_finish[source]:
                can_finish[source] = 1
                queue.append(source)
    stuck = can_finish.find(0)
    return None if stuck < 0 else stuck


def _path(states: list[bytes], parents: array[int], at: int) -> list[bytes]:
    path = []
    while at >= 0:
        path.append(states[at])
        at = parents[at]
    return path[::-1]


def _violation(
    verdict: Verdict, model: Model, began: float, bad: str, path: list[bytes], last: bytes | None
) -> Verdict:
    """Tell the path again from the start, so that workers and messages keep their numbers."""
    state = path[0]
    for key in [*path[1:], *([last] if last is not None else [])]:
        for (words, w, m), after, promise, _ in model.steps(state):
            is_last = key is last
            if model.canonical(after) == key and (not is_last or promise or model.broken(state, after)):
                verdict.trace.append(words.format(w=w + 1, m=m + 1))
                state = bytes(after)
                break
    verdict.broken, verdict.states, verdict.seconds = bad, len(path), time.perf_counter() - began
    return verdict


# --- scenarios and mutants ------------------------------------------------------------------------

EVERY = ("kill", "freeze", "host", "power", "cut", "lost")

SHORT: list[Model | Bounds] = [
    Bounds(
        "people: pause, resume, cancel, unsubscribe, one kill, freeze, cut or lost reply",
        faults=1,
        kinds=("kill", "freeze", "cut", "lost"),
        pauses=1,
        cancels=1,
        unsubscribes=1,
    ),
    Bounds(
        "crashes: any two faults, one deferral, chunks of two",
        chunk=2,
        faults=2,
        kinds=EVERY,
        defers=1,
    ),
    Bounds("resend: any two faults, one resend", faults=2, kinds=EVERY, resends=1, refusals=True),
    Bounds("asleep: the guard does not notice the sleep", faults=2, kinds=EVERY, resends=1, blind=True),
    Bounds(
        "torn: frozen between guard and write, cancel, resend", faults=1, kinds=EVERY, resends=1, cancels=1, torn=True
    ),
    Bounds("three messages, any one fault, one deferral", messages=3, faults=1, kinds=EVERY, defers=1),
    Bounds(
        "restore from a backup, one more fault, one resend", faults=2, kinds=("restore", "kill", "freeze"), resends=1
    ),
    Bounds("no fault at all, two deferrals", defers=2, refusals=True),
]
# What `make test` walks, in half a minute of one core: as SHORT, with fewer kinds of faults where that is much.
BRIEF: list[Model | Bounds] = [
    Bounds("people and a kill", faults=1, kinds=("kill",), pauses=1, cancels=1, unsubscribes=1),
    Bounds("people and a lost reply", faults=1, kinds=("kill", "lost"), cancels=1, unsubscribes=1),
    Bounds("resend after any fault", faults=1, kinds=EVERY, resends=1, refusals=True),
    Bounds("asleep, briefly", faults=2, kinds=("kill", "freeze", "host"), resends=1, blind=True),
    *(
        bounds
        for bounds in SHORT
        if isinstance(bounds, Bounds) and not bounds.name.startswith(("people", "resend", "asleep"))
    ),
]
DEEP: list[Model | Bounds] = [
    Bounds("people and two faults", faults=2, kinds=EVERY, pauses=1, cancels=1),
    Bounds("people, resend and a fault", faults=1, kinds=EVERY, pauses=1, cancels=1, unsubscribes=1, resends=1),
    Bounds("three faults, one deferral", faults=3, kinds=EVERY, defers=1),
    Bounds("three messages, two faults", messages=3, faults=2, kinds=EVERY),
    Bounds("three messages, people", messages=3, cancels=1, unsubscribes=1, pauses=1),
    Bounds("asleep and torn, two resends", faults=2, kinds=EVERY, resends=2, blind=True, torn=True),
]
CRASHES = Bounds("", faults=2, kinds=("kill", "freeze", "host", "power"))
CUTS = Bounds("", faults=2, kinds=("cut", "kill"), defers=1)
PEOPLE = Bounds("", faults=1, kinds=("kill",), pauses=1, cancels=1, unsubscribes=1)
RESENDS = Bounds("", faults=1, kinds=("lost",), resends=2)

MUTANTS: list[tuple[str, Model | Bounds]] = [
    ("journal written after the bytes", CRASHES),
    ("dot without reply is sent again", CRASHES),
    ("impatient lease", CRASHES),
    ("impatient sweeper", CRASHES),
    ("sweeper resends what it cannot read", CRASHES),
    ("replay without the lock", CRASHES),
    ("reboot ignored", CRASHES),
    ("record before the reply", CRASHES),
    ("record without the lease", CUTS),
    ("unguarded update", CUTS),
    ("claim by a closed generation", CUTS),
    ("orphans are not looked for", CUTS),
    ("sends on after giving back in doubt", CUTS),
    ("claim committed asynchronously", Bounds("", faults=1, kinds=("restart",))),
    ("a lost reply is a deferral", RESENDS),
    ("resend without a guard", RESENDS),
    ("finish checks before it locks", RESENDS),
    ("restore keeps the queue", Bounds("", faults=1, kinds=("restore",))),
    ("pause checked only at claim", PEOPLE),
    ("suppression checked only at fan-out", PEOPLE),
    ("cancel closes leased rows", PEOPLE),
    ("lane without an epoch", Doorbell(1, "lane without an epoch")),
    ("re-ring with a new epoch", Doorbell(1, "re-ring with a new epoch")),
    ("fan-out without lock or unique key", Start(1, "fan-out without lock or unique key")),
    ("cursor moved before the rows", Start(1, "cursor moved before the rows")),
    ("send unguarded", Start(1, "send unguarded")),
    ("tick starts unguarded", Start(1, "tick starts unguarded")),
]


def check(job: tuple[str, Model | Bounds]) -> Verdict:
    """Walk one scenario or mutant (in a process of its own)."""
    name, what = job
    return explore(name, Delivery(what) if isinstance(what, Bounds) else what)


def check_all(jobs: list[tuple[str, Model | Bounds]], show: Callable[[Verdict], None]) -> list[Verdict]:
    verdicts = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        for verdict in pool.map(check, jobs):
            show(verdict)
            verdicts.append(verdict)
    return verdicts


def show_scenario(verdict: Verdict) -> None:
    outcome = f"BROKEN: {verdict.broken}" if verdict.broken else "holds"
    print(
        f"{verdict.states:>9,} states {verdict.steps:>10,} steps {verdict.seconds:6.1f} s  {verdict.name}: {outcome}",
        flush=True,
    )
    for number, words in enumerate(verdict.trace, 1):
        print(f"    {number:2}. {words}", flush=True)


def show_mutant(verdict: Verdict) -> None:
    outcome = f"caught in {len(verdict.trace)} steps: {verdict.broken}" if verdict.broken else "NOT CAUGHT"
    print(f"  {verdict.name:<38} {outcome}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the delivery protocol in all interleavings within bounds.")
    parser.add_argument("--deep", action="store_true", help="wider bounds (minutes)")
    parser.add_argument("--mutants", action="store_true", help="show that each broken protocol is caught")
    parser.add_argument("--trace", metavar="MUTANT", help="tell the shortest way to the failure of one mutant")
    options, began = parser.parse_args(), time.perf_counter()
    mutants = [(n, replace(w, mutant=n) if isinstance(w, Bounds) else w) for n, w in MUTANTS]
    if options.trace:
        show_scenario(check((options.trace, dict(mutants)[options.trace])))
        return 0
    if options.mutants:
        caught = [bool(v.broken) for v in check_all(mutants, show_mutant)]
        print(f"{sum(caught)} of {len(caught)} mutants caught in {time.perf_counter() - began:.0f} s")
        return int(not all(caught))
    scenarios: list[tuple[str, Model | Bounds]] = [
        (b.name, b) for b in (DEEP if options.deep else SHORT) if isinstance(b, Bounds)
    ]
    scenarios += [
        ("lanes: broker emptied, tasks doubled, runners killed", Doorbell(3)),
        ("start and fan-out: two people, two beats, crashes", Start(3)),
    ]
    verdicts = check_all(scenarios, show_scenario)
    good = not any(v.broken for v in verdicts)
    states, steps = sum(v.states for v in verdicts), sum(v.steps for v in verdicts)
    print(
        f"{states:,} states, {steps:,} steps, {time.perf_counter() - began:.0f} s: {'every invariant holds' if good else 'BROKEN'}"
    )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
