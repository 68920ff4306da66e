from __future__ import annotations

import random
import time
from typing import ClassVar

import pytest

from tests.faults import deaths
from tests.faults.deaths import POINTS, Stock
from tests.faults.pace import IS_LONG, either
from tests.faults.sending import FaultTestCase

pytestmark = pytest.mark.faults
HELD = 0.2  # seconds that the receiver takes to answer a dot
SLOWEST = 0.1 if IS_LONG else 0.04  # the same while instants are random: the campaign must outlast the kills
LONGEST_WAIT = 2.0 if IS_LONG else 0.6  # seconds between two kills


class KillPointsTest(FaultTestCase):
    """Each point kills a process of its own, one after the other, in one campaign."""

    readers = either(2_500, 30_000)
    by_point: ClassVar[dict[str, list[Stock]]]
    seen: ClassVar[dict[str, int]]  # how many were accepted when the process stood at the point

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: HELD if verb == "DOT" else 0.0
        cls.sending.start()
        cls.by_point = {}
        for nth in range(1, either(1, 4) + 1):
            for point in POINTS:
                cls.by_point.setdefault(point, []).append(cls.kill_at(point, nth=1 if point == "burial" else nth))
        cls.sending.sink.delay = lambda _verb, _argument: 0.0

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()

    def test_what_had_no_dot_is_sent_later(self) -> None:
        self.assertGreater(min(len(stock.untouched) for point in POINTS[:-1] for stock in self.by_point[point]), 0)
        self.assertEqual(
            self.became(set().union(*(stock.untouched for stock in self.stocks)) - self.may_be_unknown), {"sent"}
        )

    def test_what_had_a_dot_and_no_reply_is_unknown(self) -> None:
        self.assertGreater(len(self.may_be_unknown), 0)
        self.assertEqual(self.became(self.may_be_unknown), {"unknown"})

    def test_what_had_its_reply_is_sent(self) -> None:
        answered = {each for stock in self.stocks for each in stock.answered}
        self.assertGreater(len(answered), 0)
        self.assertEqual(self.became(answered), {"sent"})


class RandomInstantsTest(FaultTestCase):
    readers = either(2_000, 10_000)
    kills = either(5, 50)
    tls = "opportunistic"

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: random.uniform(0, SLOWEST) if verb == "DOT" else 0.0
        cls.sending.start()
        for _each in range(cls.kills):
            time.sleep(random.uniform(0, LONGEST_WAIT))
            cls.kill(cls.freeze_one())
        cls.sending.sink.delay = lambda _verb, _argument: 0.0

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()

    def test_unknown_are_at_most_those_between_the_dot_and_the_recorded_reply(self) -> None:
        self.assertEqual(len(self.stocks), self.kills)
        self.assertLessEqual(self.picture.statuses.get("unknown", 0), sum(stock.bound for stock in self.stocks))


class LastChunkTest(FaultTestCase):
    """All that is left was claimed by processes that die: nothing is due, so no lane is rung."""

    readers = 40

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: HELD if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until_accepted(5)
        children = cls.installation.children()
        for pid in children:
            deaths.stop(pid)
        for pid in children:
            cls.kill(pid)

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()
        self.assertEqual(self.picture.statuses.get("unknown", 0), len(self.may_be_unknown))
