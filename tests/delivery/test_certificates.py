from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from django.test import SimpleTestCase

from delivery import certificates
from delivery.certificates import own_certificate, renew, server_context


class CertificatesTest(SimpleTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(TemporaryDirectory()))
        self.context = server_context(self.folder / "first")

    def renewed_from(self, certificate: Path) -> None:
        with suppress(TimeoutError):
            asyncio.run(asyncio.wait_for(renew(self.context, certificate, every=0.02), 0.1))

    def test_own_certificate_is_made_once_and_is_nobody_else_s(self) -> None:
        file = own_certificate(self.folder / "first")
        before = file.read_bytes()
        self.assertEqual(
            (own_certificate(self.folder / "first").read_bytes(), file.stat().st_mode & 0o077), (before, 0)
        )

    def test_files_are_read_again(self) -> None:
        renewed = own_certificate(self.folder / "second")
        self.renewed_from(renewed)
        self.assertIn(ssl.DER_cert_to_PEM_cert(_served(self.context)), renewed.read_text())

    def test_former_certificate_stays_while_the_files_are_unreadable(self) -> None:
        with self.assertLogs(certificates.logger):
            self.renewed_from(self.folder / "nowhere.pem")
        self.assertIn(
            ssl.DER_cert_to_PEM_cert(_served(self.context)), own_certificate(self.folder / "first").read_text()
        )


def _served(context: ssl.SSLContext) -> bytes:
    """Return the certificate that a client of this context sees."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl._create_unverified_context().wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    for _step in range(3):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    found = client.getpeercert(binary_form=True)
    assert found
    return found
