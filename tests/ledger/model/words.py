"""The words of the ledger as small numbers, so that a state is a short bytes object, and what a model must offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

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


Job = tuple[str, Model | Bounds]  # a name, and what to walk: a model, or bounds of a delivery
