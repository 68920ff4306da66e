"""Everything that may happen twice does."""

from __future__ import annotations

import time
from typing import ClassVar

import pytest
from django.db import connection

from campaigns.models import Campaign
from delivery import queue
from tests.faults.pace import either
from tests.faults.sending import FaultTestCase
from tests.ledger.sessions import at_once

pytestmark = pytest.mark.faults
BREATH_SECONDS = 0.1  # faster, the broker's queues would only grow


class DoublesTest(FaultTestCase):
    """Two beats, two people who press the button, and each task delivered twice."""

    readers = either(1_000, 20_000)
    pressed: ClassVar[list[object]]

    @classmethod
    def play(cls) -> None:
        cls.installation.start(cls.installation.another_beat())
        cls.addClassCleanup(cls.installation.end, "beat-2")
        cls.pressed = at_once(cls.press, cls.press)
        while not cls.sending.is_ended():
            for lane in queue.lanes_of(cls.sending.campaign.pk):
                cls.twice("delivery.run_lane", *lane)
            for task in ("delivery.fan_out", "delivery.tick", "delivery.sweep", "delivery.fold"):
                cls.twice(task, *((cls.sending.campaign.pk,) if task == "delivery.fan_out" else ()))
            time.sleep(BREATH_SECONDS)

    @classmethod
    def press(cls) -> bool:
        try:
            return Campaign.objects.get(pk=cls.sending.campaign.pk).schedule(None)
        finally:
            connection.close()

    @classmethod
    def twice(cls, task: str, *args: object) -> None:
        for _each in range(2):
            cls.installation.ring(task, *args)

    def test_one_of_two_people_sends(self) -> None:
        self.assertEqual(sorted(map(str, self.pressed)), ["False", "True"])

    def test_nobody_is_lost_and_nobody_mailed_twice(self) -> None:
        self.check()
        self.assertEqual(self.picture.statuses, {"sent": self.readers})
