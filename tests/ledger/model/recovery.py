"""Who settles what a lost worker held, and the faults by which it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tests.ledger.model.rows import Ledger
from tests.ledger.model.words import (
    BLANK,
    DEAD,
    DOT,
    FROZEN,
    GONE,
    NOTHING,
    OPEN,
    PAUSED,
    QUEUED,
    READABLE,
    REBOOTED,
    REPLAYED,
    RUNS,
    SAID_NO,
    SAID_OK,
    SENDING,
    SWEPT,
    UNKNOWN,
    Step,
)


def recovery(ledger: Ledger, s: bytes, w: int) -> Iterator[Step]:
    life, generation, disk, base = s[ledger.life + w], s[ledger.generation + w], s[ledger.disk + w], w * ledger.M
    leased = [m for m in ledger.messages if s[ledger.lease + base + m] and s[ledger.row + m] == SENDING]
    unsettled = [m for m in ledger.messages if s[ledger.lease + base + m] and s[ledger.row + m] == UNKNOWN]
    if life == FROZEN:
        n = bytearray(s)
        n[ledger.life + w] = RUNS
        yield ("worker {w} wakes up", w, 0), n, "", False
    has_lock = life == DEAD or (ledger.mutant == "replay without the lock" and life == FROZEN)
    if has_lock and disk != GONE:  # the lock on its journal is free: proof of death
        if generation == OPEN:
            n = bytearray(s)
            n[ledger.generation + w] = REPLAYED
            if disk == REBOOTED:
                ledger.excuse_leases(n, w)
            yield ("the replayer locks the journal of worker {w} and closes its generation", w, 0), n, "", False
        elif leased or any(s[ledger.journal + base + m] in (SAID_OK, SAID_NO) for m in unsettled):
            n = bytearray(s)
            for m in leased + unsettled:
                ledger.record(n, w, m, ledger.row_of_journal(s, w, m), 1)
            yield ("the replayer settles the leases of worker {w} from its journal", w, 0), n, "", False

    decided = all(s[ledger.wire + base + m] != DOT for m in ledger.messages) or ledger.mutant == "impatient lease"
    if generation == OPEN and decided and (life != RUNS or ledger.mutant in ("impatient lease", "impatient sweeper")):
        n = bytearray(s)
        n[ledger.generation + w] = SWEPT
        if not ledger.bounds.blind:
            n[ledger.is_fresh + w] = 0
        if life != RUNS:
            ledger.excuse_leases(n, w)
        yield ("15 minutes without a beat: the sweeper closes the generation of worker {w}", w, 0), n, "", False
    if leased and (generation == SWEPT or (generation == REPLAYED and disk == GONE)):
        n = bytearray(s)
        for m in leased:
            requeue = ledger.mutant == "impatient lease" or (ledger.mutant == "sweeper resends what it cannot read")
            ledger.record(n, w, m, QUEUED if requeue else UNKNOWN, 1)
        yield ("the sweeper settles the leases of worker {w} without a journal", w, 0), n, "", False
    if (
        life == DEAD
        and generation != OPEN
        and not leased
        and not s[ledger.late_kind + w]
        and DOT not in s[ledger.wire + base : ledger.wire + base + ledger.M]
    ):
        n = bytearray(s)
        ledger.forget(n, w)
        n[ledger.life + w], n[ledger.generation + w], n[ledger.disk + w] = RUNS, OPEN, READABLE
        n[ledger.lease + base : ledger.lease + base + ledger.M] = n[
            ledger.journal + base : ledger.journal + base + ledger.M
        ] = bytes(ledger.M)
        yield ("worker {w} is started again, as a new generation", w, 0), n, "", False


def faults(ledger: Ledger, s: bytes, w: int) -> Iterator[Step]:
    life, base, kinds = s[ledger.life + w], w * ledger.M, ledger.bounds.kinds
    if "freeze" in kinds and life == RUNS:
        n = bytearray(s)
        n[ledger.faults] -= 1
        n[ledger.life + w] = FROZEN
        yield ("worker {w} is frozen", w, 0), n, "", True
    if "kill" in kinds and life != DEAD:
        n = bytearray(s)
        n[ledger.faults] -= 1
        n[ledger.life + w] = DEAD
        for m in ledger.messages:  # the window: from `dot` in the journal to the reply in the journal
            n[ledger.excuse + m] |= s[ledger.journal + base + m] == DOT
        ledger.forget(n, w)
        yield ("worker {w} is killed with -9", w, 0), n, "", True
    if "host" in kinds and s[ledger.disk + w] != GONE:
        n = bytearray(s)
        n[ledger.faults] -= 1
        n[ledger.life + w], n[ledger.disk + w] = DEAD, GONE
        ledger.excuse_leases(n, w)
        ledger.forget(n, w)
        yield ("the host of worker {w} is lost with its journal", w, 0), n, "", True
    if "power" in kinds and s[ledger.disk + w] == READABLE:
        yield from _power_loss(ledger, s, w)
    if (
        "restart" in kinds
        and ledger.mutant == "claim committed asynchronously"
        and any(s[ledger.lease + base : ledger.lease + base + ledger.M])
    ):
        n = bytearray(s)
        n[ledger.faults] -= 1
        for m in ledger.messages:
            if s[ledger.lease + base + m] and s[ledger.row + m] == SENDING:
                ledger.close(n, m, QUEUED)
        yield ("PostgreSQL crashes and forgets the claim of worker {w}", w, 0), n, "", True


def _power_loss(ledger: Ledger, s: bytes, w: int) -> Iterator[Step]:
    """Any unsynced tail of the journal may be missing after the machine comes back."""
    base = w * ledger.M
    notes = [s[ledger.journal + base + m] for m in ledger.messages]
    left = [{note, BLANK} | ({DOT} if note > DOT else set()) for note in notes]
    for kept in product(*left):
        n = bytearray(s)
        n[ledger.faults] -= 1
        n[ledger.life + w], n[ledger.disk + w] = DEAD, REBOOTED
        n[ledger.journal + base : ledger.journal + base + ledger.M] = bytes(kept)
        ledger.excuse_leases(n, w)
        ledger.forget(n, w)
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


def restore(ledger: Ledger, s: bytes) -> Step:
    """The worst backup: taken before the first message was sent. It knows no lease and no worker."""
    n = bytearray(s)
    n[ledger.faults] -= 1
    n[ledger.restored], n[ledger.campaign], n[ledger.stop_in_force] = 1, PAUSED, 0
    for m in ledger.messages:
        ledger.close(n, m, QUEUED)
        if ledger.mutant != "restore keeps the queue":
            n[ledger.row + m], n[ledger.excuse + m] = UNKNOWN, 1
    for w in ledger.workers:
        n[ledger.generation + w], n[ledger.late_kind + w] = SWEPT, NOTHING
        if not (ledger.bounds.blind and s[ledger.life + w] == FROZEN):
            n[ledger.is_fresh + w] = 0
    n[ledger.late : ledger.life] = bytes(2 * ledger.M * ledger.W)
    return ("the database is restored from a backup and held", 0, 0), n, "", True
