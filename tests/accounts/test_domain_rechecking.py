from __future__ import annotations

from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.utils.timezone import now

from accounts.domains import rechecking
from accounts.models import Domain
from tests.accounts.domains import DomainTestCase


class RecheckTest(DomainTestCase):
    def is_due(self, **fields: object) -> bool:
        Domain.objects.filter(pk=self.domain.pk).update(**fields)
        return Domain.objects.filter(rechecking.due(), pk=self.domain.pk).exists()

    def ago(self, **time: float) -> object:
        return now() - timedelta(**time)

    def test_what_was_never_checked_is_due(self) -> None:
        self.assertTrue(self.is_due())

    def test_a_new_one_is_looked_at_every_ten_minutes_for_an_hour(self) -> None:
        self.assertTrue(self.is_due(checked_at=self.ago(minutes=11)))
        self.assertFalse(self.is_due(checked_at=self.ago(minutes=9)))

    def test_then_hourly_for_two_weeks(self) -> None:
        self.assertFalse(self.is_due(created_at=self.ago(days=1), checked_at=self.ago(minutes=59)))
        self.assertTrue(self.is_due(created_at=self.ago(days=1), checked_at=self.ago(minutes=61)))
        self.assertFalse(self.is_due(created_at=self.ago(days=15), checked_at=self.ago(days=3)))

    def test_a_proven_one_daily_and_a_broken_one_hourly(self) -> None:
        proven = {"proven_at": now(), "created_at": self.ago(days=99)}
        self.assertFalse(self.is_due(**proven, checked_at=self.ago(hours=23)))
        self.assertTrue(self.is_due(**proven, checked_at=self.ago(hours=25)))
        self.assertTrue(self.is_due(state=Domain.State.BROKEN, checked_at=self.ago(minutes=61)))

    def test_those_of_the_demo_are_asked_for_by_nobody(self) -> None:
        self.account.is_demo = True
        self.account.save()
        self.assertFalse(self.is_due())

    def test_a_slice_checks_what_is_due(self) -> None:
        self.publish()
        self.assertEqual((rechecking.recheck_due(), rechecking.recheck_due()), (1, 0))
        self.domain.refresh_from_db()
        self.assertTrue(self.domain.is_proven)

    def test_one_that_breaks_something_stops_no_other(self) -> None:
        with patch.object(rechecking, "recheck", side_effect=RuntimeError), self.assertLogs(level="ERROR"):
            rechecking.recheck_due()
        self.domain.refresh_from_db()
        self.assertIsNotNone(self.domain.checked_at)


class CommandTest(DomainTestCase):
    def run_it(self, *arguments: str) -> tuple[str, str]:
        """Run the command; return what it printed, and the failure it ended with."""
        out, failure = StringIO(), ""
        try:
            call_command("checkdomain", *arguments, stdout=out, no_color=True)
        except CommandError as error:
            failure = str(error)
        return out.getvalue(), failure

    def test_a_domain_that_is_right(self) -> None:
        self.publish()
        out, failure = self.run_it("aoba.example.jp", "--language", "en")
        self.assertEqual(failure, "")
        self.assertIn("OK  Proof of ownership: The domain is yours", out)
        self.assertIn('_mailsales.aoba.example.jp. TXT "mailsales-verification=', out)
        self.assertIn("Everything is in place.", out)

    def test_a_failure_is_counted_in_the_chosen_language(self) -> None:
        self.publish("dmarc")
        self.assertEqual(self.run_it("aoba.example.jp", "--language", "en")[1], "1 thing must be put right.")
        out, failure = self.run_it("aoba.example.jp")
        self.assertIn("DMARC がありません", out)
        self.assertIn("1", failure)

    def test_a_domain_that_nobody_has_added(self) -> None:
        self.names.zone += '\noroshi.example.com. TXT "v=spf1 -all"'
        out, failure = self.run_it("oroshi.example.com", "--language", "en")
        self.assertIn("NG  SPF (servers that may send): The SPF record leaves our servers out", out)
        self.assertIn("The domain has no server", out)
        self.assertNotIn("Proof", out)
        self.assertTrue(failure)

    def test_it_saves_nothing(self) -> None:
        self.publish()
        self.run_it("aoba.example.jp")
        self.domain.refresh_from_db()
        self.assertEqual((self.domain.is_proven, self.domain.findings), (False, []))

    def test_another_accounts_domain_and_no_domain_at_all(self) -> None:
        account = str(self.other_account.pk)
        self.assertIn("no domain", self.run_it("aoba.example.jp", "--account", account, "--language", "en")[1])
        self.assertIn("cannot be a domain", self.run_it("あ" * 70)[1])
