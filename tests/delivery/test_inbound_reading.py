from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.utils.timezone import now

from accounts.models import Account, Notice
from campaigns.models import Subscription, Suppression
from delivery import inbound
from delivery.inbound import reading
from delivery.inbound.addresses import Box, read_address, read_mailbox_address
from delivery.models import Bounce, Complaint, InboundMail, Message, Unsubscribe
from delivery.sandbox.reports import abuse_report, delivery_report
from mailsales import tokens
from mailsales.reasons import Reason
from mailsales.tokens import bounce_token, unsubscribe_address_token
from tests.make import make_campaign, make_contact, make_list, make_message

ADDRESS = "hanako.sato@example.jp"
FEEDBACK = "fbl@bounce.aoba.example.jp"
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

    def receive(self, recipient: str, raw: bytes, **fields: Any) -> str:
        """Return the outcome of reading one mail."""
        mail = InboundMail.objects.create(recipient=recipient, raw=raw, **fields)
        self.assertTrue(inbound.read_new())
        mail.refresh_from_db()
        return mail.outcome

    def dsn(self) -> bytes:
        return delivery_report(self.bounces_to, ADDRESS, RAW)

    def returning(self, mail_from: str) -> bytes:
        """Return a report whose returned header alone holds the envelope sender."""
        return delivery_report("fbl@example.jp", ADDRESS, f"Return-Path: <{mail_from}>\r\n".encode() + RAW)

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
        self.assertEqual(outcomes, ["delayed", "automatic"])
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
        with patch.object(reading, "read_bounce", side_effect=ValueError), self.assertLogs(reading.logger):
            self.assertEqual(self.receive(self.bounces_to, b""), "unreadable")

    def test_nothing_to_read(self) -> None:
        self.assertFalse(inbound.read_new())

    def test_forged_address_changes_nothing_whatever_the_mail_returns(self) -> None:
        self.assertEqual(self.receive(self.bounces_to.replace("b+0", "b+1"), self.dsn()), "forged")
        self.assertEqual((InboundMail.objects.get().account, Bounce.objects.count()), (None, 0))

    def test_token_in_the_returned_header_names_the_message(self) -> None:
        self.assertEqual(self.receive(FEEDBACK, self.returning(self.bounces_to)), "hard_bounce")
        self.assertEqual((Bounce.objects.get().message_id, Suppression.objects.count()), (self.message.pk, 1))
        self.assertEqual(InboundMail.objects.get().account, self.account)

    def test_complaint_is_known_by_the_header_that_it_returns(self) -> None:
        raw = abuse_report(
            "x@example.jp", ADDRESS, b"List-Unsubscribe: <mailto:" + self.unsubscribes_to.encode() + b">\r\n\r\n"
        )
        self.assertEqual(self.receive(FEEDBACK, raw), "complaint")
        self.assertEqual(Suppression.objects.get().reason, Reason.COMPLAINT)

    def test_praise_suppresses_nobody(self) -> None:
        raw = abuse_report(self.bounces_to, ADDRESS, RAW).replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")
        self.assertEqual(self.receive(self.bounces_to, raw), "feedback")
        self.assertEqual((Complaint.objects.count(), Suppression.objects.count()), (0, 0))

    def test_report_without_a_token_is_kept_for_the_operator(self) -> None:
        self.assertEqual(self.receive(FEEDBACK, self.returning("taro@example.jp")), "no_token")
        self.assertEqual((InboundMail.objects.get().account, Bounce.objects.count()), (None, 0))

    def test_mail_to_the_postmaster_is_for_a_person(self) -> None:
        raw = f"From: x@example.jp\r\nIn-Reply-To: <{self.bounces_to[2:]}>\r\n\r\nWho are you?\r\n".encode()
        self.assertEqual(self.receive("postmaster@bounce.aoba.example.jp", raw), "for_operator")

    def test_wish_in_the_subject_at_a_mailbox_without_plus_signs(self) -> None:
        subject = self.unsubscribes_to.partition("@")[0].replace("u+", "unsubscribe-")
        raw = f"From: {ADDRESS}\r\nSubject: {subject}\r\n\r\n".encode()
        self.assertEqual(self.receive("returns@example.jp", raw, source=InboundMail.Source.IMAP), "unsubscribe")
        self.assertEqual(Subscription.objects.get().status, Subscription.Status.UNSUBSCRIBED)

    def test_token_behind_the_name_of_a_mailbox(self) -> None:
        address = self.bounces_to.replace("b+", "returns+b-").replace("bounce.", "")
        self.assertEqual(self.receive(address, self.dsn(), source=InboundMail.Source.IMAP), "hard_bounce")

    def test_mail_of_the_system_that_came_back(self) -> None:
        notice = Notice.objects.create(account=self.account, address=ADDRESS, subject="!", text="!", is_sent=True)
        address = f"n+{tokens.notice_token(self.account.pk, notice.pk)}@localhost"
        self.assertEqual(self.receive(address, self.dsn()), "notice")
        notice.refresh_from_db()
        self.assertEqual((notice.is_sent, notice.reply[:5]), (False, "5.1.1"))

    def test_old_mails_are_forgotten_sooner_without_an_account(self) -> None:
        for days, account in ((20, None), (40, None), (40, self.account), (100, self.account)):
            received_at = now() - timedelta(days=days)
            InboundMail.objects.create(account=account, recipient=str(days), raw=b"", received_at=received_at)
        self.assertTrue(inbound.forget())
        self.assertEqual(list(InboundMail.objects.order_by("pk").values_list("recipient", flat=True)), ["20", "40"])
        self.assertFalse(inbound.forget())

    def test_foreign_addresses_are_nobody_s(self) -> None:
        for address in ("taro@example.jp", "x+abc@example.jp", "", "@", "b@example.jp", "b", "returns+b-x@example.jp"):
            self.assertIsNone(read_address(address), address)
        for address in ("returns@example.jp", "returns+x-y@example.jp", "returns+b@example.jp"):
            self.assertIsNone(read_mailbox_address(address), address)

    def test_forged_addresses_have_no_token(self) -> None:
        for address in ("b+abc@example.jp", "b+@example.jp", "b+" + "a" * 64, "u+" + self.bounces_to[2:]):
            found = read_address(address)
            self.assertTrue(found and found.is_forged and found.token is None, address)

    def test_role_addresses(self) -> None:
        found = [read_address(f"{local}@bounce.aoba.example.jp") for local in ("FBL", "postmaster", '"abuse"')]
        self.assertEqual([each and each.box for each in found], [Box.FEEDBACK, Box.POSTMASTER, Box.ABUSE])

    def test_folded_case_is_read(self) -> None:
        self.assertEqual(read_address(self.bounces_to.upper()), read_address(self.bounces_to))


class TwoReadersTest(TransactionTestCase):
    def test_one_reads_at_a_time(self) -> None:
        InboundMail.objects.create(recipient=FEEDBACK, raw=b"")
        with connection.copy().cursor() as other:
            other.execute("SELECT pg_advisory_lock(%s)", [reading.LOCK])
            self.assertFalse(inbound.read_new())
            other.execute("SELECT pg_advisory_unlock(%s)", [reading.LOCK])
            other.connection.close()
        self.assertTrue(inbound.read_new())
        self.assertEqual(InboundMail.objects.get().outcome, "for_operator")
