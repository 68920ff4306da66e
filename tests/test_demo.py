from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase, override_settings

from accounts.models import Account, User
from campaigns.drafts import audience_of, checks_of, is_blocked
from campaigns.models import Campaign, Contact, MailingList, Subscription, Suppression
from delivery.models import Attempt, Message, Open
from mailsales import ledger, tokens
from mailsales.management.demo import making
from mailsales.management.erasing import TABLES


class DemoTestCase(TestCase):
    password: str
    seconds: float

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        folder = cls.enterClassContext(TemporaryDirectory())
        cls.enterClassContext(override_settings(VAR=Path(folder)))
        began = time.monotonic()
        cls.password = making.make()
        cls.seconds = time.monotonic() - began

    def setUp(self) -> None:
        super().setUp()
        making.write_sign_in(self.password)
        self.account = Account.objects.get(is_demo=True)
        self.sent = Campaign.objects.get(account=self.account, status=Campaign.Status.SENT)
        self.draft = Campaign.objects.get(account=self.account, status=Campaign.Status.DRAFT)

    def test_its_sign_in_stands_in_a_file_for_the_owner_alone(self) -> None:
        path = making.sign_in_file()
        self.assertEqual(path.read_text().split("\n")[:2], ["demo", self.password])
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertTrue(User.objects.get(username="demo").check_password(self.password))

    def test_it_is_quick(self) -> None:
        self.assertLess(self.seconds, 10)  # three on a machine with nothing else to do

    def test_everybody_lives_at_a_reserved_name(self) -> None:
        contacts = Contact.objects.of(self.account)
        self.assertEqual(contacts.count(), making.PEOPLE)
        reserved = contacts.filter(address__regex=r"@([a-z]+\.)*example\.(jp|com|net)$")
        self.assertEqual(reserved.count(), making.PEOPLE)

    def test_the_tally_tells_what_the_messages_tell(self) -> None:
        tally: Counter[str] = Counter()
        for _destination, status, n in ledger.execute("progress", campaign=self.sent.pk):
            tally[status] += int(n)
        counted = Counter(Message.objects.filter(campaign=self.sent).values_list("status", flat=True))
        self.assertEqual(tally.pop("all"), making.PEOPLE - making.NEWCOMERS)
        self.assertEqual(tally, counted)

    def test_there_are_two_lists_with_people_on_them(self) -> None:
        lists = MailingList.objects.of(self.account).order_by("pk")
        on_them = [Subscription.objects.filter(list=mailing_list).count() for mailing_list in lists]
        self.assertEqual(on_them, [making.PEOPLE, -(-making.PEOPLE // 6)])

    def test_every_message_has_its_attempts(self) -> None:
        tries = Counter(Attempt.objects.filter(account=self.account).values_list("message_id", flat=True))
        self.assertEqual(dict(Message.objects.filter(campaign=self.sent).values_list("pk", "tries")), tries)

    def test_nothing_happens_before_it_was_sent_or_after_now(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM open o JOIN message m ON m.id = o.message_id WHERE o.at < m.closed_at OR o.at > now()"
            )
            self.assertEqual(cursor.fetchone(), (0,))
        self.assertGreater(Open.objects.filter(campaign_id=self.sent.pk, machine="").count(), 400)

    def test_who_left_or_was_refused_for_good_is_suppressed(self) -> None:
        left = Subscription.objects.of(self.account).filter(status=Subscription.Status.UNSUBSCRIBED)
        suppressed = Counter(Suppression.objects.of(self.account).values_list("reason", flat=True))
        self.assertEqual(suppressed["unsubscribed"], left.count())
        self.assertGreater(suppressed["user_unknown"], 10)

    def test_the_draft_is_ready_to_go(self) -> None:
        audience = audience_of(self.draft)
        self.assertGreater(audience.total, 1_900)
        self.assertFalse(is_blocked(checks_of(self.draft, audience)))

    def test_its_links_lead_on(self) -> None:
        message = Message.objects.filter(campaign=self.sent).first()
        assert message
        response = self.client.get(f"/c/{tokens.link_token(self.account.pk, message.pk, 1)}")
        self.assertEqual(response["Location"], "https://example.com/?item=akitsumi")

    def test_a_second_run_changes_nothing(self) -> None:
        before = User.objects.get(username="demo").password
        self.assertEqual(making.make(), self.password)
        self.assertEqual(User.objects.get(username="demo").password, before)
        self.assertEqual(Account.objects.filter(is_demo=True).count(), 1)

    def test_a_lost_password_is_replaced(self) -> None:
        making.sign_in_file().unlink()
        password = making.make()
        self.assertNotEqual(password, self.password)
        self.assertEqual(making.read_password(), password)
        self.assertTrue(User.objects.get(username="demo").check_password(password))

    def test_it_is_removed_without_a_trace(self) -> None:
        call_command("demo", "--remove", verbosity=0)
        self.assertFalse(User.objects.filter(username="demo").exists())
        self.assertFalse(making.sign_in_file().exists())
        with connection.cursor() as cursor:
            cursor.execute(TABLES)
            for table, _parents in cursor.fetchall():
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE account_id = %s', [self.account.pk])
                self.assertEqual((table, cursor.fetchone()), (table, (0,)))

    def test_it_is_refused_with_a_database_of_somebody_s_own(self) -> None:
        with patch.dict("os.environ", DATABASE_URL="postgresql://somewhere/else"), self.assertRaises(CommandError):
            call_command("demo")
