from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import IsolatedAsyncioTestCase

import uvloop
from django.test import SimpleTestCase

from delivery.certificates import server_context
from delivery.pools import PATIENCE, Pool
from delivery.smtp import Reply, Timeouts
from mailsales.routes import TLSMode
from tests.delivery.dialogue import scripted
from tests.delivery.making import pool_to
from tests.delivery.sink import Letter, Sink


async def until_ended(letters: list[Letter]) -> None:
    async with asyncio.timeout(10):
        while not all(letter.ends for letter in letters):
            await asyncio.sleep(0.002)


async def send_all(pool: Pool, letters: list[Letter]) -> None:
    pool.push(letters)
    await until_ended(letters)
    await pool.close()


class PoolTest(IsolatedAsyncioTestCase):
    def pool(self, sink: Sink, size: int = 3, **options: Any) -> Pool:
        return pool_to(sink.port, size, first_pause=0.01, **options)

    async def test_everything_is_sent_over_as_many_connections_as_allowed(self) -> None:
        letters = [Letter(n) for n in range(50)]
        async with Sink() as sink:
            pool = self.pool(sink)
            await send_all(pool, letters)
        self.assertEqual({letter.reply.code for letter in letters}, {250})
        self.assertLessEqual(sink.sessions, 3)
        self.assertEqual((len(sink.accepted), sink.faults), (50, []))

    async def test_connections_are_kept_over_batches(self) -> None:
        async with Sink() as sink:
            pool = self.pool(sink, 1)
            for batch in range(3):
                letters = [Letter(batch * 10 + n) for n in range(5)]
                pool.push(letters)
                await until_ended(letters)
            await pool.close()
        self.assertEqual((sink.sessions, len(sink.accepted)), (1, 15))

    async def test_no_more_connections_than_messages(self) -> None:
        letters = [Letter(0)]
        async with Sink() as sink:
            pool = self.pool(sink, 20)
            await send_all(pool, letters)
        self.assertEqual(sink.sessions, 1)

    async def test_server_that_stops_after_each_message_still_gets_all_once(self) -> None:
        seen = 0

        def script(verb: str, _argument: str) -> str | None:
            nonlocal seen
            seen += verb == "MAIL"
            return "421 4.3.2 enough" if verb == "MAIL" and seen % 2 == 0 else None

        letters = [Letter(n) for n in range(12)]
        async with Sink(script) as sink:
            pool = self.pool(sink, 1)
            await send_all(pool, letters)
        self.assertEqual([letter.reply.code for letter in letters], [250] * 12)
        self.assertEqual(len(sink.accepted), 12)

    async def test_dead_host_settles_what_waits_with_its_trouble(self) -> None:
        async with Sink() as sink:
            pass
        troubles: list[Reply] = []
        pool = self.pool(sink, on_trouble=lambda _pool, reply: troubles.append(reply))
        letters = [Letter(n) for n in range(4)]
        await send_all(pool, letters)
        self.assertEqual([(letter.reply.code, letter.reply.command) for letter in letters], [(0, "connect")] * 4)
        self.assertEqual([(reply.code, reply.command) for reply in troubles], [(0, "connect")])

    async def test_host_that_comes_back_is_used_again(self) -> None:
        async with Sink() as sink:
            pass
        pool = self.pool(sink)
        first, second = [Letter(0)], [Letter(1)]
        pool.push(first)
        await until_ended(first)
        async with sink:
            pool.push(second)
            await until_ended(second)
            await pool.close()
        self.assertEqual(second[0].reply.code, 250)

    async def test_host_that_drops_every_first_message_is_not_hammered(self) -> None:
        letters = [Letter(n) for n in range(40)]
        async with Sink(scripted(MAIL="drop")) as sink:
            pool = self.pool(sink)
            await send_all(pool, letters)
        self.assertLessEqual(sink.sessions, PATIENCE + 3)
        self.assertEqual({letter.reply.code for letter in letters}, {0})

    async def test_message_that_breaks_connections_harms_nobody_else(self) -> None:
        def script(verb: str, argument: str) -> str | None:
            return "drop" if verb == "RCPT" and "5@" in argument else None

        letters = [Letter(n) for n in range(10)]
        async with Sink(script) as sink:
            pool = self.pool(sink, 1)
            await send_all(pool, letters)
        codes = [letter.reply.code for letter in letters]
        self.assertEqual((codes, letters[5].reply.command != "dot"), ([250] * 5 + [0] + [250] * 4, True))

    async def test_host_that_drops_at_every_dot_leaves_the_waiting_in_no_doubt(self) -> None:
        letters = [Letter(n) for n in range(10)]
        async with Sink(lambda verb, _: "drop" if verb == "DOT" else None, extensions=()) as sink:
            await send_all(self.pool(sink, 1), letters)
        tried, waiting = letters[:PATIENCE], letters[PATIENCE:]
        self.assertEqual({(letter.dots, letter.reply.command) for letter in tried}, {(1, "dot")})
        self.assertEqual(
            {(letter.dots, letter.reply.code, letter.reply.command) for letter in waiting}, {(0, 0, "connect")}
        )

    def test_end_of_a_session_refuses_nobody_who_waits(self) -> None:
        for command, code in (("dot", 0), ("data", 554), ("mail", 550)):
            waiting = Reply(code, "so it ended", command, "mx.example.jp").for_the_waiting
            self.assertEqual(waiting, Reply(0, "so it ended", "connect", "mx.example.jp"))
        for command, code in (("greeting", 554), ("mail", 421), ("connect", 556)):
            reply = Reply(code, "so it ended", command, "mx.example.jp")
            self.assertEqual(reply.for_the_waiting, reply)

    async def test_broken_tls_is_given_up_only_when_opportunistic(self) -> None:
        plain = Sink(scripted(STARTTLS="220 go on"), extensions=("PIPELINING", "STARTTLS"))  # and then no handshake
        quick = Timeouts(starttls=0.3)
        for tls, expected in ((TLSMode.OPPORTUNISTIC, 250), (TLSMode.REQUIRED, 0)):
            letters = [Letter(0)]
            async with plain:
                pool = self.pool(plain, 1, tls=tls, timeouts=quick)
                await send_all(pool, letters)
            self.assertEqual(letters[0].reply.code, expected)

    async def test_abandon_settles_and_returns_everything(self) -> None:
        letters = [Letter(n) for n in range(30)]
        async with Sink(scripted(DOT_2="silence")) as sink:
            pool = self.pool(sink, 2)
            pool.push(letters)
            while len(sink.accepted) < 3:
                await asyncio.sleep(0.001)
            await asyncio.wait_for(pool.abandon(0.1), 2)
        self.assertEqual({letter.ends for letter in letters}, {1})
        self.assertEqual(len(pool), 0)

    async def test_what_is_pushed_after_the_end_is_returned(self) -> None:
        async with Sink() as sink:
            pool = self.pool(sink)
            await pool.close()
            late = Letter(0)
            pool.push([late])
        self.assertEqual((late.returns, sink.sessions), (1, 0))


class UvloopTest(SimpleTestCase):
    def test_pool_runs_on_uvloop_with_tls(self) -> None:
        letters = [Letter(n, 40_000) for n in range(30)] + [Letter(30, 2_000_000)]

        async def send() -> Sink:
            with TemporaryDirectory() as folder:
                sink = Sink(tls=server_context(Path(folder)))
            async with sink:
                pool = pool_to(sink.port, 3, TLSMode.REQUIRED)
                await send_all(pool, letters)
            return sink

        sink = uvloop.run(send())
        self.assertEqual({letter.reply.code for letter in letters}, {250})
        self.assertEqual(sorted(len(body) for _to, body in sink.accepted), sorted(len(one.body) for one in letters))
