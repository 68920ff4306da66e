from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.test import override_settings

from accounts.domains.records import tracking_target
from accounts.models import Domain
from tests.accounts.domains import DomainTestCase
from tests.delivery.authority import PEM, Authority
from tests.delivery.sending import sink_thread

HOST = "link.aoba.example.jp"


class Greeter:
    """A server that only shows its certificate, as long as it is entered."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context

    async def __aenter__(self) -> Greeter:
        self._server = await asyncio.start_server(self.greet, "127.0.0.1", 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()


class TrackingTest(DomainTestCase):
    """The name for links leads to our own server of links, which is asked for its certificate."""

    def setUp(self) -> None:
        super().setUp()
        Domain.objects.filter(pk=self.domain.pk).update(tracking_label="link")
        self.domain.refresh_from_db()
        authority, folder = Authority(), Path(self.enterContext(TemporaryDirectory()))
        (folder / "ca.pem").write_bytes(authority.root.certificate.public_bytes(PEM))
        self.enterContext(patch.dict(os.environ, {"SSL_CERT_FILE": str(folder / "ca.pem")}))
        self.authority = authority

    def serve(self, *names: str) -> None:
        """Let links be served with a certificate of these names."""
        server = self.enterContext(sink_thread(Greeter(self.authority.issue(*names).server_context())))
        self.enterContext(override_settings(TRACKING_URL=f"https://localhost:{server.port}"))
        self.publish()

    def test_with_a_certificate_of_its_own_it_carries_the_links(self) -> None:
        self.serve(HOST)
        self.assertEqual(tracking_target(), "localhost")
        self.assertEqual(self.code("tracking"), "tracking_good")
        self.assertTrue(self.recheck().is_tracking_ready)

    def test_with_another_names_certificate_it_does_not(self) -> None:
        self.serve("links.mailsales.example")
        self.assertEqual(self.code("tracking"), "tracking_no_certificate")
        self.assertFalse(self.recheck().is_tracking_ready)

    def test_one_that_is_gone_loses_the_links_at_once(self) -> None:
        self.serve(HOST)
        self.recheck()
        self.publish("tracking")
        self.assertFalse(self.recheck().is_tracking_ready)

    def test_trouble_takes_nothing_away(self) -> None:
        self.serve(HOST)
        self.recheck()
        self.names.faults = {HOST: "servfail"}
        self.assertTrue(self.recheck().is_tracking_ready)
