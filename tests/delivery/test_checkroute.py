from __future__ import annotations

from io import StringIO

from django.core.management import CommandError, call_command
from django.test import TestCase, override_settings

from accounts.models import Account
from mailsales import vault
from mailsales.management.bench.names import Names
from tests.delivery.sending import sink_thread

ZONE = """
mail.example.jp. A 203.0.113.5
5.113.0.203.in-addr.arpa. PTR mail.example.jp.
"""
GOOD = "mx?ehlo=mail.example.jp&source=203.0.113.5"


@override_settings(SECRET_KEY_FALLBACKS=[])
class CheckRouteTest(TestCase):
    def setUp(self) -> None:
        names = self.enterContext(sink_thread(Names(ZONE)))
        self.enterContext(override_settings(DNS_SERVERS=[names.server], DEFAULT_ROUTE=GOOD))
        self.out = StringIO()

    def call(self) -> str:
        call_command("checkroute", stdout=self.out, no_color=True)
        return self.out.getvalue()

    def failure(self) -> str:
        with self.assertRaises(CommandError) as caught:
            self.call()
        self.assertEqual(caught.exception.returncode, 1)
        return str(caught.exception)

    def make_account(self, route: str) -> Account:
        return Account.objects.create(name="株式会社青葉商店", sealed_route=vault.seal(route))

    def test_a_good_default_route_has_no_fault(self) -> None:
        out = self.call()
        for line in (
            "Default route:",
            "EHLO name: mail.example.jp",
            "Source address: 203.0.113.5",
            "No fault was found.",
        ):
            self.assertIn(line, out)

    def test_a_fault_ends_it_with_status_1(self) -> None:
        with override_settings(DEFAULT_ROUTE="mx?ehlo=localhost"):
            self.assertEqual(self.failure(), "1 fault was found.")
        self.assertIn("FAULT: The EHLO name “localhost” is not the full name", self.out.getvalue())
        self.assertIn("The source address is not checked", self.out.getvalue())

    def test_the_sandbox_needs_nothing(self) -> None:
        with override_settings(DEFAULT_ROUTE="sandbox"):
            self.assertIn("No fault was found.", self.call())

    def test_accounts_with_a_route_of_their_own_are_checked_too(self) -> None:
        account = self.make_account("mx?ehlo=other.example.jp&source=203.0.113.5")
        Account.objects.create(name="有限会社みどり")
        self.assertEqual(self.failure(), "1 fault was found.")
        self.assertIn(f"Account {account.pk}, 株式会社青葉商店:", self.out.getvalue())
        self.assertNotIn("みどり", self.out.getvalue())

    def test_a_password_is_shown_to_nobody(self) -> None:
        self.make_account("smtp://mailer:s3cret@127.0.0.1,localhost:2525")
        out = self.call()
        self.assertIn("Hosts: 127.0.0.1:587, localhost:2525 (TLS required, certificate verified, with a login)", out)
        self.assertNotIn("s3cret", out)

    def test_a_route_that_is_wrong_shows_none_of_its_text(self) -> None:
        self.make_account("smtp://mailer:s3?cret@relay.example.jp")
        self.failure()
        self.assertIn("It is not written as a route.", self.out.getvalue())
        self.assertNotIn("s3", self.out.getvalue())

    def test_a_route_under_another_key_is_a_fault(self) -> None:
        self.make_account(GOOD)
        with override_settings(SECRET_KEY="another"):
            self.failure()
        self.assertIn("stored under another SECRET_KEY", self.out.getvalue())

    def test_name_servers_that_cannot_be_are_named(self) -> None:
        with override_settings(DNS_SERVERS=["dns.example.jp:x"]):
            self.assertIn("DNS_SERVERS", self.failure())
