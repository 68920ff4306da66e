"""The doorbell: Celery tasks that ring a lane."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.model.words import Step


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
