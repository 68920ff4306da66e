from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import IsolatedAsyncioTestCase

from delivery.certificates import server_context
from delivery.connections import Connection
from delivery.smtp import ConnectFailure, Timeouts
from mailsales.routes import TLSMode
from tests.delivery.dialogue import Sending, codes, scripted, send
from tests.delivery.sink import Letter, Sink


class OpeningTest(IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tls: ssl.SSLContext = server_context(Path(folder.name))

    async def failure(self, sink: Sink, **options: object) -> ConnectFailure:
        async with sink:
            with self.assertRaises(ConnectFailure) as caught:
                await Sending(sink, [], **options).connection.connect()
        return caught.exception

    async def test_starttls_is_used_where_it_is_offered(self) -> None:
        sink = Sink(tls=self.tls)
        sending = await send(sink, 3, tls=TLSMode.OPPORTUNISTIC, timeouts=Timeouts())
        self.assertEqual((codes(sending), sending.connection.tls_version), ([250] * 3, "TLSv1.3"))
        self.assertEqual(sink.verbs[:3], ["EHLO", "STARTTLS", "EHLO"])

    async def test_large_bodies_go_through_tls(self) -> None:
        async with Sink(tls=self.tls, reads_slowly=True) as sink:
            sending = Sending(sink, [Letter(0, 3_000_000), Letter(1)], tls=TLSMode.REQUIRED, timeouts=Timeouts())
            await sending.all()
        self.assertEqual((codes(sending), len(sink.accepted[0][1])), ([250, 250], len(sending.letters[0].body)))

    async def test_words_slipped_in_before_the_handshake_end_the_session(self) -> None:
        injected = "220 go on\r\n250-sink\r\n250-EVIL\r\n250 PIPELINING"
        sink = Sink(script=scripted(STARTTLS=injected), tls=self.tls, extensions=())
        failure = await self.failure(sink, tls=TLSMode.OPPORTUNISTIC, timeouts=Timeouts())
        self.assertEqual((failure.reply.command, failure.is_tls), ("starttls", False))
        self.assertEqual(sink.verbs, ["EHLO", "STARTTLS"])

    async def test_half_a_word_slipped_in_ends_it_too(self) -> None:
        async with Sink(script=scripted(STARTTLS="220 go on\r\n25"), tls=self.tls) as sink:
            failure = await self.failure_at(sink, tls=TLSMode.OPPORTUNISTIC, timeouts=Timeouts())
        self.assertIn("in the clear", failure.reply.text)

    async def test_nothing_is_said_in_a_session_that_fails_the_check(self) -> None:
        sink = Sink(tls=self.tls)
        failure = await self.failure(sink, tls=TLSMode.REQUIRED, check=lambda _session: "no TLSA record fits")
        self.assertEqual((failure.reply.text, failure.is_tls), ("no TLSA record fits", True))
        self.assertEqual(sink.verbs, ["EHLO", "STARTTLS"])

    async def test_the_check_sees_the_certificate(self) -> None:
        seen: list[bytes | None] = []

        def check(session: ssl.SSLObject) -> str:
            seen.append(session.getpeercert(binary_form=True))
            return ""

        await send(Sink(tls=self.tls), 1, tls=TLSMode.REQUIRED, timeouts=Timeouts(), check=check)
        self.assertTrue(seen[0])

    async def test_an_address_is_dialled_while_the_host_keeps_its_name(self) -> None:
        async with Sink(script=scripted(greeting="554 5.7.1 no")) as sink:
            connection = Connection("mx.example.jp", sink.port, address="127.0.0.1", ehlo_name="out.example.jp")
            with self.assertRaises(ConnectFailure) as caught:
                await connection.connect()
        self.assertEqual((caught.exception.reply.code, caught.exception.reply.host), (554, "mx.example.jp"))

    async def test_a_name_without_address_is_resolved_by_the_system(self) -> None:
        async with Sink() as sink:
            connection = Connection("localhost", sink.port, ehlo_name="out.example.jp", tls=TLSMode.NONE)
            await connection.connect()
            connection.close()
        self.assertEqual(sink.sessions, 1)

    async def test_tls_that_is_required_and_missing(self) -> None:
        failure = await self.failure(Sink(), tls=TLSMode.REQUIRED)
        self.assertEqual((failure.reply.command, failure.is_tls), ("starttls", True))

    async def test_refused_starttls_goes_on_in_the_clear_only_when_opportunistic(self) -> None:
        refusing = scripted(STARTTLS="454 4.7.0 not now")
        self.assertTrue((await self.failure(Sink(script=refusing, tls=self.tls), tls=TLSMode.REQUIRED)).is_tls)
        sending = await send(Sink(script=refusing, tls=self.tls), 1, tls=TLSMode.OPPORTUNISTIC)
        self.assertEqual((codes(sending), sending.connection.tls_version), ([250], ""))

    async def test_certificate_is_checked_where_the_context_says_so(self) -> None:
        context = ssl.create_default_context()
        failure = await self.failure(Sink(tls=self.tls), tls=TLSMode.REQUIRED, ssl_context=context, timeouts=Timeouts())
        self.assertTrue(failure.is_tls)

    async def test_greeting_and_hello_may_be_refused(self) -> None:
        for verb, reply, command in (("greeting", "554 5.7.1 blocked", "greeting"), ("EHLO", "421 4.3.2 full", "ehlo")):
            failure = await self.failure(Sink(script=scripted(**{verb: reply})))
            self.assertEqual((failure.reply.code, failure.reply.command), (int(reply[:3]), command))

    async def test_silence_and_drops_while_opening(self) -> None:
        for verb in ("greeting", "EHLO"):
            for word in ("silence", "drop"):
                self.assertEqual((await self.failure(Sink(script=scripted(**{verb: word})))).reply.code, 0)

    async def test_nobody_listens(self) -> None:
        async with Sink() as sink:
            pass
        failure = await self.failure_at(sink)
        self.assertEqual((failure.reply.code, failure.reply.command), (0, "connect"))
        self.assertEqual(failure.reply.text, "connection refused")

    async def test_a_name_that_cannot_be_one(self) -> None:
        with self.assertRaises(ConnectFailure) as caught:
            await Connection("a..example.jp", 25, ehlo_name="out.example.jp").connect()
        self.assertEqual((caught.exception.reply.code, caught.exception.reply.command), (0, "connect"))

    async def test_a_reset_is_told_apart(self) -> None:
        reset = struct.pack("ii", 1, 0)
        with socket.create_server(("127.0.0.1", 0)) as server:
            connection = Connection("127.0.0.1", server.getsockname()[1], ehlo_name="out.example.jp")
            opening = asyncio.ensure_future(connection.connect())
            await asyncio.sleep(0.05)
            accepted, _address = server.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            accepted.close()
            with self.assertRaises(ConnectFailure) as caught:
                await opening
        self.assertEqual(caught.exception.reply.text, "connection reset")

    async def failure_at(self, sink: Sink, **options: object) -> ConnectFailure:
        with self.assertRaises(ConnectFailure) as caught:
            await Sending(sink, [], **options).connection.connect()
        return caught.exception

    async def test_old_server_is_greeted_with_helo(self) -> None:
        sink = Sink(script=lambda verb, _argument: {"EHLO": "502 5.5.1 what", "HELO": "250 sink"}.get(verb))
        self.assertEqual(codes(await send(sink, 2)), [250, 250])
