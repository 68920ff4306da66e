from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import SimpleTestCase

from delivery.certificates import server_context
from tests.delivery.inbound_running import Client


class ReceiveMailTest(SimpleTestCase):
    def test_it_serves_with_the_given_certificate_until_it_is_stopped(self) -> None:
        with TemporaryDirectory() as folder:
            server_context(Path(folder))
            port, certificate = _free_port(), f"{folder}/smtp.pem"
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "receivemail", "--port", str(port)]
            with subprocess.Popen([*command, "--tls-cert", certificate], stderr=subprocess.DEVNULL) as process:
                self.addCleanup(process.kill)
                client = _connected(port, process)
                client.starttls()
                self.assertEqual(client.say("NOOP")[:3], "250")
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(20), 0)
                client.close()

    def test_certificate_that_is_not_there_is_named(self) -> None:
        with self.assertRaisesMessage(CommandError, "TLS_CERT and TLS_KEY"):
            call_command("receivemail", tls_cert="/nowhere.pem")

    def test_taken_port_is_named(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with self.assertRaisesMessage(CommandError, "Choose a free port"):
                call_command("receivemail", port=taken.getsockname()[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connected(port: int, process: subprocess.Popen[bytes]) -> Client:
    """Return a client as soon as the server listens."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            return Client(port)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("The server does not listen.")
