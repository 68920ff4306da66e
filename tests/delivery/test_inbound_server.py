from __future__ import annotations

from unittest.mock import patch

from django.db import OperationalError
from django.test import TransactionTestCase, override_settings

from accounts.models import Account, Domain
from delivery.inbound import read_new
from delivery.inbound.limits import Limits
from delivery.inbound.server import OK, TOO_LATE
from delivery.models import InboundMail
from delivery.sandbox.reports import delivery_report, send_back
from mailsales.tokens import bounce_token
from tests.delivery.inbound_running import Client, inbound_running

DOMAIN = "bounce.aoba.example.jp"
FBL = f"fbl@{DOMAIN}"


@override_settings(INBOUND_HOST="mx.example.org", NOTICES_FROM="mailsales@example.org")
class InboundServerTest(TransactionTestCase):
    def setUp(self) -> None:
        self.account = Account.objects.create(name="株式会社青葉商店")
        Domain.objects.create(account=self.account, name="aoba.example.jp")
        self.address = f"b+{bounce_token(self.account.pk, 2)}@{DOMAIN}"

    def client_of(self, **limits: int) -> Client:
        """Return a client of an inbound server of the test's own."""
        return self.enterContext(inbound_running(Limits(**limits))).client()

    def test_mail_to_a_token_is_kept_before_it_is_answered(self) -> None:
        reply = self.client_of().send(self.address, b"Subject: hello\r\n\r\n..dot\r\n")
        mail = InboundMail.objects.get()
        self.assertEqual(
            (reply, mail.recipient, bytes(mail.raw)),
            ("250 2.0.0 Kept", self.address, b"Subject: hello\r\n\r\n.dot\r\n"),
        )
        self.assertEqual((mail.mail_from, mail.ip, mail.account, mail.read_at), ("", "127.0.0.1", self.account, None))

    def test_starttls_is_offered_and_used(self) -> None:
        client = self.client_of()
        client.starttls()
        self.assertTrue(client.send(self.address, b"a\r\n").startswith("250"))

    def test_garbage_in_place_of_a_handshake_ends_the_connection(self) -> None:
        with inbound_running(Limits(connections_each=2)) as server:
            for garbage in (b"\x00" * 50, b"EHLO x\r\nMAIL FROM:<>\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70_000):
                client = server.client()
                client.say("STARTTLS")
                client.socket.sendall(garbage)
                client.close()
            self.assertEqual(server.client().send(self.address, b"a\r\n"), OK)

    def test_report_of_the_sandbox_goes_the_whole_way(self) -> None:
        port = self.client_of().port
        with override_settings(INBOUND_PORT=port):
            send_back(self.address, delivery_report(self.address, "hanako@example.jp", b"\r\n"))
        self.assertTrue(read_new())
        self.assertEqual(InboundMail.objects.get().outcome, "message_gone")

    def test_size_and_no_more_than_needed_is_announced(self) -> None:
        words = self.client_of(size=1_234).say("EHLO x").split()
        self.assertIn("1234", words)
        self.assertFalse({"250-AUTH", "250-CHUNKING"} & set(words))

    def test_other_domains_are_not_relayed_to(self) -> None:
        client = self.client_of()
        for address in (
            "taro@example.jp",
            f"b+{bounce_token(1, 2)}@example.jp",
            "x@[127.0.0.1]",
            "fbl@aoba.example.jp",
        ):
            self.assertEqual(client.rcpt(address)[:9], "550 5.7.1", address)
        self.assertEqual(client.rcpt("taro%example.jp@" + DOMAIN)[:9], "550 5.1.1")

    def test_other_addresses_of_ours_do_not_exist(self) -> None:
        client = self.client_of()
        for local in ("taro", "b", "x+abc", "returns+b-abc"):
            self.assertEqual(client.rcpt(f"{local}@{DOMAIN}")[:9], "550 5.1.1", local)
        self.assertEqual(client.rcpt("taro")[:9], "550 5.1.1")

    def test_role_addresses_exist(self) -> None:
        client = self.client_of()
        for address in (
            FBL,
            f"POSTMASTER@{DOMAIN.upper()}",
            f"abuse@{DOMAIN}",
            "postmaster",
            "postmaster@mx.example.org",
        ):
            self.assertEqual(client.rcpt(address)[:9], "250 2.1.5", address)

    def test_domain_of_nobody_is_not_ours(self) -> None:
        self.assertEqual(self.client_of().rcpt("fbl@bounce.midori.example.jp")[:9], "550 5.7.1")

    def test_forged_address_is_kept_for_the_operator_within_a_rate(self) -> None:
        client, forged = self.client_of(strange_at_once=10), f"b+0abc@{DOMAIN}"
        self.assertEqual([client.send(forged, b"x" * 20 + b"\r\n")[:3] for _each in range(2)], ["250", "451"])
        self.assertEqual(InboundMail.objects.get().account, None)

    def test_addresses_without_a_token_have_a_rate_too(self) -> None:
        client = self.client_of(open_at_once=10)
        for address in ("postmaster", "abuse@mx.example.org", FBL):
            replies = [client.send(address, b"x" * 20 + b"\r\n")[:3] for _each in range(2)]
            self.assertIn(replies, (["250", "451"], ["451", "451"]), address)
        self.assertEqual(client.send(self.address, b"a\r\n")[:3], "250")

    def test_names_are_not_told(self) -> None:
        client = self.client_of()
        self.assertEqual([client.say(f"{verb} {FBL}")[:3] for verb in ("VRFY", "EXPN")], ["252", "502"])

    def test_mail_that_is_too_big_is_refused(self) -> None:
        client = self.client_of(size=10_000)
        self.assertEqual(client.send(self.address, b"x" * 79 + b"\r\n" + b"y\r\n" * 5_000)[:9], "552 5.3.4")
        self.assertEqual(client.say("MAIL FROM:<> SIZE=20000")[:3], "552")
        self.assertEqual(InboundMail.objects.count(), 0)

    def test_line_without_an_end_is_refused(self) -> None:
        client = self.client_of(line=2_000)
        self.assertEqual(client.send(self.address, b"x" * 9_000 + b"\r\n")[:3], "500")
        self.assertEqual(client.send(self.address, b"x" * 1_900 + b"\r\n")[:3], "250")

    def test_bare_line_feeds_smuggle_nothing(self) -> None:
        smuggled = b"\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\nDATA\r\nb\r\n" % self.address.encode()
        for number, end in enumerate((b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\n.\r"), 1):
            client, raw = self.client_of(), b"a" + end + smuggled
            self.assertEqual(client.send(self.address, raw)[:3], "250")
            self.assertEqual(client.say("NOOP")[:3], "250")
            self.assertEqual(
                (InboundMail.objects.count(), bytes(InboundMail.objects.latest("pk").raw)),
                (number, raw.replace(b"\r\n.", b"\r\n")),
            )

    def test_sender_is_asked_to_try_again_while_the_database_is_away(self) -> None:
        client = self.client_of()
        with patch.object(InboundMail.objects, "bulk_create", side_effect=OperationalError):
            self.assertEqual(client.send(self.address, b"a\r\n")[:9], "451 4.3.0")
        self.assertEqual(client.send(self.address, b"a\r\n")[:3], "250")

    def test_odd_bytes_in_the_envelope_do_not_hold_up_a_mail(self) -> None:
        client = self.client_of()
        self.assertEqual(client.say(b"MAIL FROM:<\xff\x00\xed\xa0\x80@example.jp>")[:3], "250")
        self.assertEqual(client.data(self.address, b"a\r\n")[:3], "250")
        self.assertTrue(InboundMail.objects.get().mail_from.endswith("@example.jp"))

    def test_each_recipient_has_a_row_and_twins_have_one(self) -> None:
        client = self.client_of(size=100, recipients=3)
        client.say("MAIL FROM:<>")
        replies = [
            client.say(f"RCPT TO:<{to}>")[:3]
            for to in (self.address, self.address, FBL, f"abuse@{DOMAIN}", self.address)
        ]
        self.assertEqual((replies, client.data(None, b"a\r\n")[:3]), (["250"] * 4 + ["452"], "250"))
        self.assertEqual(InboundMail.objects.count(), 3)

    def test_big_mail_to_many_is_refused(self) -> None:
        client = self.client_of(size=100)
        client.say("MAIL FROM:<>")
        client.say(f"RCPT TO:<{FBL}>")
        self.assertEqual(client.data(self.address, b"x" * 60 + b"\r\n")[:3], "552")


class InboundLimitTest(TransactionTestCase):
    def setUp(self) -> None:
        account = Account.objects.create(name="株式会社青葉商店")
        Domain.objects.create(account=account, name="aoba.example.jp")

    def test_connections_of_one_address(self) -> None:
        with inbound_running(Limits(connections_each=2)) as server:
            first, _second = server.client(), server.client()
            self.assertEqual(server.client(greets=False).greeting[:9], "421 4.7.0")
            first.say("QUIT")
            first.close()
            self.assertEqual(server.client().greeting[:3], "220")

    def test_connections_in_all(self) -> None:
        with inbound_running(Limits(connections=1)) as server:
            _first = server.client()
            self.assertEqual(server.client(greets=False).greeting[:3], "421")

    def test_mails_of_one_connection(self) -> None:
        with inbound_running(Limits(mails=2)) as server:
            client = server.client()
            self.assertEqual([client.send(FBL, b"a\r\n")[:3] for _each in range(3)], ["250", "250", "421"])
            self.assertEqual(client.file.read(), b"")

    def test_mails_of_one_address_in_a_minute(self) -> None:
        with inbound_running(Limits(mails_a_minute=3)) as server:
            replies = [server.client().send(FBL, b"a\r\n")[:9] for _each in range(4)]
            self.assertEqual(replies, ["250 2.0.0"] * 3 + ["452 4.7.1"])
            server.time += 30
            self.assertEqual(server.client().send(FBL, b"a\r\n")[:3], "250")

    def test_errors_of_one_connection(self) -> None:
        with inbound_running(Limits(errors=3)) as server:
            client = server.client()
            self.assertEqual([client.say("MAIL TO:<x>")[:3] for _each in range(4)], ["501"] * 3 + ["421"])

    def test_commands_of_one_connection(self) -> None:
        with inbound_running(Limits(commands=5)) as server:
            client = server.client()
            self.assertEqual([client.say("NOOP")[:3] for _each in range(6)], ["250"] * 5 + ["421"])

    def test_who_is_silent_is_sent_away(self) -> None:
        with inbound_running(Limits(idle=0.2)) as server:
            self.assertEqual(server.client().read()[:9], "421 4.4.2")

    def test_silence_is_shorter_while_many_are_here(self) -> None:
        with inbound_running(Limits(connections=3, idle=60.0, idle_when_full=0.2)) as server:
            _first, second = server.client(), server.client()
            self.assertEqual(second.read()[:9], "421 4.4.2")

    def test_who_talks_for_ever_is_sent_away(self) -> None:
        with inbound_running(Limits(total=0.3)) as server:
            self.assertEqual(server.client().read(), TOO_LATE)

    def test_mail_on_its_way_is_limited_in_all(self) -> None:
        with inbound_running(Limits(in_flight=100_000)) as server:
            slow, other = server.client(), server.client()
            slow.rcpt(FBL)
            slow.say("DATA")
            slow.socket.sendall(b"y" * 998 + b"\r\n" + (b"x" * 998 + b"\r\n") * 150)
            self.assertEqual(slow.finish()[:9], "452 4.3.1")
            self.assertEqual((other.send(FBL, b"a\r\n")[:3], server.inbound.guests.in_flight), ("250", 0))
