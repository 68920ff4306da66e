from __future__ import annotations

import asyncio
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils.timezone import now

from accounts.domains.making import make_domain
from accounts.models import Account, Domain, Notice
from delivery import dkim, notices
from delivery.certificates import server_context
from delivery.models import SandboxMail
from delivery.sandbox import server as sandbox
from delivery.servers import serve
from delivery.smtp import Reply
from mailsales.tokens import read_notice_token
from tests.delivery.dialogue import scripted
from tests.delivery.sending import sink_thread
from tests.delivery.sink import Sink

TEXT = "青葉商店\n\n.で始まる行と、とても長い行" + "あ" * 500


def make_notice(account: Account | None, **fields: object) -> Notice:
    values = {"address": "alice@example.org", "subject": "送信ドメインの設定を直してください。" * 3, "text": TEXT}
    return Notice.objects.create(account=account, **values | fields)


def send_beside(notice: Notice) -> Reply:
    """Send it in a thread of its own, which leaves no connection behind."""
    try:
        return notices.send(notice)
    finally:
        connection.close()


class NoticesTest(TestCase):
    def setUp(self) -> None:
        self.account = Account.objects.create(name="株式会社青葉商店")
        self.sink = self.enterContext(sink_thread(Sink()))
        route = f"smtp://127.0.0.1:{self.sink.port}?tls=none"
        self.enterContext(override_settings(DEFAULT_ROUTE=route, NOTICES_FROM="mailsales@aoba.example.jp"))

    def send(self, notice: Notice | None = None) -> Notice:
        notice = notice or make_notice(self.account)
        self.assertTrue(notices.send_next())
        notice.refresh_from_db()
        return notice

    def parsed(self) -> EmailMessage:
        found = message_from_bytes(self.sink.accepted[-1][1], policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def test_it_arrives_as_it_was_written(self) -> None:
        notice = self.send()
        mail = self.parsed()
        self.assertEqual((mail["Subject"], mail.get_content().replace("\r\n", "\n").strip()), (notice.subject, TEXT))
        self.assertEqual((mail["From"], mail["To"]), ("Mailsales <mailsales@aoba.example.jp>", "alice@example.org"))
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")

    def test_it_is_plain_7_bit_with_short_lines(self) -> None:
        self.send()
        raw = self.sink.accepted[-1][1]
        self.assertTrue(raw.isascii())
        self.assertLessEqual(max(map(len, raw.split(b"\r\n"))), 78)

    def test_what_was_accepted_is_settled(self) -> None:
        notice = self.send()
        self.assertEqual((notice.is_sent, notice.tries, notice.reply), (True, 1, "250 2.0.0 queued"))
        self.assertFalse(notices.send_next())

    def test_what_is_deferred_is_tried_again_with_growing_pauses(self) -> None:
        self.sink.script = scripted(RCPT="450 4.2.0 later")
        notice = self.send()
        self.assertEqual((notice.settled_at, notice.reply), (None, "450 4.2.0 later"))
        first = notice.due_at - now()
        Notice.objects.update(due_at=now())
        self.assertGreater(self.send(notice).due_at - now(), 2 * first)

    def test_a_refusal_is_final_and_so_is_a_day(self) -> None:
        self.sink.script = scripted(RCPT="550 5.1.1 unknown")
        notice = self.send()
        self.assertEqual((notice.is_sent, notice.settled_at is None), (False, False))
        self.sink.script = scripted(RCPT="450 4.2.0 later")
        late = make_notice(self.account, created_at=now() - timedelta(hours=25))
        self.assertIsNotNone(self.send(late).settled_at)

    def test_both_copies_of_one_notice_have_one_message_id(self) -> None:
        notice = make_notice(self.account)
        bodies = [notices.mail_of(notice, t).body for t in (1_800_000_000, 1_800_000_600)]
        ids = {message_from_bytes(body)["Message-ID"] for body in bodies}
        self.assertEqual(len(ids), 1)

    def test_it_is_signed_if_we_hold_the_domain(self) -> None:
        self.send()
        self.assertIsNone(self.parsed()["DKIM-Signature"])
        domain = make_domain(self.account, "aoba.example.jp")
        Domain.objects.update(proven_at=now())
        self.send()
        records = {(key.selector, domain.name): key.record for key in domain.keys.all()}
        self.assertEqual([one.is_valid for one in dkim.verify(self.sink.accepted[-1][1], records)], [True, True])

    def test_an_address_that_cannot_be_written_is_given_up(self) -> None:
        notice = self.send(make_notice(self.account, address="名前@example.org"))
        self.assertEqual((notice.is_sent, notice.settled_at is None), (False, False))

    def test_nothing_waits(self) -> None:
        make_notice(self.account, due_at=now() + timedelta(minutes=5))
        self.assertFalse(notices.send_next())


class SandboxedNoticeTest(TransactionTestCase):
    def test_the_sandbox_shows_it_to_its_account(self) -> None:
        account = Account.objects.create(name="株式会社青葉商店")
        notice = make_notice(account)
        mail = notices.mail_of(notice, 1_800_000_000)
        self.assertEqual(sandbox.whose(mail.mail_from.decode()), (account.pk, None))
        self.deliver(notice)
        kept = SandboxMail.objects.get()
        self.assertEqual((kept.account, kept.recipient, kept.subject), (account, notice.address, notice.subject))

    @async_to_sync
    async def deliver(self, notice: Notice) -> None:
        """Send it by the sandbox's own server."""
        box = sandbox.Sandbox()
        tls = server_context(settings.VAR / "run")
        listening = await serve(box, "127.0.0.1", 0, size=sandbox.LARGEST, tls=tls)
        with override_settings(DEFAULT_ROUTE="sandbox", SANDBOX_PORT=listening.sockets[0].getsockname()[1]):
            reply = await asyncio.to_thread(send_beside, notice)
        listening.close()
        await box.close()
        self.assertEqual(reply.code, 250)

    def test_one_of_no_account_is_the_operators(self) -> None:
        mail = notices.mail_of(make_notice(None), 1_800_000_000)
        self.assertEqual(sandbox.whose(mail.mail_from.decode()), (None, None))
        token = mail.mail_from.decode().partition("@")[0].removeprefix("n+")
        self.assertEqual(read_notice_token(token).account_id, 0)
