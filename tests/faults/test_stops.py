"""People stop a campaign, or leave it, while it is being sent."""

from __future__ import annotations

import random
import time
from abc import abstractmethod
from typing import ClassVar

import pytest
from django.utils.timezone import now

from campaigns.models import Subscription, Suppression
from delivery.models import Message
from tests.faults.pace import either
from tests.faults.sending import FaultTestCase

pytestmark = pytest.mark.faults
STOP_SECONDS = 2.0
BARRED = 30


class StopTestCase(FaultTestCase):
    readers = either(1_500, 10_000)

    @classmethod
    def play(cls) -> None:
        cls.sending.sink.delay = lambda verb, _argument: random.uniform(0, 0.2) if verb == "DOT" else 0.0
        cls.sending.start()
        cls.sending.until_accepted(60)
        cls.happen()
        cls.sending.sink.delay = lambda _verb, _argument: 0.0

    @classmethod
    @abstractmethod
    def happen(cls) -> None:
        """Do the harm."""

    def assert_nothing_between(self, began: float, ended: float) -> None:
        self.assertEqual([copy for copy in self.picture.copies if began < copy.at < ended], [])


class PauseTest(StopTestCase):
    pauses: ClassVar[list[tuple[float, float]]] = []

    @classmethod
    def happen(cls) -> None:
        for _each in range(either(1, 10)):
            assert cls.sending.campaign.pause()
            began = time.time()
            time.sleep(STOP_SECONDS + 0.5)
            cls.pauses.append((began + STOP_SECONDS, time.time()))
            assert cls.sending.campaign.resume()
            cls.sending.let_lanes_ring()
            cls.sending.until_accepted(60)

    def test_nothing_is_sent_two_seconds_later(self) -> None:
        for began, ended in self.pauses:
            self.assert_nothing_between(began, ended)

    def test_resumed_it_goes_on_exactly(self) -> None:
        self.check()
        self.assertEqual(self.picture.statuses, {"sent": self.readers})


class CancelTest(StopTestCase):
    cancelled_at: ClassVar[float]

    @classmethod
    def happen(cls) -> None:
        assert cls.sending.campaign.cancel()
        cls.cancelled_at = time.time()
        time.sleep(STOP_SECONDS)  # the sink stays slow: else everybody had their mail by then

    def test_nothing_is_sent_two_seconds_later(self) -> None:
        self.assert_nothing_between(self.cancelled_at + STOP_SECONDS, time.time())

    def test_whoever_had_nothing_is_cancelled(self) -> None:
        self.check()
        sent = len(self.picture.copies)
        self.assertEqual(self.picture.statuses, {"sent": sent, "cancelled": self.readers - sent})


class LeaverTest(StopTestCase):
    """Some unsubscribe, and some are suppressed, after a worker has claimed their messages."""

    left_at: ClassVar[float]
    left: ClassVar[set[str]]

    @classmethod
    def happen(cls) -> None:
        claimed = Message.objects.filter(campaign=cls.sending.campaign, status="sending").order_by("-id")[: 2 * BARRED]
        leavers, suppressed = list(claimed[:BARRED]), list(claimed[BARRED:])
        contacts = [message.contact_id for message in leavers]
        Subscription.objects.filter(contact__in=contacts).update(status="unsubscribed", unsubscribed_at=now())
        Suppression.objects.bulk_create(
            Suppression(account=cls.sending.account, address=each.address, reason="manual") for each in suppressed
        )
        cls.left_at = time.time()
        cls.left = {message.address for message in (*leavers, *suppressed)}
        time.sleep(STOP_SECONDS)

    def test_two_seconds_later_nobody_of_them_is_mailed(self) -> None:
        late = [copy.at - self.left_at for copy in self.picture.copies if copy.recipient in self.left]
        self.assertEqual([seconds for seconds in late if seconds > STOP_SECONDS], [])

    def test_who_had_nothing_by_then_is_suppressed(self) -> None:
        self.check()
        self.assertEqual(self.picture.of("suppressed"), self.left - set(self.picture.accepted))
        self.assertGreater(len(self.picture.of("suppressed")), BARRED)
