"""The protocol for one campaign: who may take the next step."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.model.people import tick_and_people
from tests.ledger.model.recovery import faults, recovery, restore
from tests.ledger.model.rows import Ledger
from tests.ledger.model.words import RUNS, Step
from tests.ledger.model.workers import late_statement, receiver, worker_database, worker_message


class Delivery(Ledger):
    """The protocol for one campaign: rows, leases, journals, bytes, people, faults."""

    def steps(self, state: bytes) -> Iterator[Step]:
        for w in self.workers:
            if state[self.life + w] == RUNS:
                yield from worker_database(self, state, w)
                for m in self.messages:
                    yield from worker_message(self, state, w, m)
            yield from receiver(self, state, w)
            yield from late_statement(self, state, w)
            yield from recovery(self, state, w)
            if state[self.faults]:
                yield from faults(self, state, w)
        yield from tick_and_people(self, state)
        if state[self.faults] and "restore" in self.bounds.kinds and not state[self.restored]:
            yield restore(self, state)
