"""The inbound server and the reader under fire: some hundred mails and conversations, ten thousand with MAILSALES_FAULTS=long."""

from __future__ import annotations

import socket
from collections import Counter
from pathlib import Path

from django.test import TransactionTestCase

from accounts.models import Account, Domain
from delivery import inbound
from delivery.inbound.limits import Limits
from delivery.inbound.server import OK
from delivery.models import InboundMail
from mailsales.tokens import bounce_token
from tests.delivery.fuzz import conversations, mails
from tests.delivery.inbound_running import Client, inbound_running
from tests.faults.pace import either
from tests.make import make_campaign, make_contact, make_message

SEED = 11
MOST_GROWTH = 100  # MB of resident memory; a list of lines would take sixty times a mail's size
PATIENT = Limits(mails=100_000, mails_a_minute=100_000, commands=1_000_000, errors=1_000_000, bytes_a_minute=10**10)
REFUSALS = ("500 5.6.0", "552 5.3.4")


class InboundFuzzTest(TransactionTestCase):
    def setUp(self) -> None:
        account = Account.objects.create(name="株式会社青葉商店")
        Domain.objects.create(account=account, name="aoba.example.jp")
        message = make_message(make_campaign(account), make_contact(account), status="sent")
        self.address = f"b+{bounce_token(account.pk, message.pk)}@bounce.aoba.example.jp"

    def test_every_mail_is_kept_byte_for_byte_or_refused_and_read(self) -> None:
        with inbound_running(PATIENT) as server:
            client, before = server.client(), _megabytes()
            replies = Counter(
                self.kept_or_refused(client, raw) for raw in mails(SEED, either(400, 10_000), self.address)
            )
            self.assertLessEqual(set(replies), {OK, *REFUSALS})
            self.assertGreater(replies[OK], replies.total() * 0.9)
            while inbound.read_new():
                pass
            self.assertFalse(InboundMail.objects.filter(outcome="").exists())
            self.assertFalse(InboundMail.objects.filter(outcome="unreadable").exists())
            self.assertLess(_megabytes() - before, MOST_GROWTH)

    def test_conversations_end_in_order_and_leave_the_server_well(self) -> None:
        with inbound_running(PATIENT) as server:
            before = _megabytes()
            for said in conversations(SEED, either(200, 5_000), self.address):
                for line in _poured(server.port, said).split(b"\r\n"):
                    self.assertRegex(line, rb"^([2345]\d\d[ -].*)?$")
            self.assertEqual(server.client().send(self.address, b"a\r\n"), OK)
            self.assertLess(_megabytes() - before, MOST_GROWTH)
            self.assertEqual(server.inbound.guests.in_flight, 0)

    def test_mail_of_tiny_lines_takes_little_memory(self) -> None:
        with inbound_running(PATIENT) as server:
            client = server.client()
            client.rcpt(self.address)
            client.say("DATA")
            before = _megabytes()
            client.socket.sendall(b"\r\n" * 1_900_000)
            grown = _megabytes() - before
            self.assertEqual(client.finish(), OK)
            self.assertLess(grown, 40)

    def kept_or_refused(self, client: Client, raw: bytes) -> str:
        """Send a mail with its dots doubled; return the reply, or its beginning if it refuses."""
        ended = raw if raw.endswith(b"\r\n") or not raw else raw + b"\r\n"
        stuffed = b"." + ended if ended.startswith(b".") else ended
        reply = client.send(self.address, stuffed.replace(b"\r\n.", b"\r\n.."))
        if reply != OK:
            return reply[:9]
        self.assertEqual(bytes(InboundMail.objects.latest("pk").raw), ended)
        return reply


def _poured(port: int, said: bytes) -> bytes:
    """Return all that the server answers to a client that says everything at once and hears until it has gone."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        answers = b""
        try:
            client.sendall(said + b"\r\n.\r\nQUIT\r\n")
            while chunk := client.recv(65_536):
                answers += chunk
                if b"\r\n220 Ready to start TLS" in answers:
                    break
        except ConnectionError:
            pass  # it has hung up on us
        return answers


def _megabytes() -> float:
    """Return the resident memory of this process, in which the server runs too."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4_096 / 1e6
