"""Workers that stand still for longer than their lease, and workers whose journal is lost with their host."""

from __future__ import annotations

import os
import random
import shutil
import signal
import struct
import time
import zlib
from abc import abstractmethod
from typing import ClassVar

import pytest
from django.utils.timezone import now

from delivery import queue
from delivery.journal import HEADER, HEADER_LENGTH
from tests.faults import checker, deaths
from tests.faults.checker import Picture
from tests.faults.deaths import Stock
from tests.faults.installation import wake
from tests.faults.pace import IS_LONG, either
from tests.faults.sending import FaultTestCase, ask_nothing

pytestmark = pytest.mark.faults
GO_SECONDS = 1.5  # a dot leaves at most so long after the last watch
BOOT = slice(16, 32)  # of the header of a journal


class FreezingTestCase(FaultTestCase):
    """One process is frozen in the middle of a campaign."""

    readers = either(1_500, 10_000)
    frozen: ClassVar[Stock]

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: random.uniform(0, 0.1) if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until_accepted(60)
        cls.frozen = deaths.take_stock(cls.installation, cls.freeze_one())
        cls.sending.sink.delay = lambda _verb, _argument: 0.0
        cls.happen()

    @classmethod
    @abstractmethod
    def happen(cls) -> None:
        """Do the harm."""

    @classmethod
    def lose(cls) -> None:
        """Let the time pass after which a process counts as lost, and sweep."""
        ask_nothing(
            "UPDATE generation SET beat_at = now() - interval '16 min', suspect_at = now() - interval '2 min' WHERE id = %s",
            cls.frozen.generation,
        )
        queue.sweep()
        cls.may_be_unknown |= cls.frozen.untouched | cls.frozen.doubtful | set(cls.frozen.answered)
        cls.sending.let_lanes_ring()


class SleeperTest(FreezingTestCase):
    asleep: ClassVar[Picture]  # as it was when the sleeper woke up
    awake: ClassVar[Picture]  # once it had noticed
    resent: ClassVar[set[str]]

    @classmethod
    def happen(cls) -> None:
        cls.lose()
        cls.sending.until_ended()
        time.sleep(GO_SECONDS)  # its clock, unlike the database, cannot be told that more has passed
        cls.asleep = cls.sending.picture()
        wake(cls.frozen.pid)
        later = "SELECT 1 FROM generation WHERE pid = %s AND id > %s AND closed_at IS NULL"
        cls.sending.until(lambda: checker.ask(later, cls.frozen.pid, cls.frozen.generation))
        cls.awake = cls.sending.picture()
        cls.resent = cls.awake.of("unknown")
        queue.resend(cls.sending.campaign, now())

    def test_while_it_sleeps_the_others_finish(self) -> None:
        self.assertEqual(checker.faults(self.asleep, may_be_unknown=self.may_be_unknown), [])

    def test_it_sends_nothing_when_it_wakes_up(self) -> None:
        self.assertEqual(len(self.awake.copies), len(self.asleep.copies))
        self.assertEqual(checker.faults(self.awake, may_be_unknown=self.may_be_unknown), [])

    def test_what_it_had_in_hand_waits_for_a_person(self) -> None:
        self.assertGreater(len(self.frozen.untouched), 0)
        self.assertEqual({row.status for row in self.awake.rows if row.id in self.frozen.untouched}, {"unknown"})

    def test_who_is_sent_to_again_gets_one_more_copy(self) -> None:
        self.assertEqual(checker.faults(self.picture, resent=self.resent), [])
        self.assertEqual(self.picture.statuses, {"sent": self.readers})


class KilledAsleepTest(FreezingTestCase):
    """The sleeper is killed after others gave it up: what its journal knows is evidence."""

    __test__ = IS_LONG

    @classmethod
    def happen(cls) -> None:
        cls.lose()
        os.kill(cls.frozen.pid, signal.SIGKILL)
        cls.sending.until(lambda: not deaths.journals(cls.installation, cls.frozen.generation))

    def test_what_has_no_reply_stays_unknown(self) -> None:
        self.check()
        self.assertEqual(self.became(self.frozen.untouched | self.frozen.doubtful), {"unknown"})

    def test_what_has_its_reply_is_sent(self) -> None:
        self.assertLessEqual(self.became(set(self.frozen.answered)), {"sent"})


class LostHostTest(FreezingTestCase):
    """The process is gone, and its journal with it."""

    @classmethod
    def happen(cls) -> None:
        shutil.rmtree(deaths.folder_of(cls.installation, cls.frozen.generation))
        os.kill(cls.frozen.pid, signal.SIGKILL)
        cls.lose()

    def test_what_was_not_recorded_is_unknown_and_not_resent(self) -> None:
        self.check()
        self.assertEqual(self.became(self.frozen.untouched | self.frozen.doubtful), {"unknown"})


class OtherBootTest(FreezingTestCase):
    """The machine has started again since: what the journal does not tell is not known."""

    @classmethod
    def happen(cls) -> None:
        for path in deaths.folder_of(cls.installation, cls.frozen.generation).glob("0*"):
            data = bytearray(path.read_bytes())
            data[BOOT] = bytes(16)
            data[HEADER.size : HEADER_LENGTH] = struct.pack("<I", zlib.crc32(data[: HEADER.size]))
            path.write_bytes(data)
        os.kill(cls.frozen.pid, signal.SIGKILL)
        cls.may_be_unknown |= cls.frozen.untouched | cls.frozen.doubtful
        cls.sending.let_lanes_ring()

    def test_what_has_no_reply_is_unknown_and_not_resent(self) -> None:
        self.check()
        self.assertEqual(self.became(self.frozen.untouched | self.frozen.doubtful), {"unknown"})

    def test_what_has_its_reply_is_sent(self) -> None:
        self.assertLessEqual(self.became(set(self.frozen.answered)), {"sent"})
