from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import OperationalError, connection
from django.test import TransactionTestCase, override_settings
from django.utils.timezone import now

from accounts.models import Account, Domain
from campaigns.models import Suppression
from delivery import imap, inbound
from delivery.imap_line import Folder, modified_utf7
from delivery.models import InboundMail, Message, ReturnMailbox, Unsubscribe
from delivery.sandbox.reports import delivery_report
from mailsales.tokens import bounce_token, unsubscribe_address_token
from tests.delivery.dovecot import PASSWORD, Dovecot, dovecot
from tests.make import make_campaign, make_contact, make_list, make_message

ADDRESS = "hanako.sato@example.jp"
RETURNS = "returns@aoba.example.jp"
USERS = tuple(f"u{number}" for number in range(40))
ORDINARY = b"From: mother@example.jp\r\nTo: returns@aoba.example.jp\r\nSubject: Dinner?\r\n\r\nToday?\r\n"


def report(to: str, mail_from: str = "") -> bytes:
    returned = f"Return-Path: <{mail_from}>\r\nTo: {ADDRESS}\r\nSubject: hello\r\n\r\n"
    return delivery_report(to, ADDRESS, returned.encode())


class ImapTestCase(TransactionTestCase):
    """A mailbox of a running server for each test."""

    server: Dovecot
    capability = ""
    count = 0

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        running = ExitStack()
        cls.addClassCleanup(running.close)
        cls.server = running.enter_context(dovecot(capability=cls.capability, users=USERS))
        running.enter_context(patch.dict(os.environ, SSL_CERT_FILE=str(cls.server.certificate)))
        running.enter_context(override_settings(ALLOW_PRIVATE_MX=True))

    def setUp(self) -> None:
        type(self).count += 1  # a mailbox of its own for each test
        self.user = f"u{self.count}"
        self.account = Account.objects.create(name="株式会社青葉商店", language="en")
        contact = make_contact(self.account, make_list(self.account), address=ADDRESS)
        self.message = make_message(make_campaign(self.account), contact, status=Message.Status.SENT)
        self.mailbox = self.make_mailbox()
        self.sender = RETURNS.replace("@", f"+b-{bounce_token(self.account.pk, self.message.pk)}@")

    def make_mailbox(self, **fields: Any) -> ReturnMailbox:
        domain = Domain.objects.create(account=self.account, name="aoba.example.jp")
        values = {"host": "localhost", "port": self.server.port, "username": self.user, "address": RETURNS}
        mailbox = ReturnMailbox(account=self.account, domain=domain, **values | fields)
        mailbox.password = PASSWORD
        mailbox.save()
        return mailbox

    def read(self) -> list[str]:
        """Read the mailbox, as if it were due, then what was taken; return the outcomes."""
        ReturnMailbox.objects.update(read_at=None)
        imap.read_mailbox(self.mailbox.pk)
        self.mailbox.refresh_from_db()
        while inbound.read_new():
            pass
        return list(InboundMail.objects.order_by("pk").values_list("outcome", flat=True))

    def put(self, *mails: bytes) -> None:
        self.server.put(*mails, user=self.user)

    def left(self) -> list[tuple[str, str]]:
        return self.server.mails(self.user)


class ImapTest(ImapTestCase):
    def test_report_is_taken_acted_upon_and_deleted(self) -> None:
        self.put(report(self.sender))
        self.assertEqual((self.read(), self.left(), self.mailbox.trouble), (["hard_bounce"], [], ""))
        mail = InboundMail.objects.get()
        self.assertEqual((mail.recipient, mail.source, mail.account), (self.sender, "imap", self.account))
        self.assertEqual(Suppression.objects.get().address, ADDRESS)

    def test_mail_is_kept_byte_for_byte(self) -> None:
        raw = report(self.sender) + b"\x00\xff .\r\n.\r\n" * 3
        with self.server.owner(self.user) as client:
            client.append("INBOX", "", "", raw.replace(b"\x00", b""))
        self.read()
        self.assertEqual(bytes(InboundMail.objects.get().raw), raw.replace(b"\x00", b""))

    def test_ordinary_mail_is_left_unread_and_not_fetched_again(self) -> None:
        self.put(ORDINARY, report(self.sender), ORDINARY)
        self.assertEqual((self.read(), self.left()), (["hard_bounce"], [("", "Dinner?")] * 2))
        with patch.object(imap, "read_bounce", side_effect=AssertionError):
            self.assertEqual((self.read(), self.mailbox.last_uid), (["hard_bounce"], 3))

    def test_person_s_reply_is_left_though_it_holds_a_token(self) -> None:
        token = self.sender.partition("b-")[2]
        self.put(ORDINARY.replace(b"Subject", f"In-Reply-To: <{token}>\r\nSubject".encode()))
        self.assertEqual((self.read(), self.left()), ([], [("", "Dinner?")]))

    def test_wish_in_the_subject(self) -> None:
        token = unsubscribe_address_token(self.account.pk, self.message.pk)
        self.put(ORDINARY.replace(b"Dinner?", f"unsubscribe-{token}".encode()))
        self.assertEqual((self.read(), self.left()), (["unsubscribe"], []))
        self.assertEqual(Unsubscribe.objects.get().how, Unsubscribe.How.MAIL)

    def test_report_to_a_mailbox_without_plus_signs(self) -> None:
        self.put(report(RETURNS, self.sender))
        self.assertEqual((self.read(), self.left()), (["hard_bounce"], []))

    def test_report_without_a_token_is_kept_and_left(self) -> None:
        self.put(report(RETURNS, "taro@example.jp"))
        self.assertEqual((self.read(), len(self.left())), (["no_token"], 1))
        self.assertIsNone(InboundMail.objects.get().account)

    def test_nothing_is_deleted_before_it_is_committed(self) -> None:
        self.put(report(self.sender))
        with (
            patch.object(InboundMail.objects, "bulk_create", side_effect=OperationalError),
            self.assertRaises(OperationalError),
        ):
            imap.read_mailbox(self.mailbox.pk)
        self.assertEqual(len(self.left()), 1)
        self.assertEqual((self.read(), self.left()), (["hard_bounce"], []))

    def test_what_others_marked_stays(self) -> None:
        self.put(ORDINARY, report(self.sender))
        with self.server.owner(self.user) as client:
            client.store("1", "+FLAGS", r"(\Deleted)")
        self.assertEqual((self.read(), self.left()), (["hard_bounce"], [("\\Deleted", "Dinner?")]))

    def test_mail_that_could_not_be_deleted_is_not_taken_twice(self) -> None:
        self.put(report(self.sender))
        with patch.object(Folder, "mark", side_effect=OSError):
            imap.read_mailbox(self.mailbox.pk)
        self.assertEqual((InboundMail.objects.count(), len(self.left())), (1, 1))
        self.assertEqual((self.read(), self.left()), (["hard_bounce"], []))

    def test_more_than_a_turn(self) -> None:
        self.put(*[report(self.sender)] * 5)
        with patch.object(imap, "MOST_MAILS", 3):
            self.assertEqual([imap.read_mailbox(self.mailbox.pk) for _turn in range(2)], [True, False])
        self.assertEqual((InboundMail.objects.count(), self.left()), (5, []))

    def test_mail_that_is_too_big_is_read_from_its_beginning_and_left(self) -> None:
        self.put(report(self.sender) + b"x\r\n" * 2_000)
        with patch.object(imap, "LARGEST", 5_000):
            self.assertEqual((self.read(), len(self.left())), (["hard_bounce"], 1))

    def test_folder_that_was_made_anew_is_read_from_its_beginning(self) -> None:
        self.put(report(self.sender))
        ReturnMailbox.objects.update(uid_validity=1, last_uid=999)
        self.assertEqual((self.read(), self.mailbox.last_uid), (["hard_bounce"], 1))

    def test_another_folder_with_a_name_in_japanese(self) -> None:
        folder = "エラー & 戻り"
        with self.server.owner(self.user) as client:
            client.create(f'"{modified_utf7(folder)}"')
        self.server.put(report(self.sender), user=self.user, folder=f'"{modified_utf7(folder)}"')
        ReturnMailbox.objects.update(folder=folder)
        self.assertEqual(self.read(), ["hard_bounce"])

    def test_mailbox_is_read_by_one_at_a_time(self) -> None:
        self.put(report(self.sender))
        with connection.copy().cursor() as other:
            other.execute(imap.TAKE, [imap.LOCKS, self.mailbox.pk])
            self.assertEqual((imap.read_mailbox(self.mailbox.pk), InboundMail.objects.count()), (False, 0))
            other.execute(imap.LET_GO, [imap.LOCKS, self.mailbox.pk])
            other.connection.close()
        self.assertEqual(self.read(), ["hard_bounce"])

    def test_mailbox_that_was_just_read_is_left_alone(self) -> None:
        self.assertEqual(self.read(), [])
        with patch.object(imap, "opened", side_effect=AssertionError):
            self.assertFalse(imap.read_mailbox(self.mailbox.pk))

    def test_trouble_is_kept_in_words(self) -> None:
        for fields, words in (
            ({"username": "nobody"}, "refuses the login name or the password"),
            (
                {"username": self.user, "folder": "Nowhere"},
                "The server answers: SELECT: Mailbox doesn't exist: Nowhere",
            ),
            ({"folder": "INBOX", "port": 9}, "cannot be reached on port 9"),
            ({"host": "127.0.0.1", "port": self.server.port}, "is not valid for this name"),
            ({"host": "nowhere.invalid"}, "There is no server “nowhere.invalid”"),
        ):
            ReturnMailbox.objects.update(**fields)
            self.read()
            self.assertIn(words, self.mailbox.trouble)
            self.assertIsNotNone(self.mailbox.read_at)

    @override_settings(ALLOW_PRIVATE_MX=False)
    def test_private_addresses_are_not_dialled(self) -> None:
        with patch("socket.create_connection", side_effect=AssertionError):
            self.read()
        self.assertIn("is not on the public internet", self.mailbox.trouble)

    def test_mailbox_in_trouble_is_due_less_often(self) -> None:
        self.assertTrue(ReturnMailbox.objects.due(now()).exists())
        for trouble, seconds, is_due in (("", 40, False), ("", 60, True), ("!", 60, False), ("!", 1_000, True)):
            ReturnMailbox.objects.update(trouble=trouble, read_at=now() - timedelta(seconds=seconds))
            self.assertEqual(ReturnMailbox.objects.due(now()).exists(), is_due, (trouble, seconds))


class PoorServerTest(ImapTestCase):
    """A server without UIDPLUS (RFC 4315)."""

    capability = "IMAP4rev1"

    def test_report_is_deleted(self) -> None:
        self.put(ORDINARY, report(self.sender))
        self.assertEqual((self.read(), self.left()), (["hard_bounce"], [("", "Dinner?")]))

    def test_what_others_marked_stays(self) -> None:
        self.put(ORDINARY, report(self.sender))
        with self.server.owner(self.user) as client:
            client.store("1", "+FLAGS", r"(\Deleted)")
        self.assertEqual((self.read(), len(self.left())), (["hard_bounce"], 2))
