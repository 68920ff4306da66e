"""A receiver that says everything wrong that can be said, at each command, or nothing, or half of it."""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path
from typing import ClassVar

import pytest

from tests.faults.pace import IS_LONG, either
from tests.faults.sending import FaultTestCase
from tests.faults.sink import LoggingSink

pytestmark = pytest.mark.faults
CODES = (
    "421 4.3.2 closing",
    "450 4.2.0 later",
    "451 4.3.0 an error here",
    "452 4.2.2 full",
    "550 5.1.1 no such user",
    "552 5.2.2 over quota",
    "554 5.6.0 no",
)
BREAKS = ("drop", "bye", "half", "silence")
VERBS = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "DOT")
SESSION = {"greeting", "EHLO"}
SHARE = 0.1  # of the commands of messages that are answered with a fault
LAST_SHARE = 0.3  # of the MAIL commands, while sessions have faults left
BETWEEN = 4  # messages that are accepted between two sessions that fail: after several in a row a client rests for long
SILENCE = 0.5  # seconds until a receiver that says nothing hangs up


class Faults:
    """A script that has each fault `rounds` times at each command, here and there among replies as they should be."""

    def __init__(self, rounds: int, commands: tuple[str, ...]) -> None:
        self.chance = random.Random(rounds)
        self.left = {verb: deque(self.of(verb) * rounds) for verb in commands}
        self.unanswered: set[str] = set()  # whose dot had no whole reply
        self.accepted = 0  # since a session failed

    @staticmethod
    def of(verb: str) -> list[str]:
        """Return the faults at a command; in the short form a failed session, which costs a pause, has a few."""
        if verb in SESSION and not IS_LONG:
            return [CODES[0], "drop"]
        return [*CODES, *BREAKS, *(["keep"] if verb == "DOT" else [])]

    def __call__(self, verb: str, argument: str) -> str | None:
        said = self.next(verb) if self.is_turn_of(verb) else None
        if verb == "DOT":
            self.accepted += said is None
            if said and not said[0].isdecimal():
                self.unanswered.add(argument)
        return said

    def is_turn_of(self, verb: str) -> bool:
        if verb not in SESSION:
            return verb in self.left and self.chance.random() < (SHARE if self.left[verb] else LAST_SHARE)
        is_turn = bool(self.left.get(verb)) and self.accepted >= BETWEEN
        self.accepted = 0 if is_turn else self.accepted
        return is_turn

    def next(self, verb: str) -> str | None:
        if left := self.left[verb]:
            return left.popleft()
        if verb == "MAIL" and any(self.left.values()):  # each new session is a greeting more
            return "bye"
        return None


class RepliesTestCase(FaultTestCase):
    readers = either(400, 3_000)
    extensions: ClassVar[tuple[str, ...]]
    commands: ClassVar[tuple[str, ...]] = VERBS
    faults: ClassVar[Faults]

    @classmethod
    def make_sink(cls, folder: Path) -> LoggingSink:
        sink = super().make_sink(folder)
        sink.script = cls.faults = Faults(either(1, 3), cls.commands)
        sink.extensions, sink.patience = cls.extensions, SILENCE
        return sink

    @classmethod
    def play(cls) -> None:
        cls.sending.start()
        cls.sending.until(cls.is_over, seconds=either(90, 600))
        rows = cls.sending.picture().rows
        cls.may_be_unknown = {row.id for row in rows if row.address in cls.faults.unanswered}

    @classmethod
    def is_over(cls) -> bool:
        cls.sending.let_time_pass()
        cls.sending.let_lanes_ring()
        return cls.sending.is_ended()


class PipeliningTest(RepliesTestCase):
    extensions: ClassVar[tuple[str, ...]] = ("PIPELINING", "8BITMIME")
    tls = "opportunistic"

    def test_each_fault_came_up(self) -> None:
        self.assertEqual({verb: list(left) for verb, left in self.faults.left.items() if left}, {})

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()

    def test_who_gave_no_reply_to_the_dot_is_unknown(self) -> None:
        self.assertEqual(self.picture.of("unknown"), self.faults.unanswered)

    def test_it_was_never_asked_for_nonsense(self) -> None:
        self.assertEqual(self.sending.sink.faults, [])


class LockStepTest(PipeliningTest):
    """A session begins the same with it as without, so the short form leaves its beginning alone."""

    extensions = ("8BITMIME",)
    commands = VERBS if IS_LONG else VERBS[2:]
    tls = "none"
