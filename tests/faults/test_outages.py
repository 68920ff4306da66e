"""The database and the broker go away in the middle of a campaign."""

from __future__ import annotations

import random
import signal
import time
from abc import abstractmethod
from typing import ClassVar

import pytest
from redis import Redis

from tests.faults.checker import ask
from tests.faults.pace import either
from tests.faults.sending import FaultTestCase

pytestmark = pytest.mark.faults
GO_SECONDS = 1.5  # a dot leaves at most so long after the last watch
SLACK = 0.5  # from the dot to the log, on a busy machine
AWAY = 2.5  # seconds: long enough to see that nothing leaves
BROKER_AWAY = 1.5
SECONDS_TO_GO_ON = 15.0


class OutageTestCase(FaultTestCase):
    readers = either(2_000, 10_000)
    tls = "opportunistic"

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: random.uniform(0, 0.04) if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until_accepted(50)
        for _each in range(either(1, 5)):
            cls.happen()
        cls.sending.sink.delay = lambda _verb, _argument: 0.0

    @classmethod
    @abstractmethod
    def happen(cls) -> None:
        """Do the harm."""


class DatabaseTest(OutageTestCase):
    outages: ClassVar[list[tuple[float, float]]] = []

    @classmethod
    def happen(cls) -> None:
        for number, seconds in ((signal.SIGINT, AWAY), (signal.SIGQUIT, 0.0)):
            cls.installation.stop_postgres(number)
            began = time.time()
            time.sleep(seconds)
            cls.outages.append((began, time.time()))
            cls.installation.start_postgres()
            cls.sending.until_accepted(50)

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()
        self.assertEqual(self.picture.statuses, {"sent": self.readers})

    def test_what_cannot_be_recorded_is_not_sent(self) -> None:
        for began, ended in self.outages:
            late = [copy for copy in self.picture.copies if began + GO_SECONDS + SLACK < copy.at < ended]
            self.assertEqual(late, [])


class BrokerTest(OutageTestCase):
    readers = either(8_000, 30_000)
    gaps: ClassVar[list[float]] = []

    @classmethod
    def happen(cls) -> None:
        cls.installation.kill_valkey()
        time.sleep(BROKER_AWAY)
        cls.installation.start_valkey()
        cls.go_on()
        with Redis(unix_socket_path=str(cls.installation.valkey.socket)) as valkey:
            valkey.flushall()
        cls.go_on()

    @classmethod
    def go_on(cls) -> None:
        """Note how long it takes until the next chunk is claimed."""
        began, before = time.monotonic(), cls.newest_lease()
        cls.sending.until(lambda: cls.newest_lease() > before)
        cls.gaps.append(time.monotonic() - began)

    @classmethod
    def newest_lease(cls) -> int:
        ((newest,),) = ask("SELECT last_value FROM lease_id_seq")
        return int(newest)

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()
        self.assertEqual(self.picture.statuses, {"sent": self.readers})

    def test_sending_goes_on_within_seconds(self) -> None:
        self.assertLess(max(self.gaps), SECONDS_TO_GO_ON)
