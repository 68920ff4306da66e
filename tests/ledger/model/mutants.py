"""Protocols broken on purpose, each with the bounds in which it must be caught."""

from __future__ import annotations

from dataclasses import replace

from tests.ledger.model.doorbell import Doorbell
from tests.ledger.model.start import Start
from tests.ledger.model.words import Bounds, Job

CRASHES = Bounds("", faults=2, kinds=("kill", "freeze", "host", "power"))
CUTS = Bounds("", faults=2, kinds=("cut", "kill"), defers=1)
PEOPLE = Bounds("", faults=1, kinds=("kill",), pauses=1, cancels=1, unsubscribes=1)
RESENDS = Bounds("", faults=1, kinds=("lost",), resends=2)

MUTANTS: list[Job] = [
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
    ("hasten takes leased rows", Bounds("")),
    ("lane without an epoch", Doorbell(1, "lane without an epoch")),
    ("re-ring with a new epoch", Doorbell(1, "re-ring with a new epoch")),
    ("fan-out without lock or unique key", Start(1, "fan-out without lock or unique key")),
    ("cursor moved before the rows", Start(1, "cursor moved before the rows")),
    ("send unguarded", Start(1, "send unguarded")),
    ("tick starts unguarded", Start(1, "tick starts unguarded")),
]


def jobs() -> list[Job]:
    return [(name, replace(what, mutant=name) if isinstance(what, Bounds) else what) for name, what in MUTANTS]
