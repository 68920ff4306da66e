"""Workers are asked to end, or their main process dies."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import ClassVar

import pytest

from tests.faults import deaths
from tests.faults.checker import Picture, ask
from tests.faults.installation import STOP_SECONDS
from tests.faults.pace import either
from tests.faults.sending import FaultTestCase

pytestmark = pytest.mark.faults
SOON, NEVER = 1.0, 60.0  # seconds that the receiver takes to answer a dot
ROOM = 4.0  # seconds for a busy machine


class AskedToEndTest(FaultTestCase):
    """Every third reader's reply does not come in time."""

    readers = either(600, 3_000)
    seconds: ClassVar[float]
    went: ClassVar[bool]
    stopped: ClassVar[Picture]
    journals: ClassVar[list[Path]]

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = cls.delay
        cls.sending.start()
        cls.sending.until_accepted(12)
        began = time.monotonic()
        cls.went = cls.installation.end("worker-bulk")
        cls.seconds = time.monotonic() - began
        cls.stopped = cls.sending.picture()
        cls.journals = sorted((cls.installation.var / "journal").iterdir())
        cls.may_be_unknown = {row.id for row in cls.stopped.rows if cls.is_silent(row.address)}
        cls.sending.sink.delay = lambda _verb, _argument: 0.0
        cls.installation.start_workers()
        cls.sending.let_lanes_ring()

    @classmethod
    def delay(cls, verb: str, recipient: str) -> float:
        return 0.0 if verb != "DOT" else NEVER if cls.is_silent(recipient) else SOON

    @staticmethod
    def is_silent(recipient: str) -> bool:
        return int(recipient.partition("@")[0].removeprefix("reader")) % 3 == 0

    def test_it_goes_in_time(self) -> None:
        self.assertTrue(self.went)
        self.assertLess(self.seconds, STOP_SECONDS + ROOM)

    def test_it_leaves_nothing_in_hand(self) -> None:
        self.assertEqual((self.stopped.unsettled, self.stopped.of("sending")), (0, set()))
        self.assertEqual(self.journals, [])

    def test_replies_that_come_in_time_are_recorded(self) -> None:
        self.assertGreater(len(self.stopped.of("sent")), 0)
        self.assertEqual(self.stopped.of("sent"), {each for each in self.stopped.accepted if not self.is_silent(each)})

    def test_what_has_no_reply_by_then_is_unknown(self) -> None:
        self.assertGreater(len(self.stopped.of("unknown")), 0)
        self.assertEqual(self.stopped.of("unknown"), {each for each in self.stopped.accepted if self.is_silent(each)})

    def test_everything_else_is_sent_later(self) -> None:
        self.check()


class MainProcessTest(FaultTestCase):
    """The main process of the worker is killed with -9, and its children end with it."""

    readers = either(600, 3_000)

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: 0.1 if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until(lambda: len(cls.busy()) == 2)
        cls.sending.until_accepted(20)
        for pid in cls.busy():
            deaths.stop(pid)
            cls.stocks.append(deaths.take_stock(cls.installation, pid))
        cls.may_be_unknown = set().union(*(stock.doubtful for stock in cls.stocks))
        cls.installation.end("worker-bulk", signal.SIGKILL)
        cls.sending.until(lambda: not cls.installation.children())
        cls.sending.sink.delay = lambda _verb, _argument: 0.0
        cls.installation.start_workers()
        cls.sending.let_lanes_ring()

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()
        self.assertEqual(self.became(self.may_be_unknown), {"unknown"})

    def test_the_dead_are_buried(self) -> None:
        generations = [stock.generation for stock in self.stocks]
        closed = ask("SELECT DISTINCT closed_by FROM generation WHERE id = ANY (%s)", generations)
        self.assertEqual(closed, [("replayer",)])
