"""From DNS to the accepted mail: what policies demand is what sessions do."""

from __future__ import annotations

import ssl
from unittest import IsolatedAsyncioTestCase
from unittest.mock import patch

from delivery import dane
from delivery.compose import Mail
from delivery.directory import Directory
from delivery.handover import hand_over
from delivery.mta_sts import Policy
from delivery.resolver import Resolver
from delivery.sites import Unroutable
from delivery.smtp import Reply, Timeouts
from delivery.tls_memory import TlsMemory
from delivery.tls_policy import TlsPolicies
from mailsales import routes
from mailsales.management.bench.names import Names
from tests.delivery.authority import Authority
from tests.delivery.sink import Sink
from tests.delivery.test_dane import record
from tests.delivery.test_tls_policy import Web

HOST = "mx1.example.jp"
ZONE = """
example.jp. MX 10 mx1.example.jp.
mx1.example.jp. A 127.0.0.1
"""
STS = '_mta-sts.example.jp. TXT "v=STSv1; id=1;"\n'
MAIL = Mail(b"b+1@out.example.jp", b"hanako@example.jp", b"Subject: x\r\n\r\nHello.\r\n")
TIMEOUTS = Timeouts(connect=2, greeting=2, ehlo=2, starttls=2, mail=2, rcpt=2, data=2, dot=2)


class Server(Sink):
    """Remembers how each message came."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(tls=tls)
        self.versions: list[str] = []

    def accept(self, recipient: str, body: bytes) -> None:
        for session in self.open:
            secured = session.transport.get_extra_info("ssl_object")
            self.versions.append(secured.version() if secured else "clear")


class TlsSessionTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.names = await self.enterAsyncContext(Names(ZONE))
        self.authority, self.web = Authority(), Web()
        trusting = self.authority.client_context()
        self.enterContext(patch("delivery.tls_policy.verified_context", lambda: trusting))
        self.own = self.authority.issue(HOST)

    async def send(self, tls: ssl.SSLContext | None, *, required: bool = False) -> tuple[Reply, list[str]]:
        """Send one mail; return the last reply, and how it came."""
        server = Server(tls)
        async with server:
            resolver = Resolver([self.names.server], validates=True)
            policies = TlsPolicies(resolver, TlsMemory(), self.web, lambda _group: required)
            directory = Directory(resolver, policies, lambda _hosts, domain: domain, allows_private=True)
            route = routes.parse(f"mx?port={server.port}&ehlo=out.example.jp")
            self.names.zone = self.names.zone.replace("PORT", str(server.port))
            self.names.secure = {"example.jp", HOST, f"_{server.port}._tcp.{HOST}"}
            targets = await directory.targets_of(route, await directory.site_of(route, "example.jp"))
            return await hand_over(MAIL, targets, route, TIMEOUTS), server.versions

    async def test_without_policies_it_is_encrypted_where_it_can_be(self) -> None:
        self.assertEqual((await self.send(Authority().issue("x").server_context()))[1], ["TLSv1.3"])
        self.assertEqual((await self.send(None))[1], ["clear"])

    async def test_old_tls_counts_as_none(self) -> None:
        old = self.own.server_context()
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        self.assertEqual((await self.send(old))[1], ["clear"])

    async def test_what_the_table_demands_never_goes_in_the_clear(self) -> None:
        reply, came = await self.send(None, required=True)
        self.assertEqual((reply.command, came), ("starttls", []))

    async def test_dane_takes_the_certificate_that_it_names(self) -> None:
        self.names.zone += f"_PORT._tcp.{HOST}. TLSA {dane.written(record(self.own.certificate, 3, 1, 1))}\n"
        reply, came = await self.send(self.own.server_context())
        self.assertEqual((reply.code, came), (250, ["TLSv1.3"]))

    async def test_dane_takes_no_other_and_no_clear_text(self) -> None:
        for tls in (self.authority.issue(HOST).server_context(), None):
            self.names.zone = f"{ZONE}_PORT._tcp.{HOST}. TLSA {dane.written(record(self.own.certificate, 3, 1, 1))}\n"
            reply, came = await self.send(tls)
            self.assertEqual((reply.command, came), ("starttls", []))

    async def test_enforced_mta_sts_takes_a_proven_host(self) -> None:
        self.names.zone += STS
        self.assertEqual((await self.send(self.own.server_context()))[1], ["TLSv1.3"])

    async def test_enforced_mta_sts_takes_nothing_less(self) -> None:
        self.names.zone += STS
        for tls in (Authority().issue(HOST).server_context(), self.authority.issue("x.jp").server_context(), None):
            reply, came = await self.send(tls)
            self.assertEqual((reply.command, came), ("starttls", []))

    async def test_tested_mta_sts_stops_nothing(self) -> None:
        self.names.zone += STS
        self.web.mode = "testing"
        self.assertEqual((await self.send(Authority().issue(HOST).server_context()))[1], ["TLSv1.3"])
        self.assertEqual((await self.send(None))[1], ["clear"])

    async def test_mta_sts_that_names_no_host_lets_nothing_go(self) -> None:
        self.names.zone += STS
        with patch.object(Policy, "fits", lambda _policy, _host: False), self.assertRaises(Unroutable):
            await self.send(self.own.server_context())
