from __future__ import annotations

import asyncio
import signal
import subprocess
import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import IsolatedAsyncioTestCase
from urllib.parse import quote

import uvloop
from django.conf import settings
from redis.asyncio import Redis

from delivery.pace import Pace
from delivery.shaping import Limits
from delivery.shares import LEASE, PREFIX, Grant, Shares
from mailsales.stack.valkey import binary

TEN = Limits(10, 100, 300.0, None)
ONE = Limits(1, 100, 300.0, None)


def rated(rate: float) -> Limits:
    return Limits(10, 100, 300.0, rate)


class SharesTestCase(IsolatedAsyncioTestCase):
    """Holders ask the Valkey of the run, under keys of their own."""

    url = settings.REDIS_URL

    def setUp(self) -> None:
        self.key = f"mx|{uuid.uuid4()}"
        self.late = 0.0  # seconds that the holders' clock is ahead

    def shares(self, name: str, processes: int = 2) -> Shares:
        shares = Shares(self.url, name, lambda: processes, lambda: time.monotonic() + self.late)
        self.addAsyncCleanup(shares.close)
        return shares

    def holders(self, count: int) -> list[Shares]:
        return [self.shares(f"holder{number}") for number in range(count)]

    async def ask(self, shares: Shares, want: int, opened: int = 0, *, limits: Limits = TEN, tokens: float = 0) -> int:
        """Renew with this need, and return how many connections were granted."""
        shares.want(self.key, limits, want, opened, tokens)
        await shares.renew()
        return shares.granted(self.key).connections

    async def tokens(self, shares: Shares, limits: Limits, most: int = 100) -> int:
        """Ask for tokens with one connection open, use them all, and return how many there were."""
        await self.ask(shares, 1, 1, limits=limits, tokens=most)
        used = 0
        while shares.spend(self.key):
            used += 1
        return used


class ConnectionsTest(SharesTestCase):
    async def test_nothing_is_granted_before_the_first_answer(self) -> None:
        (shares,) = self.holders(1)
        shares.want(self.key, TEN, 5, 0, 0)
        self.assertEqual(shares.granted(self.key), Grant(0, 0.0))
        self.assertTrue(await shares.renew())
        self.assertEqual(shares.granted(self.key).connections, 5)

    async def test_one_alone_may_have_all(self) -> None:
        (shares,) = self.holders(1)
        self.assertEqual(await self.ask(shares, 50), 10)

    async def test_a_second_one_gets_its_half_as_soon_as_the_first_has_closed_them(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 50)
        self.assertEqual(await self.ask(second, 50), 0)
        self.assertEqual(await self.ask(first, 50, 10), 5)
        self.assertEqual(await self.ask(second, 50), 0)
        self.assertEqual(await self.ask(first, 50, 6), 5)
        self.assertEqual(await self.ask(second, 50), 4)
        await self.ask(first, 50, 5)
        self.assertEqual(await self.ask(second, 50, 4), 5)

    async def test_what_one_does_not_want_the_other_may_have(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 2)
        self.assertEqual(await self.ask(second, 50), 8)

    async def test_who_wants_less_frees_it_at_once(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 10)
        await self.ask(first, 1)
        self.assertEqual(await self.ask(second, 50), 9)

    async def test_idle_connections_stay_until_another_wants_them(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 10)
        self.assertEqual(await self.ask(first, 0, 10), 10)
        await self.ask(second, 4)
        await self.ask(first, 0, 9)
        self.assertEqual(first.granted(self.key).connections, 6)

    async def test_with_a_limit_of_one_nobody_oscillates(self) -> None:
        first, second = self.holders(2)
        had = []
        for _ in range(6):
            had.append(
                (
                    await self.ask(first, 5, first.granted(self.key).connections, limits=ONE),
                    await self.ask(second, 5, limits=ONE),
                )
            )
        self.assertEqual(had, [(1, 0)] * 6)
        await self.ask(first, 0, limits=ONE)
        self.assertEqual(await self.ask(second, 5, limits=ONE), 1)

    async def test_three_come_to_an_even_division_and_never_beyond_the_limit(self) -> None:
        holders = self.holders(3)
        opened = [0, 0, 0]
        for _ in range(6):
            for number, shares in enumerate(holders):
                granted = await self.ask(shares, 20, opened[number])
                opened[number] = granted
                self.assertLessEqual(sum(opened), 10)
        self.assertEqual(sorted(opened), [3, 3, 4])

    async def test_a_dead_holder_keeps_its_part_for_as_long_as_its_lease(self) -> None:
        dead, living = self.holders(2)
        await self.ask(dead, 10, 10)
        self.assertEqual(await self.ask(living, 10), 0)
        redis: Redis = Redis.from_url(self.url)
        value = (await redis.hget(PREFIX + self.key, "holder0") or "").split()
        seconds, microseconds = await redis.time()
        self.assertAlmostEqual(int(value[3]) / 1e6 - seconds - microseconds / 1e6, LEASE, delta=1)
        await redis.hset(PREFIX + self.key, "holder0", b" ".join([*value[:3], b"%d 0" % (seconds * 10**6)]))
        self.assertEqual(await self.ask(living, 9), 9)
        await redis.aclose()

    async def test_who_slept_longer_than_its_lease_opens_nothing_before_it_asked(self) -> None:
        (shares,) = self.holders(1)
        await self.ask(shares, 5, 2)
        self.late = LEASE + 1
        self.assertEqual(shares.granted(self.key).connections, 0)
        self.assertEqual(await self.ask(shares, 5, 2), 5)

    async def test_a_lease_is_renewed_while_nothing_changes(self) -> None:
        (shares,) = self.holders(1)
        for seconds in range(0, 30, 3):
            self.late = float(seconds)
            self.assertEqual(await self.ask(shares, 5, 5), 5)

    async def test_nothing_is_opened_while_the_question_is_on_its_way(self) -> None:
        (shares,) = self.holders(1)
        await self.ask(shares, 5, 0)
        shares.want(self.key, TEN, 5, 2, 0)
        asking = asyncio.create_task(shares.renew())
        await asyncio.sleep(0)
        self.assertEqual(shares.granted(self.key).connections, 2)
        await asking
        self.assertEqual(shares.granted(self.key).connections, 5)

    async def test_a_lower_limit_holds_with_the_next_renewal(self) -> None:
        (shares,) = self.holders(1)
        await self.ask(shares, 10)
        self.assertEqual(await self.ask(shares, 10, 10, limits=ONE), 1)

    async def test_closing_lets_go_of_everything(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 10, 10)
        await first.close()
        self.assertEqual(await self.ask(second, 10), 10)

    async def test_whoever_listens_hears_when_there_is_more(self) -> None:
        (shares,) = self.holders(1)
        heard: list[int] = []
        shares.listen(self.key, TEN, lambda: heard.append(shares.granted(self.key).connections))
        for want, opened in ((3, 0), (3, 3), (7, 3)):
            await self.ask(shares, want, opened)
        self.assertEqual(heard, [3, 7])

    async def test_many_keys_take_one_round_trip(self) -> None:
        (shares,) = self.holders(1)
        await self.ask(shares, 1)
        for number in range(200):
            shares.want(f"{self.key}{number}", TEN, 3, 0, 0)
        began = time.perf_counter()
        await shares.renew()
        self.assertLess(time.perf_counter() - began, 0.3)
        self.assertEqual({shares.granted(f"{self.key}{number}").connections for number in range(200)}, {3})


class RateTest(SharesTestCase):
    async def test_the_rate_is_kept_over_seconds_by_two_holders_together(self) -> None:
        limits, holders = rated(40.0), self.holders(2)
        began, counts = time.monotonic(), [0, 0]
        while time.monotonic() - began < 3:
            for number, shares in enumerate(holders):
                counts[number] += await self.tokens(shares, limits, 20)
            await asyncio.sleep(0.1)
        seconds = time.monotonic() - began
        self.assertTrue(0.85 * 40 * seconds < sum(counts) <= 40 * seconds + 1, (counts, seconds))
        self.assertGreater(min(counts), sum(counts) / 4)

    async def test_after_a_pause_no_more_than_a_second_s_worth_goes_at_once(self) -> None:
        (shares,) = self.holders(1)
        await self.tokens(shares, rated(5.0))
        await asyncio.sleep(1.5)
        self.assertEqual(await self.tokens(shares, rated(5.0)), 5)

    async def test_a_slow_rate_lets_one_go_now_and_none_soon(self) -> None:
        holders = self.holders(2)
        used = [await self.tokens(shares, rated(1 / 60)) for shares in (*holders, *holders)]
        self.assertEqual(used, [1, 0, 0, 0])

    async def test_a_slow_rate_lets_each_have_its_turn(self) -> None:
        holders, counts = self.holders(3), [0, 0, 0]
        began = time.monotonic()
        while time.monotonic() - began < 2:
            for number, shares in enumerate(holders):
                counts[number] += await self.tokens(shares, rated(6.0), 3)
            await asyncio.sleep(0.1)
        self.assertLessEqual(max(counts) - min(counts), 1, counts)

    async def test_what_is_not_needed_any_more_is_given_back(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 1, 1, limits=rated(0.01), tokens=1)
        self.assertEqual(await self.tokens(second, rated(0.01)), 0)
        await self.ask(first, 0, 0, limits=rated(0.01), tokens=0)
        self.assertEqual(first.granted(self.key).tokens, 0)
        self.assertEqual(await self.tokens(second, rated(0.01)), 1)


class AwayTestCase(SharesTestCase):
    """A Valkey of their own, to be killed."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(TemporaryDirectory(prefix="shares-", dir="/tmp")))
        self.url = f"unix://{quote(str(self.folder / 'vk.sock'))}"
        self.start_server()
        self.addCleanup(lambda: self.stop_server())

    def start_server(self) -> None:
        place = ["--port", "0", "--unixsocket", str(self.folder / "vk.sock"), "--dir", str(self.folder), "--save", ""]
        self.server = subprocess.Popen([binary(), *place], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not (self.folder / "vk.sock").exists() and time.monotonic() < until:
            time.sleep(0.01)

    def stop_server(self) -> None:
        self.server.kill()
        self.server.wait()
        (self.folder / "vk.sock").unlink(missing_ok=True)

    async def until_back(self, shares: Shares) -> None:
        async with asyncio.timeout(5):
            while not await shares.renew():
                await asyncio.sleep(0.05)


class AwayTest(AwayTestCase):
    async def test_each_process_keeps_to_its_part_while_redis_is_away(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 20)
        self.stop_server()
        self.assertFalse(await second.renew() and await first.renew())
        self.assertEqual((await self.ask(first, 20, 10), await self.ask(second, 20)), (5, 5))

    async def test_even_of_a_limit_of_one_each_has_one_and_never_none(self) -> None:
        self.stop_server()
        shares = self.shares("many", processes=8)
        self.assertEqual(await self.ask(shares, 5, limits=ONE), 1)

    async def test_the_rate_is_divided_too_and_goes_by_the_local_clock(self) -> None:
        self.stop_server()
        shares = self.shares("one", processes=4)
        self.assertEqual(await self.tokens(shares, rated(40.0)), 0)
        self.late = 0.5
        self.assertEqual(await self.tokens(shares, rated(40.0)), 5)
        self.late = 60
        self.assertEqual(await self.tokens(shares, rated(40.0)), 10)

    async def test_a_slow_rate_goes_on_slowly(self) -> None:
        self.stop_server()
        shares = self.shares("one", processes=1)
        used = 0
        for second in range(0, 125, 1):
            self.late = float(second)
            used += await self.tokens(shares, rated(1 / 60))
        self.assertEqual(used, 2)

    async def test_sharing_begins_again_when_it_is_back_empty(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 20, 5)
        await self.ask(second, 20, 5)
        self.stop_server()
        await self.ask(first, 20, 5)
        await self.ask(second, 20, 5)
        self.start_server()
        await self.until_back(first)
        await self.until_back(second)
        self.assertEqual((first.granted(self.key).connections, second.granted(self.key).connections), (5, 5))

    async def test_an_emptied_redis_lets_nobody_take_what_others_have_open(self) -> None:
        first, second = self.holders(2)
        await self.ask(first, 20, 5)
        await self.ask(second, 20, 5)
        redis: Redis = Redis.from_url(self.url)
        await redis.flushall()
        await redis.script_flush()
        await redis.aclose()
        granted = [await self.ask(shares, 20, 5, limits=rated(100)) for shares in (first, second)]
        self.assertEqual(granted, [5, 5])

    async def test_a_redis_that_says_nothing_counts_as_away_after_half_a_second(self) -> None:
        (shares,) = self.holders(1)
        await self.ask(shares, 5)
        self.server.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        self.assertEqual(await self.ask(shares, 6), 5)
        self.assertLess(time.monotonic() - began, 2)
        self.assertTrue(shares.is_away)
        self.server.send_signal(signal.SIGCONT)
        await self.until_back(shares)
        self.assertEqual(shares.granted(self.key).connections, 6)

    async def test_a_process_may_begin_while_redis_is_away(self) -> None:
        self.stop_server()
        (shares,) = self.holders(1)
        self.assertEqual(await self.ask(shares, 3), 5)
        self.start_server()
        await self.until_back(shares)
        self.assertEqual(shares.granted(self.key).connections, 3)

    async def test_closing_does_not_wait_for_a_redis_that_is_away(self) -> None:
        (shares,) = self.holders(1)
        await self.ask(shares, 3)
        self.server.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        await shares.close()
        self.assertLess(time.monotonic() - began, 2)


class TogetherTest(SharesTestCase):
    def test_paces_of_two_processes_share_a_limit_over_uvloop(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            self.assertEqual(runner.run(self.opened_by_two()), [3, 2])

    async def opened_by_two(self) -> list[int]:
        limits = Limits(5, 100, 300.0, None)
        holders = [Shares(self.url, f"holder{number}", lambda: 2) for number in range(2)]
        paces = [Pace(self.key, limits, shares) for shares in holders]
        for _ in range(20):
            for pace, shares in zip(paces, holders, strict=True):
                pace.succeeded()
                pace.need(20)
                await shares.renew()
                if pace.may_open():
                    pace.opened()
                if pace.surplus:
                    pace.closed()
                self.assertLessEqual(sum(pace.connections for pace in paces), 5)
        for shares in holders:
            await shares.close()
        return sorted((pace.connections for pace in paces), reverse=True)
