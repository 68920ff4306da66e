from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from unittest import IsolatedAsyncioTestCase, TestCase
from unittest.mock import patch

from delivery import mta_sts
from delivery.mta_sts import Fetcher, Policy, PolicyFault, announced_id, parse
from delivery.resolver import Resolver
from mailsales.management.bench.names import Names
from tests.delivery.authority import Authority

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEXT = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.jp\r\nmx: *.mail.example.jp\r\nmax_age: 86400\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"


def policy(text: str = TEXT) -> Policy:
    return parse("example.jp", "20261124", text, NOW)


class PolicyTest(TestCase):
    def test_its_fields_are_read(self) -> None:
        found = policy()
        self.assertEqual((found.mode, found.mx), ("enforce", ("mx1.example.jp", "*.mail.example.jp")))
        self.assertEqual(found.expires_at, NOW + timedelta(days=1))

    def test_line_feeds_alone_and_unknown_fields_do_no_harm(self) -> None:
        self.assertTrue(policy(TEXT.replace("\r\n", "\n") + "new_thing: yes\n\nnonsense\n").is_enforced)

    def test_the_first_of_two_fields_counts(self) -> None:
        self.assertTrue(policy(TEXT + "mode: none\r\n").is_enforced)

    def test_its_age_has_a_limit(self) -> None:
        found = policy(TEXT.replace("86400", "999999999999"))
        self.assertEqual(found.expires_at, NOW + timedelta(seconds=31_557_600))

    def test_none_needs_no_mail_server(self) -> None:
        self.assertEqual(policy("version: STSv1\nmode: none\nmax_age: 86400\n").mx, ())

    def test_a_star_is_one_label(self) -> None:
        for host in ("mx1.example.jp", "MX1.Example.jp", "a.mail.example.jp"):
            self.assertTrue(policy().fits(host), host)
        for host in ("mx2.example.jp", "a.b.mail.example.jp", "mail.example.jp", "xmail.example.jp", ""):
            self.assertFalse(policy().fits(host), host)

    def test_what_lacks_something_is_invalid(self) -> None:
        for line in ("version: STSv1\r\n", "mode: enforce\r\n", "max_age: 86400\r\n"):
            with self.assertRaises(PolicyFault) as caught:
                policy(TEXT.replace(line, ""))
            self.assertEqual(caught.exception.result, "sts-policy-invalid")
        with self.assertRaises(PolicyFault):
            policy("version: STSv1\nmode: testing\nmax_age: 1\n")


class AnnouncementTest(TestCase):
    def test_the_id_is_read(self) -> None:
        self.assertEqual(announced_id(["v=STSv1; id=20261124T01;"]), "20261124T01")
        self.assertEqual(announced_id(["v=STSv1;id=1", "other=record"]), "1")

    def test_anything_else_announces_nothing(self) -> None:
        for texts in ([], ["v=spf1 -all"], ["v=STSv1; id=1;", "v=STSv1; id=2;"], ["v=STSv1;"], ["v=STSv1; id=a-b;"]):
            self.assertEqual(announced_id(texts), "")


class FetchTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.names = await self.enterAsyncContext(
            Names("mta-sts.example.jp. A 127.0.0.1\nmta-sts.example.jp. A 127.0.0.99")
        )
        self.resolver = Resolver([self.names.server], timeout=0.5)
        self.authority = Authority()
        self.asked = b""

    async def fetch(self, answer: bytes, *names: str, allows_private: bool = True, days: int = 10) -> Policy:
        """Fetch from a web server that answers so, under a certificate for these names."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.asked = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        context = self.authority.issue(*(names or ("mta-sts.example.jp",)), days=days).server_context()
        async with await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            fetcher = Fetcher(self.resolver, allows_private, port, self.authority.client_context())
            return await fetcher.fetch("example.jp", "20261124")

    async def fault(self, answer: bytes, *names: str, allows_private: bool = True, days: int = 10) -> PolicyFault:
        with self.assertRaises(PolicyFault) as caught:
            await self.fetch(answer, *names, allows_private=allows_private, days=days)
        return caught.exception

    async def test_it_is_asked_for_by_its_name_and_path(self) -> None:
        found = await self.fetch(HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(TEXT), TEXT.encode()))
        self.assertEqual((found.policy_id, found.mode), ("20261124", "enforce"))
        self.assertTrue(self.asked.startswith(b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.jp\r\n"))

    async def test_it_may_end_with_the_connection_or_come_in_chunks(self) -> None:
        whole, half = TEXT.encode(), len(TEXT) // 2
        parts = b"".join(b"%x;x=y\r\n%b\r\n" % (len(part), part) for part in (whole[:half], whole[half:]))
        for answer in (HEAD + b"\r\n" + whole, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"):
            self.assertEqual((await self.fetch(answer)).text, TEXT)

    async def test_other_answers_are_none(self) -> None:
        moved = b"HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.example.jp/x\r\nContent-Length: 0\r\n\r\n"
        for answer in (
            moved,
            b"HTTP/1.1 404 Not Found\r\n\r\n",
            b"",
            b"nonsense",
            HEAD.replace(b"plain", b"html") + b"\r\n" + TEXT.encode(),
            HEAD + b"\r\n" + b"x" * 70_000,
            HEAD + b"Content-Length: 9999999\r\n\r\n" + b"x" * 70_000,
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + b"x" * 70_000,
            HEAD + b"X: " + b"x" * 70_000,
            HEAD + b"Content-Length: 5000\r\n\r\nshort",
        ):
            self.assertEqual((await self.fault(answer)).result, "sts-policy-fetch-error", answer[:60])

    async def test_a_certificate_that_proves_nothing_is_named(self) -> None:
        answer = HEAD + b"\r\n" + TEXT.encode()
        for faulty in (await self.fault(answer, "other.example.jp"), await self.fault(answer, days=-1)):
            self.assertEqual(faulty.result, "sts-webpki-invalid")

    async def test_a_private_address_is_not_asked(self) -> None:
        fault = await self.fault(HEAD + b"\r\n" + TEXT.encode(), allows_private=False)
        self.assertEqual((fault.result, self.asked), ("sts-policy-fetch-error", b""))

    async def test_a_server_that_drips_is_left(self) -> None:
        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for byte in HEAD:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        context = self.authority.issue("mta-sts.example.jp").server_context()
        server = await asyncio.start_server(drip, "127.0.0.1", 0, ssl=context)
        self.addCleanup(server.close)
        port = server.sockets[0].getsockname()[1]
        fetcher = Fetcher(self.resolver, True, port, self.authority.client_context())
        with patch.object(mta_sts, "SECONDS", 0.3), self.assertRaises(PolicyFault):
            await fetcher.fetch("example.jp", "1")

    async def test_a_missing_policy_host(self) -> None:
        with self.assertRaises(PolicyFault):
            await Fetcher(self.resolver).fetch("missing.example", "1")
