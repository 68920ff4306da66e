from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.test import SimpleTestCase, override_settings

from delivery import outcomes
from delivery.models import Message
from delivery.smtp import Reply
from mailsales.reasons import Reason

LATE = datetime.now(UTC) + timedelta(days=3)
FULL = Reply(452, "4.2.2 Mailbox full", "rcpt", "mx.example.jp")


def minutes(reply: Reply, tries: int = 0) -> float:
    """Return in how many minutes the message is tried again."""
    due_at = outcomes.replied(1, 1, reply, tries=tries, expires_at=LATE).due_at
    assert due_at
    return (due_at - datetime.now(UTC)).total_seconds() / 60


def refusal(text: str) -> Reply:
    return Reply(451, text, "rcpt", "mx.example.jp")


class RetryTest(SimpleTestCase):
    @override_settings(RETRY_MINUTES=(15, 30, 60), RETRY_JITTER=0)
    def test_the_last_delay_goes_on(self) -> None:
        self.assertEqual([round(minutes(FULL, tries)) for tries in range(5)], [15, 30, 60, 60, 60])

    def test_two_tries_fall_into_the_first_hour_and_they_become_few(self) -> None:
        with patch("random.uniform", return_value=1):
            delays = [round(minutes(FULL, tries)) for tries in range(20)]
        self.assertLessEqual(delays[0] + delays[1], 60)
        self.assertEqual((delays == sorted(delays), delays[-1]), (True, 210))

    @override_settings(RETRY_MINUTES=(100,), RETRY_JITTER=10)
    def test_jitter_spreads_the_tries(self) -> None:
        found = [minutes(FULL) for _each in range(200)]
        self.assertTrue(89.9 < min(found) < 95 and 105 < max(found) < 110.1, (min(found), max(found)))

    def test_what_the_server_asks_for_is_waited_and_never_less(self) -> None:
        found = [minutes(refusal("4.7.1 Greylisted, please try again in 300 seconds")) for _each in range(50)]
        self.assertTrue(min(found) > 4.99 and max(found) < 5.6)

    def test_greylisting_without_a_number_is_tried_again_after_a_quarter_of_an_hour(self) -> None:
        with override_settings(RETRY_MINUTES=(90, 120), RETRY_JITTER=0):
            found = [round(minutes(refusal("4.7.1 Greylisting in action"), tries)) for tries in (0, 1)]
        self.assertEqual(found, [15, 120])

    @override_settings(RETRY_MINUTES=(15, 30, 60, 120), RETRY_JITTER=0)
    def test_a_server_that_always_asks_for_a_minute_does_not_get_thousands_of_tries(self) -> None:
        found = [round(minutes(refusal("Try again in 1 minute"), tries)) for tries in range(5)]
        self.assertEqual(found, [1, 1, 1, 120, 120])

    def test_a_try_that_would_come_too_late_is_not_made(self) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=5)
        outcome = outcomes.replied(1, 1, FULL, tries=0, expires_at=soon)
        self.assertEqual((outcome.status, outcome.reason), (Message.Status.BOUNCED, Reason.EXPIRED))

    def test_a_block_list_is_waited_for_and_held_against_nobody(self) -> None:
        listed = Reply(554, "5.7.1 blocked using zen.spamhaus.org", "rcpt", "mx.example.jp")
        outcome = outcomes.replied(1, 1, listed, tries=0, expires_at=LATE)
        self.assertEqual((outcome.status, outcome.is_hard), (Message.Status.DEFERRED, False))
