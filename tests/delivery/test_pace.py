from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast
from unittest import TestCase
from unittest.mock import patch

from delivery import pace, shaping
from delivery.pace import Pace
from delivery.shaping import Action, Limits, Rule
from delivery.shares import Grant, Shares
from delivery.smtp import Reply

LIMITS = Limits(connections=10, messages_per_connection=100, seconds_per_connection=300.0, rate=None)
SLOW = Action("slow", 1800.0, 0.1, 1)
STOP = Action("suspend", 600.0)


class Granted:
    """Shares that grant what a test says."""

    def __init__(self) -> None:
        self.grant = Grant(100, 0.0)
        self.wanted: tuple[Limits, int, int, float] | None = None
        self.listeners: list[Callable[[], None]] = []

    def listen(self, key: str, limits: Limits, listener: Callable[[], None]) -> None:
        self.listeners.append(listener)

    def want(self, key: str, limits: Limits, connections: int, opened: int, tokens: float) -> None:
        self.wanted = limits, connections, opened, tokens

    def granted(self, key: str) -> Grant:
        return self.grant

    def spend(self, key: str) -> bool:
        has_one = self.grant.tokens >= 1
        if has_one:
            self.grant = Grant(self.grant.connections, self.grant.tokens - 1)
        return has_one


def reply(code: int, text: str = "", command: str = "rcpt") -> Reply:
    return Reply(code, text, command, "mx.example.jp")


class PaceTestCase(TestCase):
    def setUp(self) -> None:
        self.now = 1000.0
        self.shares = Granted()
        self.enterContext(patch.object(pace, "FIRST_WINDOW", 2.0))  # the figures below are reckoned from it

    def make(self, limits: Limits = LIMITS, rules: tuple[Rule, ...] = ()) -> Pace:
        return Pace("mx|docomo", limits, cast(Shares, self.shares), rules, clock=lambda: self.now)

    def open_all(self, pace: Pace) -> int:
        while pace.may_open():
            pace.opened()
        return pace.connections


class WindowTest(PaceTestCase):
    def test_it_begins_with_two_connections(self) -> None:
        self.assertEqual(self.open_all(self.make()), 2)
        self.assertEqual(self.open_all(self.make(Limits(1, 20, 300.0, None))), 1)

    def test_a_window_of_successes_opens_one_more(self) -> None:
        pace = self.make()
        for _ in range(2):
            pace.succeeded()
        self.assertEqual(pace.window, 2)
        pace.succeeded()
        self.assertEqual(pace.window, 3)

    def test_it_grows_to_the_limit_and_no_further(self) -> None:
        pace = self.make()
        for _ in range(1000):
            pace.succeeded()
        self.assertEqual((pace.window, self.open_all(pace)), (10, 10))

    def test_a_failed_connection_halves_it_down_to_one(self) -> None:
        pace = self.make()
        for _ in range(1000):
            pace.succeeded()
        for expected in (5, 2, 1, 1):
            pace.failed(reply(0, "connection refused", "connect"))
            self.now += 2
            self.assertEqual(pace.window, expected)

    def test_connections_that_fail_together_halve_it_once(self) -> None:
        pace = self.make()
        for _ in range(1000):
            pace.succeeded()
        for _ in range(10):
            pace.failed(reply(421, "too many connections", "greeting"))
        self.assertEqual(pace.window, 5)

    def test_a_word_about_the_rate_halves_it_and_one_about_a_recipient_does_not(self) -> None:
        for code, text, expected in (
            (451, "4.7.650 rate limited", 1),
            (421, "4.3.2 busy", 1),
            (450, "4.7.1 Greylisted, try again later", 2),
            (450, "4.2.2 mailbox full", 2),
            (550, "5.1.1 unknown", 2),
        ):
            pace = self.make()
            pace.hear(reply(code, text))
            self.assertEqual(pace.window, expected, text)

    def test_a_closed_connection_makes_room(self) -> None:
        pace = self.make()
        self.open_all(pace)
        pace.closed()
        self.assertTrue(pace.may_open())

    def test_connections_carry_what_the_limits_say(self) -> None:
        self.assertEqual((self.make().most_messages, self.make().most_seconds), (100, 300.0))


class GrantTest(PaceTestCase):
    def test_no_more_is_opened_than_was_granted(self) -> None:
        self.shares.grant = Grant(1, 0.0)
        self.assertEqual(self.open_all(self.make()), 1)
        self.shares.grant = Grant(0, 0.0)
        self.assertFalse(self.make().may_open())

    def test_what_others_wait_for_is_surplus(self) -> None:
        pace = self.make()
        self.open_all(pace)
        self.assertEqual(pace.surplus, 0)
        self.shares.grant = Grant(1, 0.0)
        self.assertEqual(pace.surplus, 1)

    def test_it_asks_for_no_more_than_the_window(self) -> None:
        pace = self.make()
        pace.opened()
        pace.need(50)
        self.assertEqual(self.shares.wanted, (LIMITS, 2, 1, 0))
        pace.need(0)
        self.assertEqual(self.shares.wanted, (LIMITS, 0, 1, 0))

    def test_whoever_waits_hears_of_more(self) -> None:
        pace = self.make()
        heard: list[str] = []
        pace.on_more.append(lambda: heard.append("more"))
        self.shares.listeners[0]()
        self.assertEqual(heard, ["more"])


class RateTest(PaceTestCase):
    limits = Limits(10, 100, 300.0, 8.0)

    def test_without_a_rate_every_message_may_go(self) -> None:
        self.assertEqual([self.make().take() for _ in range(5)], [0.0] * 5)

    def test_each_message_uses_a_token(self) -> None:
        self.shares.grant = Grant(5, 2.0)
        pace = self.make(self.limits)
        self.assertEqual([pace.take() > 0 for _ in range(3)], [False, False, True])

    def test_it_asks_for_half_a_second_ahead_but_for_no_more_than_waits(self) -> None:
        pace = self.make(self.limits)
        asked = []
        for waiting in (50, 3, 0):
            pace.need(waiting)
            asked.append(self.shares.wanted and self.shares.wanted[3])
        self.assertEqual(asked, [4, 3, 0])

    def test_a_slow_rate_asks_for_one(self) -> None:
        self.make(Limits(10, 100, 300.0, 1 / 60)).need(50)
        self.assertEqual(self.shares.wanted and self.shares.wanted[3], 1)

    def test_without_a_connection_it_takes_no_tokens_away_from_others(self) -> None:
        self.shares.grant = Grant(0, 0.0)
        self.make(self.limits).need(50)
        self.assertEqual(self.shares.wanted and self.shares.wanted[3], 0)

    def test_a_throttle_lowers_limits_and_lifts_again(self) -> None:
        pace = self.make()
        pace.throttle(0.5, 1)
        self.assertEqual((self.open_all(pace), pace.take() > 0), (1, True))
        pace.need(9)
        self.assertEqual(self.shares.wanted, (Limits(1, 100, 300.0, 0.5), 1, 1, 1))
        pace.throttle(None, None)
        self.assertEqual((self.open_all(pace), pace.take()), (2, 0.0))

    def test_a_throttle_never_raises_a_limit(self) -> None:
        pace = self.make(self.limits)
        pace.throttle(100.0, 50)
        pace.need(1)
        self.assertEqual(self.shares.wanted and self.shares.wanted[0], self.limits)


class RulesTest(PaceTestCase):
    slow = Rule(re.compile("too fast"), 2, SLOW, "test")
    stop = Rule(re.compile("too fast|blocked"), 3, STOP, "test")

    def hear(self, pace: Pace, text: str, times: int = 1) -> list[Action | None]:
        return [pace.hear(reply(450, text)) for _ in range(times)]

    def test_it_acts_when_the_replies_are_as_many_as_the_rule_says(self) -> None:
        self.assertEqual(self.hear(self.make(rules=(self.slow,)), "too fast", 2), [None, SLOW])

    def test_replies_to_what_was_under_way_do_not_act_again(self) -> None:
        pace = self.make(rules=(self.slow,))
        self.assertEqual(self.hear(pace, "too fast", 9).count(SLOW), 1)
        self.now += 61
        self.assertEqual(self.hear(pace, "too fast", 2), [None, SLOW])

    def test_replies_of_more_than_an_hour_ago_do_not_count(self) -> None:
        pace = self.make(rules=(self.slow,))
        self.hear(pace, "too fast")
        self.now += 3601
        self.assertEqual(self.hear(pace, "too fast", 2), [None, SLOW])

    def test_of_two_rules_the_stricter_one_acts(self) -> None:
        pace = self.make(rules=(self.slow, self.stop))
        self.assertEqual(self.hear(pace, "blocked", 2) + self.hear(pace, "too fast"), [None, None, STOP])

    def test_other_replies_are_nothing_to_it(self) -> None:
        self.assertEqual(self.hear(self.make(rules=(self.slow,)), "mailbox full", 9), [None] * 9)

    def test_the_rules_that_are_shipped_stop_sending_to_yahoo_japan_after_two_replies(self) -> None:
        pace = self.make(rules=shaping.load().rules("yahoo_japan"))
        text = "Mail from 192.0.2.1 not allowed - VS98-IP0 deferred"
        self.assertEqual([pace.hear(reply(553, text, "mail")) for _ in range(2)], [None, Action("suspend", 3600.0)])
