from __future__ import annotations

import hashlib
from unittest import IsolatedAsyncioTestCase, TestCase

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from delivery import dane
from delivery.connections import Connection
from delivery.dane import Record
from delivery.smtp import ConnectFailure, Timeouts
from mailsales.routes import TLSMode
from tests.delivery.authority import Authority, Issued
from tests.delivery.sink import Sink

HOST = "mx1.example.jp"


def record(certificate: x509.Certificate, usage: int, selector: int, matching: int) -> Record:
    """Return the record that names the certificate so."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = key if selector else certificate.public_bytes(Encoding.DER)
    digests = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}
    return usage, selector, matching, digests[matching]


class UsableTest(TestCase):
    def test_only_anchors_and_own_certificates_are(self) -> None:
        good: list[Record] = [(3, 1, 1, b"x" * 32), (2, 0, 2, b"x" * 64), (3, 0, 0, b"x")]
        bad: list[Record] = [(0, 1, 1, b"x" * 32), (1, 1, 1, b"x" * 32), (3, 2, 1, b"x" * 32), (3, 1, 3, b"x" * 32)]
        bad += [(3, 1, 1, b"x" * 31), (3, 0, 0, b"")]
        self.assertEqual(dane.usable([*good, *bad]), good)

    def test_a_record_is_written_as_in_a_zone(self) -> None:
        self.assertEqual(dane.written((3, 1, 1, b"\xab\xcd")), "3 1 1 abcd")


class SessionTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.authority = Authority()
        self.own = self.authority.issue(HOST)

    async def fault(self, issued: Issued, *records: Record, host: str = HOST) -> str:
        """Return what is wrong with a session under this certificate; nothing if it is opened."""
        async with Sink(tls=issued.server_context()) as sink:
            connection = Connection(
                host,
                sink.port,
                address="127.0.0.1",
                ehlo_name="out.example.jp",
                tls=TLSMode.REQUIRED,
                check=dane.make_check(records, host),
                timeouts=Timeouts(greeting=2, ehlo=2, starttls=2),
            )
            try:
                await connection.connect()
            except ConnectFailure as failure:
                self.assertTrue(failure.is_tls)
                return failure.reply.text
            connection.close()
        return ""

    async def test_every_form_of_an_own_certificate_proves_it(self) -> None:
        for selector in (0, 1):
            for matching in (0, 1, 2):
                fits = record(self.own.certificate, 3, selector, matching)
                self.assertEqual(await self.fault(self.own, fits), "", fits[:3])

    async def test_its_name_and_age_do_not_matter(self) -> None:
        old = self.authority.issue("other.example.jp", days=-1)
        self.assertEqual(await self.fault(old, record(old.certificate, 3, 1, 1)), "")

    async def test_one_record_of_several_is_enough(self) -> None:
        other = Authority().issue(HOST).certificate
        self.assertEqual(await self.fault(self.own, record(other, 3, 1, 1), record(self.own.certificate, 3, 1, 1)), "")

    async def test_another_certificate_is_refused(self) -> None:
        other = self.authority.issue(HOST).certificate
        self.assertIn("no TLSA record fits", await self.fault(self.own, record(other, 3, 1, 1)))

    async def test_every_form_of_an_anchor_in_the_chain_proves_it(self) -> None:
        shown = self.authority.issue(HOST, shows_root=True)
        for selector in (0, 1):
            for matching in (0, 1, 2):
                fits = record(self.authority.root.certificate, 2, selector, matching)
                self.assertEqual(await self.fault(shown, fits), "", fits[:3])

    async def test_an_anchor_in_dns_need_not_be_shown(self) -> None:
        root = self.authority.root.certificate
        self.assertEqual(await self.fault(self.own, record(root, 2, 0, 0)), "")
        self.assertIn("no TLSA record fits", await self.fault(self.own, record(root, 2, 0, 1)))

    async def test_below_an_anchor_name_and_age_matter(self) -> None:
        anchor = record(self.authority.root.certificate, 2, 0, 1)
        other = self.authority.issue("other.example.jp", shows_root=True)
        old = self.authority.issue(HOST, days=-1, shows_root=True)
        for issued in (other, old):
            self.assertIn("does not hold", await self.fault(issued, anchor))

    async def test_an_anchor_that_signed_nothing_is_refused(self) -> None:
        stranger = Authority("Another CA")
        mixed = Issued(self.own.certificate, self.own.key, (stranger.root.certificate,))
        self.assertIn("does not hold", await self.fault(mixed, record(stranger.root.certificate, 2, 0, 1)))

    async def test_an_anchor_that_cannot_be_read_is_refused(self) -> None:
        self.assertIn("does not hold", await self.fault(self.own, (2, 0, 0, b"no certificate")))
