from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import SimpleTestCase, TestCase, TransactionTestCase

from campaigns.models import Destination
from delivery import throttles
from delivery.models import DestinationGroup, Throttle
from delivery.smtp import Reply
from delivery.throttles import Board
from delivery.worker import server
from mailsales.ledger import Ledger, Row


def run(statement: str, **values: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def row(**fields: Any) -> dict[str, Any]:
    """Make what MAKE takes: docomo asks for a rest of 15 minutes."""
    values: dict[str, Any] = {
        "route": "mx",
        "scope": "docomo",
        "rate": 0.0,
        "connections": None,
        "reason": "rate_limited",
    }
    values |= {"code": 421, "text": "4.7.0 busy", "host": "mx.docomo.ne.jp", "made_by": "rule", "minutes": 15} | fields
    return values | {"until": datetime.now(UTC) + timedelta(minutes=values.pop("minutes"))}


def minutes_to(until: datetime) -> int:
    return round((until - datetime.now(UTC)).total_seconds() / 60)


class MakeTest(TestCase):
    def make(self, **fields: Any) -> Throttle:
        run(throttles.MAKE, **row(**fields))
        return Throttle.objects.get(scope=fields.get("scope", "docomo"))

    def test_it_makes_a_row_that_is_active(self) -> None:
        made = self.make()
        self.assertEqual((made.is_suspended, made.failures, made.code, made.text), (True, 0, 421, "4.7.0 busy"))
        self.assertEqual([found[:3] for found in run(throttles.ACTIVE)], [("mx", "docomo", 0.0)])

    def test_the_later_end_of_two_suspensions_holds(self) -> None:
        self.make(minutes=15)
        self.assertEqual(minutes_to(self.make(minutes=120, text="longer").until), 120)
        shorter = self.make(minutes=5, text="shorter")
        self.assertEqual((minutes_to(shorter.until), shorter.text), (120, "longer"))

    def test_the_stricter_rate_of_two_slowdowns_holds(self) -> None:
        self.make(rate=1.0, connections=4, minutes=90)
        made = self.make(rate=0.1, connections=None, minutes=15)
        self.assertEqual((made.rate, made.connections, minutes_to(made.until)), (0.1, 4, 90))
        self.assertEqual(self.make(rate=2.0, minutes=100).rate, 0.1)

    def test_a_suspension_beats_slowing_down_and_lasts_no_longer_than_it_says(self) -> None:
        self.make(rate=0.1, minutes=90)
        made = self.make(rate=0.0, minutes=15)
        self.assertEqual((made.is_suspended, minutes_to(made.until)), (True, 15))

    def test_slowing_down_leaves_a_suspension_alone(self) -> None:
        self.make(minutes=15)
        made = self.make(rate=0.1, minutes=90)
        self.assertEqual((made.is_suspended, minutes_to(made.until)), (True, 15))

    def test_what_has_ended_counts_for_nothing(self) -> None:
        self.make(minutes=-1)
        made = self.make(rate=3.0, connections=2, minutes=5)
        self.assertEqual((made.rate, made.connections, minutes_to(made.until)), (3.0, 2, 5))

    def test_failures_in_a_row_are_counted_and_forgotten_after_an_hour(self) -> None:
        for minutes in (2, 5):
            made = self.make(made_by="failure", minutes=minutes)
        self.assertEqual(made.failures, 2)
        Throttle.objects.update(until=datetime.now(UTC) - timedelta(hours=2))
        self.assertEqual(self.make(made_by="failure").failures, 1)

    def test_long_words_are_cut(self) -> None:
        made = self.make(text="x" * 900, scope="y" * 255, host="z" * 300)
        self.assertEqual((len(made.text), len(made.host)), (500, 255))

    def test_an_operator_suspends_and_resumes(self) -> None:
        self.make(rate=1.0)
        throttles.suspend("mx", "docomo", 600, "maintenance")
        made = Throttle.objects.get()
        self.assertEqual((made.is_suspended, made.made_by, minutes_to(made.until)), (True, "person", 10))
        self.assertEqual(throttles.resume("docomo"), 1)
        self.assertEqual(throttles.resume("docomo"), 0)

    def test_what_ended_a_day_ago_is_forgotten(self) -> None:
        self.make(minutes=-60 * 25)
        run(throttles.FORGET)
        self.assertFalse(Throttle.objects.exists())


class FoundTest(TestCase):
    def setUp(self) -> None:
        self.destination = Destination.objects.create(name="aoba.example.jp")

    def found(self, group: str, *more: int) -> DestinationGroup:
        ids = [self.destination.pk, *more]
        run(throttles.FOUND, ids=ids, groups=[group] * len(ids), sites=["mx.example.jp"] * len(ids))
        return DestinationGroup.objects.get()

    def test_it_is_kept_and_changed(self) -> None:
        self.assertEqual(self.found("google").group, "google")
        self.assertEqual(self.found("microsoft365").group, "microsoft365")

    def test_what_is_known_is_not_written_again(self) -> None:
        self.assertEqual(self.found("google").found_at, self.found("google").found_at)

    def test_a_destination_that_is_gone_spoils_nothing(self) -> None:
        self.assertEqual(self.found("google", self.destination.pk + 1).destination, self.destination)


class BoardTest(SimpleTestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.board = Board(lambda: self.now)

    def active(self, **fields: Any) -> Row:
        made = row(**fields)
        return (
            *(
                made[name]
                for name in (
                    "route",
                    "scope",
                    "rate",
                    "connections",
                    "until",
                    "reason",
                    "code",
                    "text",
                    "host",
                    "made_by",
                )
            ),
            0,
        )

    def test_a_group_and_a_site_are_suspended(self) -> None:
        self.board.replace([self.active(), self.active(scope="mx1.example.jp", minutes=2)])
        self.assertEqual(
            minutes_to(self.board.suspended_until("mx", "docomo", "mx1.example.jp") or datetime.now(UTC)), 15
        )
        self.assertEqual(minutes_to(self.board.suspended_until("mx", "au", "mx1.example.jp") or datetime.now(UTC)), 2)

    def test_another_route_or_destination_is_not(self) -> None:
        self.board.replace([self.active()])
        self.assertIsNone(self.board.suspended_until("mx 192.0.2.1", "docomo", "x"))
        self.assertIsNone(self.board.suspended_until("mx", "au", "x"))

    def test_slowing_down_is_no_suspension(self) -> None:
        self.board.replace([self.active(rate=0.5, connections=1)])
        self.assertEqual(self.board.slowed("mx", "docomo"), (0.5, 1))
        self.assertIsNone(self.board.suspended_until("mx", "docomo", "x"))

    def test_what_has_ended_holds_nothing_back(self) -> None:
        self.board.replace([self.active(minutes=-1)])
        self.assertIsNone(self.board.suspended_until("mx", "docomo", "x"))

    def test_what_is_lifted_elsewhere_is_gone_with_the_next_rows(self) -> None:
        self.board.replace([self.active()])
        self.board.replace([])
        self.assertIsNone(self.board.suspended_until("mx", "docomo", "x"))

    def test_what_was_added_holds_at_once_and_until_it_can_be_in_the_rows(self) -> None:
        self.board.add(row(rate=0.5))
        self.board.replace([])
        self.assertEqual(self.board.slowed("mx", "docomo"), (0.5, None))
        self.now = 3.0
        self.board.replace([])
        self.assertIsNone(self.board.slowed("mx", "docomo"))


class TimesTest(SimpleTestCase):
    def backoff(self, failures: int, text: str = "connection refused", code: int = 0) -> float:
        return throttles.backoff(failures, Reply(code, text, "connect", "mx")).total_seconds() / 60

    def test_pauses_grow_to_half_an_hour(self) -> None:
        for failures, minutes in ((0, 2), (1, 2), (2, 5), (3, 15), (4, 30), (99, 30)):
            self.assertTrue(minutes <= self.backoff(failures) <= 1.2 * minutes, failures)

    def test_a_timeout_asks_for_at_least_a_quarter_of_an_hour(self) -> None:
        self.assertTrue(all(15 <= self.backoff(1, text) <= 18 for text in ("no connection in time", "timed out")))
        self.assertLess(self.backoff(1, "451 4.4.2 timed out", 451), 15)

    def test_pauses_are_not_all_of_one_length(self) -> None:
        self.assertGreater(len({self.backoff(1) for _ in range(20)}), 1)

    def test_messages_are_due_after_a_suspension_and_not_all_at_once(self) -> None:
        until = datetime.now(UTC) + timedelta(minutes=30)
        delays = sorted((throttles.due_after(until) - until).total_seconds() for _ in range(200))
        self.assertTrue(0 <= delays[0] < 20 < 40 < delays[-1] <= 60)

    def test_after_a_short_suspension_they_are_due_soon(self) -> None:
        until = datetime.now(UTC) + timedelta(seconds=12)
        self.assertLess(max((throttles.due_after(until) - until).total_seconds() for _ in range(99)), 3.1)


class MaskedTest(SimpleTestCase):
    def test_local_parts_are_hidden(self) -> None:
        for text, shown in {
            "550 Unknown user hanako.sato@docomo.ne.jp": "550 Unknown user …@docomo.ne.jp",
            "5.1.1 <hanako@example.jp>: User unknown": "5.1.1 <…@example.jp>: User unknown",
            'no "abc."@docomo.ne.jp here': "no …@docomo.ne.jp here",
            "rcpt=a+b@example.jp, from:bounce+x@b.example.jp": "rcpt=…@example.jp, from:…@b.example.jp",
            "see https://example.com/?to=a%40b.example.jp": "see https://example.com/?to=…%40b.example.jp",
            "花子@example.jp": "…@example.jp",
            "x@[192.0.2.1]": "…@[192.0.2.1]",
        }.items():
            self.assertEqual(throttles.masked(text), shown)

    def test_other_words_stay(self) -> None:
        text = (
            "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred @ 12:00; see https://postmaster.example/x"
        )
        self.assertEqual(throttles.masked(text), text)


class WorkersConnectionTest(TransactionTestCase):
    """A worker's own connection binds parameters at the server, Django's does not."""

    async def run_there(self, statement: str, values: dict[str, Any]) -> list[Row]:
        ledger = Ledger(await sync_to_async(server)())
        await ledger.connect()
        try:
            return await ledger.query(statement, values)
        finally:
            await ledger.close()

    def test_throttles_are_made_and_read(self) -> None:
        for rate in (0.5, 0.0):
            async_to_sync(self.run_there)(throttles.MAKE, row(rate=rate))
        active = async_to_sync(self.run_there)(throttles.ACTIVE, {})
        self.assertEqual(
            [(found[:3], found[4].tzinfo is not None) for found in active], [(("mx", "docomo", 0.0), True)]
        )

    def test_destinations_are_found(self) -> None:
        pk = Destination.objects.create(name="aoba.example.jp").pk
        async_to_sync(self.run_there)(throttles.FOUND, {"ids": [pk], "groups": ["google"], "sites": ["mx"]})
        self.assertEqual(DestinationGroup.objects.get().group, "google")
