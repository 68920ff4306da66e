from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.test import SimpleTestCase, override_settings
from django.utils import translation

from delivery import imap_line
from delivery.certificates import own_certificate, server_context
from delivery.imap_line import Login, Trouble, modified_utf7, opened

Script = Callable[[ssl.SSLSocket], None]
HELLO = b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"


@override_settings(ALLOW_PRIVATE_MX=True)
class HostileServerTest(SimpleTestCase):
    """Whatever a customer's host sends, it costs little, and ends in words."""

    def setUp(self) -> None:
        self.enterContext(translation.override("en"))

    @contextmanager
    def serving(self, script: Script) -> Iterator[Login]:
        with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
            trusted = patch.dict(os.environ, SSL_CERT_FILE=str(own_certificate(Path(folder))))
            thread = threading.Thread(target=_serve, args=(listening, server_context(Path(folder)), script))
            thread.start()
            with trusted:
                yield Login("localhost", listening.getsockname()[1], "taro", "password", "INBOX")
            thread.join(20)

    def trouble(self, script: Script, seconds: float = 5.0) -> str:
        """Return the words about a server that behaves so."""
        with self.serving(script) as login, self.assertRaises(Trouble) as raised, opened(login, seconds) as folder:
            folder.uids_after(0, "1-Jan-2026")
        return str(raised.exception)

    def test_line_without_an_end(self) -> None:
        with patch.object(imap_line, "LONGEST_LINE", 100_000):
            self.assertIn("too long a line", self.trouble(lambda client: _pour(client, b"x" * 10_000)))

    def test_literal_of_any_length(self) -> None:
        self.assertIn("too much", self.trouble(lambda client: client.sendall(b"* OK {99999999999}\r\n")))

    def test_lines_without_end(self) -> None:
        with patch.object(imap_line, "MOST_BYTES", 200_000):
            self.assertIn("breaks off", self.trouble(lambda client: _pour(client, HELLO + b"* 1 EXISTS\r\n" * 1_000)))

    def test_byte_now_and_then(self) -> None:
        began = time.monotonic()
        self.assertIn("in time", self.trouble(lambda client: _pour(client, b"x", 0.05), seconds=1.0))
        self.assertLess(time.monotonic() - began, 10)

    def test_silence(self) -> None:
        self.assertIn("in time", self.trouble(lambda _client: time.sleep(2), seconds=0.5))

    def test_garbage(self) -> None:
        for said in (b"\x00\xff\r\n", b"220 smtp.example.jp ESMTP\r\n", b"* BYE no\r\n", b"* OK {x}\r\n", b""):
            self.assertTrue(self.trouble(partial(ssl.SSLSocket.sendall, data=said)), said)

    def test_server_without_tls(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            thread = threading.Thread(target=lambda: listening.accept()[0].sendall(b"* OK IMAP4rev1\r\n"))
            thread.start()
            login = Login("localhost", listening.getsockname()[1], "taro", "password", "INBOX")
            with self.assertRaisesMessage(Trouble, "does not speak TLS"), opened(login, 5.0):
                pass
            thread.join(20)

    def test_certificate_of_nobody_we_trust(self) -> None:
        with (
            self.serving(lambda client: client.sendall(HELLO)) as login,
            patch.dict(os.environ, SSL_CERT_FILE="/dev/null"),
            self.assertRaisesMessage(Trouble, "is not valid for this name"),
            opened(login, 5.0),
        ):
            pass


class FolderNameTest(SimpleTestCase):
    def test_names_as_imap_writes_them(self) -> None:
        for name, written in (
            ("INBOX", "INBOX"),
            ("A & B", "A &- B"),
            ("台北/日本語", "&U,BTFw-/&ZeVnLIqe-"),
        ):  # RFC 3501 §5.1.3
            self.assertEqual(modified_utf7(name), written)


def _serve(listening: socket.socket, tls: ssl.SSLContext, script: Script) -> None:
    with suppress(OSError):
        plain, _address = listening.accept()
        with tls.wrap_socket(plain, server_side=True) as client:
            script(client)


def _pour(client: ssl.SSLSocket, said: bytes, pause: float = 0.0) -> None:
    """Say it until nobody listens any more."""
    while True:
        client.sendall(said)
        time.sleep(pause)
