from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from unittest import TestCase
from zoneinfo import ZoneInfo

import time_machine
from asgiref.sync import async_to_sync, sync_to_async
from django.test import TransactionTestCase

from accounts.models import Account, Domain
from delivery import warmup
from delivery.models import WarmupDay
from delivery.warmup import MOST, Allowance, Plan, plan_of
from delivery.worker import server
from mailsales.ledger import Ledger, Row

TOKYO = ZoneInfo("Asia/Tokyo")
MONDAY = date(2026, 11, 23)
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 10:00 in Tokyo


def plan(first: int = 200, growth: float = 1.5, domain_id: int = 1) -> Plan:
    return Plan(domain_id, MONDAY, first, growth, TOKYO)


class PlanTest(TestCase):
    def caps(self, first: int, growth: float, days: int) -> list[int]:
        return [plan(first, growth).cap_on(date.fromordinal(MONDAY.toordinal() + day)) for day in range(days)]

    def test_a_cap_grows_from_day_to_day(self) -> None:
        self.assertEqual(self.caps(200, 1.5, 5), [200, 300, 450, 675, 1012])
        self.assertEqual(self.caps(200, 2.0, 4), [200, 400, 800, 1600])

    def test_it_never_more_than_doubles_nor_shrinks_however_small_it_is(self) -> None:
        for first, growth in ((1, 1.9), (1, 1.1), (3, 1.7), (7, 2.0), (5, 9.0)):
            caps = self.caps(first, growth, 40)
            self.assertTrue(all(before <= after <= 2 * before for before, after in pairwise(caps)))

    def test_without_growth_it_stays_for_ever(self) -> None:
        self.assertEqual(self.caps(200, 1.0, 3), [200] * 3)
        self.assertEqual(plan(200, 1.0).cap_on(date(2036, 1, 1)), 200)

    def test_it_ends_by_itself(self) -> None:
        self.assertEqual(plan().cap_on(date(2026, 12, 30)), MOST)
        self.assertEqual(plan(growth=2.0).cap_on(date(9999, 1, 1)), MOST)

    def test_before_its_first_day_the_first_cap_holds(self) -> None:
        self.assertEqual(plan().cap_on(date(2026, 11, 1)), 200)

    def test_days_are_those_of_the_account(self) -> None:
        with time_machine.travel(datetime(2026, 11, 23, 16, 0, tzinfo=UTC)):
            self.assertEqual(plan().today(), date(2026, 11, 24))

    def test_what_is_too_much_is_due_tomorrow_at_about_this_hour(self) -> None:
        with time_machine.travel(MORNING, tick=False):
            found = [(plan().next_day() - MORNING).total_seconds() / 60 - 24 * 60 for _ in range(50)]
        self.assertTrue(all(-5 <= minutes <= 5 for minutes in found))
        self.assertGreater(len(set(found)), 40)

    def test_it_is_due_on_the_next_day_even_around_midnight(self) -> None:
        for hour, minute in ((15, 0), (14, 59)):  # 00:00 and 23:59 in Tokyo
            with time_machine.travel(datetime(2026, 11, 23, hour, minute, tzinfo=UTC), tick=False):
                today = plan().today()
                days = {plan().next_day().astimezone(TOKYO).date().toordinal() for _ in range(50)}
            self.assertEqual(days, {today.toordinal() + 1})


class DomainTestCase(TransactionTestCase):
    def setUp(self) -> None:
        account = Account.objects.create(name="株式会社青葉商店")
        self.domain = Domain.objects.create(account=account, name="aoba.example.jp", warmup_started_on=MONDAY)
        self.enterContext(time_machine.travel(MORNING))

    def plan(self, first: int) -> Plan:
        return plan(first, domain_id=self.domain.pk)

    def day(self, provider: str = "other") -> WarmupDay:
        return WarmupDay.objects.get(provider=provider)


class PlanOfTest(DomainTestCase):
    def test_it_is_read_from_the_domain(self) -> None:
        self.assertEqual(plan_of(self.domain), plan(200, 1.5, self.domain.pk))

    def test_a_domain_that_does_not_warm_up_or_is_warm_has_none(self) -> None:
        self.domain.warmup_started_on = None
        self.assertIsNone(plan_of(self.domain))
        self.domain.warmup_started_on = date(2026, 1, 1)
        self.assertIsNone(plan_of(self.domain))


class AllowanceTest(DomainTestCase):
    async def connect(self) -> Ledger:
        ledger = Ledger(await sync_to_async(server)())
        await ledger.connect()
        return ledger

    def taken(
        self, first: int, asked: int, *, workers: int = 1, domain: str = "example.jp", ends_well: bool = False
    ) -> list[int]:
        """Let workers ask so often, all at once, each over its own connection; return how often each may send."""

        async def work(ledger: Ledger) -> int:
            allowance = Allowance(ledger.query)
            count = sum([await allowance.take(self.plan(first), domain) for _ in range(asked)])
            if ends_well:
                await allowance.give_back()
            await ledger.close()
            return count

        async def all_of_them() -> list[int]:
            return await asyncio.gather(*[work(await self.connect()) for _ in range(workers)])

        return async_to_sync(all_of_them)()

    def test_it_allows_as_many_as_the_cap(self) -> None:
        self.assertEqual(self.taken(120, 300), [120])
        self.assertEqual((self.day().cap, self.day().used), (120, 120))

    def test_many_workers_together_get_no_more_than_the_cap(self) -> None:
        for round_number in range(3):
            WarmupDay.objects.all().delete()
            counts = self.taken(200, 200, workers=6)
            self.assertEqual((sum(counts), self.day().used), (200, 200), (round_number, counts))

    def test_each_provider_has_its_own(self) -> None:
        self.assertEqual(self.taken(30, 50, domain="docomo.ne.jp"), [30])
        self.assertEqual(self.taken(30, 50, domain="gmail.com"), [30])
        self.assertEqual({day.provider for day in WarmupDay.objects.all()}, {"docomo", "gmail"})

    def test_the_next_day_has_its_own_too(self) -> None:
        self.taken(20, 50)
        with time_machine.travel(datetime(2026, 11, 24, 1, 0, tzinfo=UTC)):
            self.assertEqual(self.taken(20, 50), [30])

    def test_what_was_reserved_and_not_used_is_given_back(self) -> None:
        self.taken(200, 3, ends_well=True)
        self.assertEqual(self.day().used, 3)

    def test_what_a_dead_worker_had_reserved_is_lost(self) -> None:
        self.taken(200, 3)
        self.assertEqual(self.day().used, 25)
        self.assertEqual(self.taken(200, 300), [175])

    def test_a_cap_that_is_lowered_takes_nothing_back(self) -> None:
        self.taken(100, 60, ends_well=True)
        self.assertEqual(self.taken(20, 50), [0])
        self.assertEqual((self.day().cap, self.day().used), (60, 60))

    def test_a_message_that_was_not_sent_is_counted_once(self) -> None:
        async def work() -> int:
            ledger = await self.connect()
            allowance = Allowance(ledger.query)
            while await allowance.take(self.plan(10), "example.jp"):
                pass
            allowance.put_back(self.plan(10), "example.jp")
            count = sum([await allowance.take(self.plan(10), "example.jp") for _ in range(3)])
            await ledger.close()
            return count

        self.assertEqual(async_to_sync(work)(), 1)

    def test_once_used_up_the_database_is_left_alone_for_a_while(self) -> None:
        asked: list[str] = []
        now = [100.0]

        async def run(statement: str, values: dict[str, Any]) -> list[Row]:
            asked.append(statement)
            return [(0,)]

        allowance = Allowance(run, lambda: now[0])
        for seconds in (0, 1, 19, 20):
            now[0] = 100.0 + seconds
            self.assertFalse(async_to_sync(allowance.take)(self.plan(10), "example.jp"))
        self.assertEqual(asked, [warmup.RESERVE] * 2)

    def test_a_warm_domain_asks_nobody(self) -> None:
        async def run(statement: str, values: dict[str, Any]) -> list[Row]:
            raise AssertionError(statement)

        self.assertTrue(async_to_sync(Allowance(run).take)(self.plan(MOST), "example.jp"))
