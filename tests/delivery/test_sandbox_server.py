from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.test import TransactionTestCase

from accounts.models import Account
from delivery.certificates import server_context
from delivery.models import SandboxMail
from delivery.replies import read
from delivery.sandbox import server as sandbox
from delivery.sandbox.manners import MANNERS, Manner, manner_of
from delivery.servers import serve
from mailsales.reasons import Reason
from mailsales.routes import TLSMode
from mailsales.tokens import bounce_token
from tests.delivery.making import pool_to
from tests.delivery.sink import Letter


class SandboxServerTest(TransactionTestCase):
    def setUp(self) -> None:
        self.account = Account.objects.create(name="株式会社青葉商店")
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tls = server_context(Path(folder.name))

    def letters(self, *recipients: str) -> list[Letter]:
        letters = [Letter(number) for number in range(len(recipients))]
        for number, (letter, recipient) in enumerate(zip(letters, recipients, strict=True), 7):
            letter.mail_from = f"b+{bounce_token(self.account.pk, number)}@bounce.example.jp".encode()
            letter.recipient = recipient.encode()
        return letters

    @async_to_sync
    async def send(self, letters: list[Letter]) -> None:
        """Send over STARTTLS to a sandbox of the test's own."""
        box = sandbox.Sandbox()
        listening = await serve(box, "127.0.0.1", 0, size=sandbox.LARGEST, tls=self.tls)
        port = listening.sockets[0].getsockname()[1]
        pool = pool_to(port, 3, TLSMode.REQUIRED)
        pool.push(letters)
        async with asyncio.timeout(20):
            while not all(letter.ends for letter in letters):
                await asyncio.sleep(0.005)
            await pool.close()
        listening.close()
        await box.close()

    def test_mail_is_kept_and_belongs_to_the_account_of_its_token(self) -> None:
        [letter] = letters = self.letters("taro@example.jp")
        self.send(letters)
        mail = SandboxMail.objects.get()
        self.assertEqual((letter.reply.code, mail.account, mail.message_id), (250, self.account, 7))
        self.assertEqual((bytes(mail.raw), mail.subject, mail.tls), (letter.body, "0", "TLSv1.3"))

    def test_pipelined_letters_all_arrive(self) -> None:
        letters = self.letters(*(f"reader{n}@example.jp" for n in range(300)))
        self.send(letters)
        self.assertEqual({letter.reply.code for letter in letters}, {250})
        kept = SandboxMail.objects.values_list("recipient", flat=True)
        self.assertEqual(sorted(kept), sorted(letter.recipient.decode() for letter in letters))

    def test_mail_without_a_valid_token_belongs_to_nobody(self) -> None:
        letters = [Letter(0), Letter(1)]
        letters[1].mail_from = b"b+" + bounce_token(self.account.pk, 7)[:-4].encode() + b"@bounce.example.jp"
        self.send(letters)
        self.assertEqual(list(SandboxMail.objects.values_list("account", "message_id")), [(None, None)] * 2)

    def test_carrier_address_arrives_quoted(self) -> None:
        letters = self.letters('"abc."@docomo.ne.jp')
        self.send(letters)
        self.assertEqual(letters[0].reply.code, 250)
        self.assertIn("abc.", SandboxMail.objects.get().recipient)

    def test_addresses_misbehave_as_their_names_say(self) -> None:
        expected = {
            "bounce": ("rcpt", Reason.USER_UNKNOWN),
            "full": ("rcpt", Reason.MAILBOX_FULL),
            "block": ("rcpt", Reason.BLOCKED),
            "spamreject": ("dot", Reason.SPAM),
            "filter": ("dot", Reason.FILTERED),
            "defer": ("rcpt", Reason.RATE_LIMITED),
            "drop": ("dot", Reason.NO_REPLY),
        }
        letters = self.letters(*(f"{word}+taro@example.jp" for word in expected), "taro@example.jp")
        self.send(letters)
        found = [(letter.reply.command, read(letter.reply).reason) for letter in letters]
        self.assertEqual(found, [*expected.values(), ("dot", None)])

    def test_refused_mail_is_recorded_with_its_reply(self) -> None:
        self.send(self.letters("bounce+taro@example.jp"))
        mail = SandboxMail.objects.get()
        self.assertEqual((mail.code, mail.size, mail.account), (550, 0, self.account))
        self.assertTrue(mail.reply.startswith("5.1.1 The email account"))
        self.assertEqual(mail.reply.count("5.1.1"), 1)

    @async_to_sync
    async def test_deferred_message_is_taken_at_the_fourth_try(self) -> None:
        box = sandbox.Sandbox()
        manner = manner_of("defer+taro@example.jp")
        tries = [box._deferral("b+x@example.jp", "defer+taro@example.jp", manner) for _each in range(4)]
        await box.close()
        self.assertEqual([bool(reply) for reply in tries], [True, True, True, False])

    def test_reports_go_to_the_envelope_sender(self) -> None:
        sent: list[tuple[str, bytes]] = []
        letters = self.letters("dsn+taro@example.jp", "complain+hanako@example.jp", "slow+taro@example.jp")
        with (
            patch.object(sandbox, "send_back", lambda *report: sent.append(report)),
            patch.object(sandbox, "PAUSE_BEFORE_REPORT", 0),
            patch("delivery.sandbox.manners.MANNERS", {**MANNERS, "slow": Manner(seconds=0.2)}),
        ):
            self.send(letters)
        self.assertEqual({to for to, _report in sent}, {letter.mail_from.decode() for letter in letters[:2]})
        self.assertTrue(any(b"report-type=feedback-report" in report for _to, report in sent))

    def test_only_the_newest_are_kept(self) -> None:
        letters = self.letters(*(f"reader{n}@example.jp" for n in range(12)))
        with patch.object(sandbox, "MOST_MAILS", 5), patch.object(sandbox, "SLICE", 2):
            self.send(letters)
            sandbox.prune()
        self.assertEqual(SandboxMail.objects.count(), 5)

    def test_bytes_are_limited_too(self) -> None:
        self.send(self.letters("taro@example.jp", "hanako@example.jp"))
        with patch.object(sandbox, "MOST_BYTES", 10), patch.object(sandbox, "SLICE", 10):
            sandbox.prune()
        self.assertEqual(SandboxMail.objects.count(), 0)

    def test_mail_is_refused_for_the_moment_while_the_database_is_away(self) -> None:
        letters = self.letters("taro@example.jp")
        with patch.object(SandboxMail.objects, "bulk_create", side_effect=OperationalError):
            self.send(letters)
        self.assertEqual(letters[0].reply.code, 451)
