from __future__ import annotations

import asyncio
import base64
import ssl
from unittest import IsolatedAsyncioTestCase

from delivery.connections import Connection
from delivery.smtp import ConnectFailure, Timeouts, unverified_context
from mailsales.routes import Login, TLSMode
from tests.delivery.authority import Authority
from tests.delivery.sink import Letter, Sink, SinkSession

LOGIN = Login("taro@例え.example", "p:w d秘")
PLAIN = base64.b64encode(b"\0taro@\xe4\xbe\x8b\xe3\x81\x88.example\0p:w d\xe7\xa7\x98").decode()


class ImplicitSink(Sink):
    """It speaks TLS from the first byte."""

    async def __aenter__(self) -> Sink:
        self.open = set()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SinkSession(self), "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self


class AuthTest(IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        authority = Authority()
        self.server = authority.issue("relay.example.jp").server_context()
        self.client = authority.client_context()

    def sink(self, offered: str = "AUTH PLAIN LOGIN", **replies: str) -> Sink:
        said = {"AUTH": "235 2.7.0 welcome"} | replies
        return Sink(script=lambda verb, argument: said.get(f"{verb} {argument}", said.get(verb)),
                    extensions=(offered, "PIPELINING"), tls=self.server)  # fmt: skip

    def connection(self, sink: Sink, login: Login = LOGIN, tls: TLSMode = TLSMode.REQUIRED) -> Connection:
        return Connection(
            "relay.example.jp",
            sink.port,
            address="127.0.0.1",
            ehlo_name="out.example.jp",
            tls=tls,
            ssl_context=self.client,
            login=login,
            timeouts=Timeouts(greeting=2, ehlo=2, starttls=2, auth=2),
        )

    async def failure(self, sink: Sink) -> ConnectFailure:
        async with sink:
            with self.assertRaises(ConnectFailure) as caught:
                await self.connection(sink).connect()
        return caught.exception

    async def test_plain_is_said_after_tls(self) -> None:
        async with self.sink() as sink:
            connection = self.connection(sink)
            await connection.connect()
            connection.close()
        self.assertEqual(sink.verbs[:4], ["EHLO", "STARTTLS", "EHLO", "AUTH"])
        self.assertIn(f"AUTH PLAIN {PLAIN}\r\n".encode(), sink.flights)

    async def test_login_where_plain_is_not_offered(self) -> None:
        user, password = (base64.b64encode(text.encode()).decode() for text in (LOGIN.user, LOGIN.password))
        words = {"AUTH": "334 VXNlcm5hbWU6", user: "334 UGFzc3dvcmQ6", password: "235 2.7.0 welcome"}
        async with self.sink("AUTH LOGIN", **words) as sink:
            await self.connection(sink).connect()
        self.assertEqual(sink.verbs[3:], ["AUTH", user, password])

    async def test_long_response_has_a_line_of_its_own(self) -> None:
        login = Login("taro", "x" * 600)
        response = base64.b64encode(b"\0taro\0" + b"x" * 600).decode()
        async with self.sink(**{"AUTH": "334 ", response: "235 2.7.0 welcome"}) as sink:
            await self.connection(sink, login).connect()
        self.assertEqual(sink.verbs[3:], ["AUTH", response])

    async def test_mail_goes_after_it(self) -> None:
        async with self.sink() as sink:
            connection, letters = self.connection(sink), [Letter(0)]
            await connection.connect()
            connection.run(lambda: letters.pop() if letters else None)
            while not connection.is_idle:
                await asyncio.sleep(0.001)
            connection.close()
        self.assertEqual(len(sink.accepted), 1)

    async def test_refusals_say_so(self) -> None:
        for said in ("535 5.7.8 bad credentials", "534 5.7.9 too weak", "454 4.7.0 later"):
            failure = await self.failure(self.sink(AUTH=said))
            self.assertEqual((failure.reply.code, failure.reply.command), (int(said[:3]), "auth"))
            self.assertFalse(failure.is_tls)

    async def test_nothing_known_is_offered(self) -> None:
        failure = await self.failure(self.sink("AUTH GSSAPI"))
        self.assertEqual((failure.reply.code, failure.reply.command), (0, "auth"))

    async def test_a_server_that_repeats_the_password_does_not_get_it_into_a_reply(self) -> None:
        failure = await self.failure(self.sink(AUTH=f"535 5.7.8 no such: AUTH PLAIN {PLAIN} ({LOGIN.password})"))
        self.assertNotIn(LOGIN.password, str(failure))
        self.assertNotIn(PLAIN, str(failure))

    async def test_an_unproven_host_gets_no_password(self) -> None:
        async with self.sink() as sink:
            for tls, context in ((TLSMode.REQUIRED, unverified_context()), (TLSMode.OPPORTUNISTIC, self.client)):
                with self.assertRaises(ValueError):
                    Connection("h", sink.port, ehlo_name="o", tls=tls, ssl_context=context, login=LOGIN)

    async def test_a_host_of_another_name_gets_no_password(self) -> None:
        other = Authority().issue("relay.example.jp")
        sink = self.sink()
        sink.tls = other.server_context()
        failure = await self.failure(sink)
        self.assertTrue(failure.is_tls)
        self.assertIsInstance(failure.__cause__, ssl.SSLCertVerificationError)
        self.assertNotIn("AUTH", sink.verbs)

    async def test_tls_from_the_first_byte(self) -> None:
        sink = ImplicitSink(script=self.sink().script, extensions=("AUTH PLAIN",), tls=self.server)
        async with sink:
            connection = self.connection(sink, tls=TLSMode.IMPLICIT)
            await connection.connect()
            connection.close()
        self.assertEqual((sink.verbs[:2], connection.tls_version), (["EHLO", "AUTH"], "TLSv1.3"))

    async def test_a_greeting_in_the_clear_ends_implicit_tls(self) -> None:
        async with self.sink() as sink:
            with self.assertRaises(ConnectFailure) as caught:
                await self.connection(sink, tls=TLSMode.IMPLICIT).connect()
        self.assertEqual((caught.exception.reply.command, sink.verbs), ("starttls", []))
