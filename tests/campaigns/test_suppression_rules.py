from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.timezone import now

from campaigns.models import Suppression
from campaigns.suppressions import rules
from mailsales.reasons import Reason
from tests.base import MailsalesTestCase

ADDRESS = "hanako.sato@example.jp"
WEAK_TO_STRONG = (Reason.USER_UNKNOWN, Reason.UNSUBSCRIBED, Reason.COMPLAINT)


class StrengthTest(MailsalesTestCase):
    def keep(self, reason: Reason, retry_at: datetime | None = None) -> int:
        return rules.suppress(self.account.pk, [ADDRESS], reason, {"text": reason}, retry_at=retry_at)

    def test_the_stronger_one_stays(self) -> None:
        self.keep(Reason.MAILBOX_FULL, now() + timedelta(days=1))
        self.assertEqual([self.keep(reason) for reason in WEAK_TO_STRONG], [1, 1, 1])
        self.assertEqual([self.keep(reason) for reason in reversed(WEAK_TO_STRONG)], [0, 0, 0])
        self.assertEqual(self.keep(Reason.MAILBOX_FULL, now() + timedelta(days=1)), 0)
        self.assertEqual(Suppression.objects.get().reason, Reason.COMPLAINT)

    def test_what_ends_later_stays(self) -> None:
        soon, late = now() + timedelta(days=1), now() + timedelta(days=90)
        self.assertEqual([self.keep(Reason.PAUSED, at) for at in (soon, late, soon)], [1, 1, 0])
        self.assertEqual(Suppression.objects.get().retry_at, late)

    def test_what_has_ended_gives_way(self) -> None:
        self.keep(Reason.PAUSED, now() - timedelta(days=1))
        self.assertEqual(self.keep(Reason.MAILBOX_FULL, now() + timedelta(days=1)), 1)
        self.assertEqual(Suppression.objects.get().evidence, {"text": "mailbox_full"})

    def test_who_did_it_is_of_the_one_that_stays(self) -> None:
        rules.suppress(self.account.pk, [ADDRESS], Reason.MANUAL, {}, created_by=self.bob)
        self.keep(Reason.UNSUBSCRIBED)
        self.assertIsNone(Suppression.objects.get().created_by)

    def test_an_address_named_twice_is_one(self) -> None:
        self.assertEqual(rules.suppress(self.account.pk, [ADDRESS, ADDRESS], Reason.MANUAL, {}), 1)


class InForceTest(MailsalesTestCase):
    def make(self, address: str = ADDRESS, **values: object) -> Suppression:
        return Suppression.objects.create(**{"account": self.account, "address": address, "reason": "manual"} | values)

    def test_the_address_itself_comes_before_its_domain(self) -> None:
        pattern, own = self.make("*@example.jp"), self.make()
        found = rules.suppressions_of(self.account, [ADDRESS, "taro@example.jp", "taro@sub.example.jp"])
        self.assertEqual(found, {ADDRESS: own, "taro@example.jp": pattern})

    def test_everybody_s_count_too(self) -> None:
        self.make(account=None)
        self.assertIsNotNone(rules.suppression_of(self.account, ADDRESS))

    def test_another_account_s_do_not(self) -> None:
        self.make(account=self.other_account)
        self.assertIsNone(rules.suppression_of(self.account, ADDRESS))

    def test_what_has_ended_does_not(self) -> None:
        self.make(retry_at=now())
        self.assertIsNone(rules.suppression_of(self.account, ADDRESS))
