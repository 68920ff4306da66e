"""Workers are asked to end, or everything ends at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

import pytest

from tests.faults import deaths
from tests.faults.checker import Picture, ask
from tests.faults.installation import STOP_SECONDS
from tests.faults.pace import IS_LONG, either
from tests.faults.sending import FaultTestCase

pytestmark = pytest.mark.faults
SHORT, SOON, NEVER = 0.1, 1.0, 60.0  # seconds that the receiver takes to answer a dot
ROOM = 4.0  # seconds for a busy machine


class AskedToEndTest(FaultTestCase):
    """Every third reply, from a while before, does not come in time."""

    readers = either(600, 3_000)
    seconds: ClassVar[float]
    went: ClassVar[bool]
    stopped: ClassVar[Picture]
    journals: ClassVar[list[Path]]
    silent: ClassVar[set[str]] = set()  # to whose message nothing is said

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: SHORT if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until_accepted(60)
        cls.sending.sink.delay = cls.delay
        cls.sending.until(lambda: len(cls.silent) > 1)
        began = time.monotonic()
        cls.went = cls.installation.end("worker-bulk")
        cls.seconds = time.monotonic() - began
        cls.stopped = cls.sending.picture()
        cls.journals = sorted((cls.installation.var / "journal").iterdir())
        cls.may_be_unknown = {row.id for row in cls.stopped.rows if row.address in cls.silent}
        cls.sending.sink.delay = lambda _verb, _argument: 0.0
        cls.installation.start_workers()
        cls.sending.let_time_pass()
        cls.sending.let_lanes_ring()

    @classmethod
    def delay(cls, verb: str, recipient: str) -> float:
        if verb != "DOT":
            return 0.0
        if int(recipient.partition("@")[0].removeprefix("reader")) % 3:
            return SOON
        cls.silent.add(recipient)
        return NEVER

    def test_it_goes_in_time(self) -> None:
        self.assertTrue(self.went)
        self.assertLess(self.seconds, STOP_SECONDS + ROOM)

    def test_it_leaves_nothing_in_hand(self) -> None:
        self.assertEqual((self.stopped.unsettled, self.stopped.of("sending")), (0, set()))
        self.assertEqual(self.journals, [])

    def test_replies_that_come_in_time_are_recorded(self) -> None:
        self.assertGreater(len(self.stopped.of("sent")), 0)
        self.assertEqual(self.stopped.of("sent"), set(self.stopped.accepted) - self.silent)

    def test_what_has_no_reply_by_then_is_unknown(self) -> None:
        self.assertGreater(len(self.stopped.of("unknown")), 0)
        self.assertEqual(self.stopped.of("unknown"), self.silent)

    def test_everything_else_is_sent_later(self) -> None:
        self.check()


class BlackoutTest(FaultTestCase):
    """Everything is killed at once: all workers, beat, the broker with all it knew, and PostgreSQL."""

    __test__ = IS_LONG  # its parts are in the short form
    readers = either(600, 3_000)

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: 0.1 if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until_accepted(20)
        children = cls.installation.children()
        for pid in children:
            deaths.stop(pid)
        cls.stocks = [deaths.take_stock(cls.installation, pid) for pid in children]
        cls.may_be_unknown = set().union(*(stock.doubtful for stock in cls.stocks))
        cls.installation.black_out()
        cls.sending.sink.delay = lambda _verb, _argument: 0.0
        cls.installation.start_valkey()
        cls.installation.start_postgres()
        cls.installation.start_workers()
        cls.sending.let_lanes_ring()

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()
        self.assertEqual(self.became(self.may_be_unknown), {"unknown"})

    def test_the_dead_are_buried(self) -> None:
        generations = [stock.generation for stock in self.stocks]
        closed = ask("SELECT DISTINCT closed_by FROM generation WHERE id = ANY (%s)", generations)
        self.assertEqual(closed, [("replayer",)])
