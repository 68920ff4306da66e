from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.test import TestCase, TransactionTestCase

from accounts.models import Account
from campaigns.models import Subscription, Suppression
from delivery import inbound
from delivery.certificates import server_context
from delivery.models import Bounce, Complaint, InboundMail, Message, Unsubscribe
from delivery.sandbox.reports import abuse_report, delivery_report
from delivery.servers import serve
from mailsales import tokens
from mailsales.reasons import Reason
from mailsales.routes import TLSMode
from mailsales.tokens import bounce_token, unsubscribe_address_token
from tests.delivery.making import pool_to
from tests.delivery.sink import Letter
from tests.make import make_campaign, make_contact, make_list, make_message

ADDRESS = "hanako.sato@example.jp"
RAW = f"To: {ADDRESS}\r\nSubject: hello\r\n\r\nbody\r\n".encode()


class InboundReadingTest(TestCase):
    def setUp(self) -> None:
        self.account = Account.objects.create(name="株式会社青葉商店")
        self.list = make_list(self.account)
        self.contact = make_contact(self.account, self.list, address=ADDRESS)
        campaign = make_campaign(self.account, list=self.list)
        self.message = make_message(campaign, self.contact, status=Message.Status.SENT)
        self.bounces_to = f"b+{bounce_token(self.account.pk, self.message.pk)}@bounce.aoba.example.jp"
        self.unsubscribes_to = f"u+{unsubscribe_address_token(self.account.pk, self.message.pk)}@bounce.aoba.example.jp"

    def receive(self, recipient: str, raw: bytes) -> str:
        """Return the outcome of reading one mail."""
        mail = InboundMail.objects.create(account=self.account, recipient=recipient, raw=raw)
        self.assertTrue(inbound.read_new())
        mail.refresh_from_db()
        return mail.outcome

    def dsn(self) -> bytes:
        return delivery_report(self.bounces_to, ADDRESS, RAW)

    def test_hard_bounce_suppresses(self) -> None:
        self.assertEqual(self.receive(self.bounces_to, self.dsn()), "hard_bounce")
        bounce, suppression = Bounce.objects.get(), Suppression.objects.get()
        self.assertEqual((bounce.message_id, bounce.is_hard, bounce.code), (self.message.pk, True, 550))
        self.assertEqual((suppression.address, suppression.account), (ADDRESS, self.account))
        self.assertEqual((suppression.reason, suppression.evidence["list"]), (Reason.USER_UNKNOWN, self.list.name))

    def test_message_stays_sent(self) -> None:
        self.receive(self.bounces_to, self.dsn())
        self.message.refresh_from_db()
        self.assertEqual(self.message.status, Message.Status.SENT)

    def test_soft_bounce_suppresses_nobody(self) -> None:
        soft = self.dsn().replace(b"5.1.1", b"5.2.2").replace(b"User unknown", b"Mailbox full")
        self.assertEqual(self.receive(self.bounces_to, soft), "soft_bounce")
        self.assertEqual((Bounce.objects.count(), Suppression.objects.count()), (1, 0))

    def test_same_report_twice_is_one_bounce(self) -> None:
        self.receive(self.bounces_to, self.dsn())
        self.assertEqual(self.receive(self.bounces_to, self.dsn()), "repeated")
        self.assertEqual(Bounce.objects.count(), 1)

    def test_delay_and_vacation_change_nothing(self) -> None:
        delay = self.dsn().replace(b"Action: failed", b"Action: delayed")
        vacation = b"Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n"
        outcomes = [self.receive(self.bounces_to, raw) for raw in (delay, vacation)]
        self.assertEqual(outcomes, ["no_failure", "no_report"])
        self.assertEqual((Bounce.objects.count(), Suppression.objects.count()), (0, 0))

    def test_complaint_suppresses(self) -> None:
        raw = abuse_report(self.bounces_to, ADDRESS, RAW)
        self.assertEqual([self.receive(self.bounces_to, raw) for _each in range(2)], ["complaint", "repeated"])
        self.assertEqual(Complaint.objects.get().feedback_type, "abuse")
        self.assertEqual(Suppression.objects.get().reason, Reason.COMPLAINT)

    def test_mail_to_the_unsubscribe_address(self) -> None:
        outcome = self.receive(self.unsubscribes_to, b"From: x@example.jp\r\nSubject: unsubscribe\r\n\r\n")
        self.assertEqual((outcome, Unsubscribe.objects.get().how), ("unsubscribe", Unsubscribe.How.MAIL))
        subscription = Subscription.objects.get()
        self.assertEqual(subscription.status, Subscription.Status.UNSUBSCRIBED)
        self.assertIsNotNone(subscription.unsubscribed_at)

    def test_machine_s_reply_unsubscribes_nobody(self) -> None:
        for raw in (b"Auto-Submitted: auto-replied\r\n\r\naway\r\n", self.dsn()):
            self.assertEqual(self.receive(self.unsubscribes_to, raw), "automatic")
        self.assertEqual(Subscription.objects.get().status, Subscription.Status.CONFIRMED)

    def test_report_about_a_test_send_changes_nothing(self) -> None:
        address = f"b+{tokens.test_token(self.account.pk, 1)}@bounce.aoba.example.jp"
        self.assertEqual(self.receive(address, self.dsn()), "test")

    def test_message_that_is_gone(self) -> None:
        address = f"b+{bounce_token(self.account.pk, 999_999)}@bounce.aoba.example.jp"
        self.assertEqual(self.receive(address, self.dsn()), "message_gone")

    def test_token_of_one_account_reaches_no_message_of_another(self) -> None:
        stranger = Account.objects.create(name="有限会社みどり")
        address = f"b+{bounce_token(stranger.pk, self.message.pk)}@bounce.aoba.example.jp"
        self.assertEqual(self.receive(address, self.dsn()), "message_gone")

    def test_mail_that_breaks_the_reader_does_not_stop_it(self) -> None:
        with patch.object(inbound, "read_bounce", side_effect=ValueError), self.assertLogs("delivery.inbound"):
            self.assertEqual(self.receive(self.bounces_to, b""), "unreadable")

    def test_nothing_to_read(self) -> None:
        self.assertFalse(inbound.read_new())

    def test_forged_and_foreign_addresses_are_nobody(self) -> None:
        for address in (
            "taro@example.jp",
            "b+abc@example.jp",
            "b+@example.jp",
            "x+abc@example.jp",
            "",
            "b+" + "a" * 64,
        ):
            self.assertIsNone(inbound.read_address(address))

    def test_folded_case_is_read(self) -> None:
        self.assertEqual(inbound.read_address(self.bounces_to.upper()), inbound.read_address(self.bounces_to))


class InboundServerTest(TransactionTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tls = server_context(Path(folder.name))

    @async_to_sync
    async def send(self, *letters: Letter) -> None:
        """Send over STARTTLS to an inbound server of the test's own."""
        server = inbound.Inbound()
        listening = await serve(server, "127.0.0.1", 0, size=1_000_000, tls=self.tls)
        port = listening.sockets[0].getsockname()[1]
        pool = pool_to(port, 2, TLSMode.REQUIRED)
        pool.push(letters)
        async with asyncio.timeout(10):
            while not all(letter.ends for letter in letters):
                await asyncio.sleep(0.005)
            await pool.close()
        listening.close()
        await server.close()

    def letter(self, recipient: str, size: int = 0) -> Letter:
        letter = Letter(0, size)
        letter.mail_from, letter.recipient = b"", recipient.encode()
        return letter

    def test_mail_to_a_token_is_kept_before_it_is_answered(self) -> None:
        address = f"b+{bounce_token(1, 2)}@bounce.aoba.example.jp"
        letter = self.letter(address)
        self.send(letter)
        mail = InboundMail.objects.get()
        self.assertEqual((letter.reply.code, mail.recipient, bytes(mail.raw)), (250, address, letter.body))
        self.assertEqual((mail.mail_from, mail.read_at), ("", None))

    def test_any_other_recipient_is_refused(self) -> None:
        letter = self.letter("taro@example.jp")
        self.send(letter)
        self.assertEqual((letter.reply.code, letter.reply.enhanced), (550, "5.1.1"))
        self.assertEqual(InboundMail.objects.count(), 0)

    def test_mail_that_is_too_big_is_refused(self) -> None:
        letter = self.letter(f"b+{bounce_token(1, 2)}@bounce.aoba.example.jp", 1_200_000)
        self.send(letter)
        self.assertEqual((letter.reply.code, InboundMail.objects.count()), (552, 0))

    def test_sender_is_asked_to_try_again_while_the_database_is_away(self) -> None:
        letter = self.letter(f"b+{bounce_token(1, 2)}@bounce.aoba.example.jp")
        with patch.object(InboundMail.objects, "bulk_create", side_effect=OperationalError):
            self.send(letter)
        self.assertEqual(letter.reply.code, 451)
