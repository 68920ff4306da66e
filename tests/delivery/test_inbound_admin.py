from __future__ import annotations

from typing import Any

from django.urls import reverse

from accounts.models import Domain
from delivery.models import InboundMail, ReturnMailbox
from mailsales.wall import wall
from tests.base import MailsalesTestCase


class InboundAdminTest(MailsalesTestCase):
    """Alice is an operator; her pages are asked for as the web process asks."""

    def setUp(self) -> None:
        super().setUp()
        self.alice.is_staff = self.alice.is_superuser = True
        self.alice.save()
        self.client.force_login(self.alice)
        raw = b"Subject: <b>returned</b>\r\n\r\n\xff\r\n"
        for account, outcome in ((None, "forged"), (self.other_account, "hard_bounce")):
            values = {"account": account, "outcome": outcome, "recipient": f"{outcome}@bounce.example.jp"}
            self.mail = InboundMail.objects.create(raw=raw, **values)

    def ask(self, view: str, *args: object, **query: str) -> Any:
        with wall(None):
            return self.client.get(reverse(f"admin:delivery_{view}", args=args), query)

    def test_mails_of_all_accounts_and_of_nobody_are_listed(self) -> None:
        page = self.ask("inboundmail_changelist")
        self.assertContains(page, "forged@bounce.example.jp")
        self.assertContains(page, self.other_account.name)

    def test_list_is_filtered_by_outcome(self) -> None:
        page = self.ask("inboundmail_changelist", outcome__exact="forged")
        self.assertContains(page, "forged@bounce.example.jp")
        self.assertNotContains(page, "hard_bounce@bounce.example.jp")

    def test_mail_is_shown_as_text(self) -> None:
        page = self.ask("inboundmail_change", self.mail.pk)
        self.assertContains(page, "Subject: &lt;b&gt;returned&lt;/b&gt;")

    def test_mail_is_downloaded_as_it_came(self) -> None:
        answer = self.ask("inboundmail_raw", self.mail.pk)
        self.assertEqual(answer.content, bytes(self.mail.raw))
        self.assertEqual(answer["Content-Disposition"], f'attachment; filename="{self.mail.pk}.eml"')

    def test_nobody_else_finds_it(self) -> None:
        self.client.force_login(self.charlie)
        for view, args in (("inboundmail_changelist", ()), ("inboundmail_raw", (self.mail.pk,))):
            self.assertIn(self.ask(view, *args).status_code, (302, 403, 404), view)

    def test_members_do_not_read_others_mail(self) -> None:
        with wall(self.account.pk):
            self.assertEqual(InboundMail.objects.count(), 0)

    def test_password_of_a_mailbox_is_not_shown(self) -> None:
        domain = Domain.objects.create(account=self.other_account, name="midori.example.jp")
        values = {"host": "imap.example.jp", "username": "returns", "address": "returns@midori.example.jp"}
        mailbox = ReturnMailbox(account=self.other_account, domain=domain, **values)
        mailbox.password = "four quiet words"
        mailbox.save()
        page = self.ask("returnmailbox_change", mailbox.pk)
        self.assertContains(page, "returns@midori.example.jp")
        self.assertNotContains(page, mailbox.sealed_password)
        self.assertNotContains(page, "four quiet words")
