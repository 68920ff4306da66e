"""What is walked: bounds of the brief, the short and the deep form."""

from __future__ import annotations

from tests.ledger.model.doorbell import Doorbell
from tests.ledger.model.start import Start
from tests.ledger.model.words import Bounds, Job

EVERY = ("kill", "freeze", "host", "power", "cut", "lost")

SHORT: list[Bounds] = [
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
BRIEF: list[Bounds] = [
    Bounds("people and a kill", faults=1, kinds=("kill",), pauses=1, cancels=1, unsubscribes=1),
    Bounds("people and a lost reply", faults=1, kinds=("kill", "lost"), cancels=1, unsubscribes=1),
    Bounds("resend after any fault", faults=1, kinds=EVERY, resends=1, refusals=True),
    Bounds("asleep, briefly", faults=2, kinds=("kill", "freeze", "host"), resends=1, blind=True),
    *(bounds for bounds in SHORT if not bounds.name.startswith(("people", "resend", "asleep"))),
]
DEEP: list[Bounds] = [
    Bounds("people and two faults", faults=2, kinds=EVERY, pauses=1, cancels=1),
    Bounds("people, resend and a fault", faults=1, kinds=EVERY, pauses=1, cancels=1, unsubscribes=1, resends=1),
    Bounds("three faults, one deferral", faults=3, kinds=EVERY, defers=1),
    Bounds("three messages, two faults", messages=3, faults=2, kinds=EVERY),
    Bounds("three messages, people", messages=3, cancels=1, unsubscribes=1, pauses=1),
    Bounds("asleep and torn, two resends", faults=2, kinds=EVERY, resends=2, blind=True, torn=True),
]
# Walked with each of these forms.
BESIDE: list[Job] = [
    ("lanes: broker emptied, tasks doubled, runners killed", Doorbell(3)),
    ("start and fan-out: two people, two beats, crashes", Start(3)),
]


def jobs(form: list[Bounds]) -> list[Job]:
    return [*((bounds.name, bounds) for bounds in form), *BESIDE]
