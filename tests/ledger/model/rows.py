"""The state of a campaign in delivery: its layout in bytes, its invariants, and what the SQL statements do to it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from operator import itemgetter

from tests.ledger.model.words import (
    BLANK,
    BOUNCED,
    CANCELLED,
    CLOSED,
    DONE,
    DOT,
    DOTTED,
    GOT_NOTHING,
    QUEUED,
    QUIET,
    REBOOTED,
    ROW_OF_GOT,
    ROW_OF_NOTE,
    SENDING,
    SENT,
    STOPPED,
    SUPPRESSED,
    TERMINAL,
    UNKNOWN,
    Bounds,
)


class Ledger:
    """Rows, leases, journals and bytes on the wire of one campaign, and how often what may still happen."""

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

    def close(self, s: bytearray, m: int, row: int) -> None:
        """Set a row and take away every lease on it."""
        s[self.row + m] = row
        if row == UNKNOWN:
            return  # keeps its lease: later evidence under it may still come
        for w in self.workers:
            at = w * self.M + m
            s[self.lease + at] = s[self.late_lease + at] = s[self.journal + at] = 0

    def claim(self, s: bytearray, w: int, ms: list[int]) -> None:
        """Lease due rows to a generation. Guard: generation open, campaign on, row due, not locked."""
        for m in ms:
            self.close(s, m, SENDING)
            s[self.lease + w * self.M + m] = 1

    def record(self, s: bytearray, w: int, m: int, row: int, has_lease: int) -> None:
        """Close or requeue one row. Guard: still `sending` under the very lease, or `unknown` under it."""
        now = s[self.row + m]
        if (
            self.mutant == "unguarded update"
            or (self.mutant == "record without the lease" and now == SENDING)
            or (has_lease and now == SENDING)
            or (has_lease and now == UNKNOWN and row in (SENT, BOUNCED))
        ):
            self.close(s, m, row)

    def cut(self, s: bytes, w: int, kind: int, what: dict[int, int]) -> bytearray:
        """Return the state in which a statement is at the server and its sender will never hear of it."""
        n = bytearray(s)
        n[self.faults] -= 1
        n[self.late_kind + w] = kind
        for m, value in what.items():
            n[self.late + w * self.M + m] = value
            n[self.late_lease + w * self.M + m] = s[self.lease + w * self.M + m]
        return n

    def row_of(self, got: int) -> int:
        if got == GOT_NOTHING and self.mutant == "a lost reply is a deferral":
            return QUEUED
        return SENT if got == DOTTED else ROW_OF_GOT[got]

    def row_of_journal(self, s: bytes, w: int, m: int) -> int:
        note = s[self.journal + w * self.M + m]
        if note == BLANK and s[self.disk + w] == REBOOTED and self.mutant != "reboot ignored":
            return UNKNOWN  # not synced to disk: absence proves nothing after a power loss
        if note == DOT and self.mutant == "dot without reply is sent again":
            return QUEUED
        return ROW_OF_NOTE[note]

    def excuse_leases(self, n: bytearray, w: int) -> None:
        """Let the checker accept `unknown` for what a lost worker had under lease."""
        for m in self.messages:
            n[self.excuse + m] |= n[self.lease + w * self.M + m]

    def forget(self, n: bytearray, w: int) -> None:
        """Clear the memory of a process and its ends of the connections; a dot on the wire stays there."""
        n[self.is_fresh + w] = n[self.sees_on + w] = 1
        for at in range(w * self.M, w * self.M + self.M):
            n[self.memory + at] = n[self.knows_barred + at] = 0
            if n[self.wire + at] != DOT:
                n[self.wire + at] = QUIET

    def may_go(self, s: bytes | bytearray, w: int, m: int) -> bool:
        """The guard before the bytes: a clock and two look-ups in memory, no round trip."""
        fresh = s[self.is_fresh + w]
        on = s[self.sees_on + w] or self.mutant == "pause checked only at claim"
        if self.mutant == "pause checked only at claim":
            fresh = 1
        return bool(fresh and on and not s[self.knows_barred + w * self.M + m])

    def send(self, s: bytearray, w: int, m: int) -> str:
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
