from __future__ import annotations

import asyncio
from unittest import IsolatedAsyncioTestCase

from delivery.compose import Mail
from delivery.handover import hand_over
from delivery.sites import Target, TlsPlan
from delivery.smtp import Reply, Timeouts, verified_context
from mailsales.routes import Route, RouteKind, TLSMode
from tests.delivery.authority import Authority
from tests.delivery.dialogue import QUICK, scripted
from tests.delivery.sink import Sink

MAIL = Mail(b"b+1@out.example.jp", b"hanako@example.jp", b"Subject: x\r\n\r\nHello.\r\n")
ROUTE = Route(RouteKind.MX, ehlo_name="out.example.jp")
PLAIN = TlsPlan(TLSMode.NONE)


def target(sink: Sink, tls: TlsPlan = PLAIN) -> Target:
    return Target("mx.example.jp", sink.port, "127.0.0.1", tls)


class HandoverTest(IsolatedAsyncioTestCase):
    async def hand(self, *targets: Target, timeouts: Timeouts = QUICK) -> Reply:
        return await hand_over(MAIL, targets, ROUTE, timeouts)

    async def test_the_receivers_word_comes_back(self) -> None:
        for word, code in ((None, 250), ("550 5.1.1 unknown", 550), ("drop", 0)):
            async with Sink(script=scripted(RCPT=word or "")) as sink:
                self.assertEqual((await self.hand(target(sink))).code, code)
                self.assertEqual(len(sink.accepted), code == 250)

    async def test_the_next_host_is_tried_when_one_opens_no_session(self) -> None:
        async with Sink(script=scripted(greeting="554 5.7.1 no")) as closed, Sink() as sink:
            self.assertEqual((await self.hand(target(closed), target(sink))).code, 250)

    async def test_the_last_refusal_is_told(self) -> None:
        async with Sink(script=scripted(greeting="554 5.7.1 no")) as closed:
            self.assertEqual((await self.hand(target(closed), target(closed))).code, 554)
        self.assertEqual((await self.hand()).command, "connect")

    async def test_tls_that_fails_is_done_without_where_nothing_demands_it(self) -> None:
        broken = Authority().issue("mx.example.jp").server_context()
        context = verified_context()  # which does not know that authority
        async with Sink(tls=broken) as sink:
            plan = TlsPlan(TLSMode.OPPORTUNISTIC, context)
            self.assertEqual((await self.hand(target(sink, plan))).code, 250)
            for mode in (TLSMode.OPPORTUNISTIC, TLSMode.REQUIRED):
                plan = TlsPlan(mode, context, is_binding=True)
                self.assertEqual((await self.hand(target(sink, plan))).command, "starttls")

    async def test_who_waits_no_longer_leaves_no_session_behind(self) -> None:
        async with Sink(script=scripted(DOT="silence")) as sink:
            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self.hand(target(sink), timeouts=Timeouts())
            await asyncio.sleep(0.05)
            self.assertEqual(sink.open, set())
