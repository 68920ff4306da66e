from __future__ import annotations

from django.apps import apps
from django.db import connection
from django.db.utils import ProgrammingError

from campaigns.models import Contact
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_contact

SHARED = {
    "account",
    "membership",
    "accounts_user",
    "destination",
    "generation",
    "installation",
    *("throttle", "destination_group", "broken_tls", "sts_policy", "tls_result", "unread_reply", "warmup_day"),
    "blocklist_answer",
}  # no row of theirs is one account's alone, or it is read before an account is known


class WallTestCase(MailsalesTestCase):
    def test_every_table_of_ours_is_behind_it(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity")
            guarded = {name for (name,) in cursor.fetchall()}
        ours = {
            model._meta.db_table
            for model in apps.get_models()
            if model._meta.app_label in ("accounts", "campaigns", "delivery", "reports")
        }
        joins = {"accounts_user_groups", "accounts_user_user_permissions"}
        self.assertEqual(ours - guarded - joins, SHARED)
        self.assertLessEqual({"tally", "import_row"}, guarded)

    def test_every_guarded_table_says_its_account(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT relname FROM pg_class c WHERE relrowsecurity AND NOT EXISTS
                (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'account_id')"""
            )
            self.assertEqual(cursor.fetchall(), [])

    def test_it_shows_the_account_its_own_rows_alone(self) -> None:
        make_contact(self.account)
        make_contact(self.other_account, address="taro@example.jp")
        with wall(self.account.pk):
            self.assertEqual([contact.address for contact in Contact.objects.all()], ["hanako.sato@example.jp"])

    def test_it_shows_nothing_without_an_account(self) -> None:
        make_contact(self.account)
        with wall(None):
            self.assertFalse(Contact.objects.exists())

    def test_it_refuses_rows_of_another_account(self) -> None:
        with self.assertRaises(ProgrammingError), wall(self.account.pk):
            Contact.objects.create(account=self.other_account, address="x@example.jp", destination_id=1)
