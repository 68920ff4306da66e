from __future__ import annotations

import time
from datetime import timedelta
from unittest.mock import patch

from django.core.cache import cache
from django.utils.timezone import now
from redis.exceptions import ConnectionError as RedisIsAway

from accounts.models import Domain, Notice
from campaigns.models import Campaign
from delivery import domain_holds, queue
from mailsales import doorbell
from tests.accounts.domains import DomainTestCase
from tests.make import make_campaign, make_contact, make_list, make_sender

ROUTE = "smtp://relay.example.jp:25"


class HoldsTest(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.account.route, self.account.language = ROUTE, "en"
        self.account.save()
        self.publish()
        self.recheck()
        mailing_list = make_list(self.account)
        make_contact(self.account, mailing_list)
        self.campaign = make_campaign(self.account, list=mailing_list, sender=make_sender(self.account))
        self.rung = self.enterContext(patch.object(doorbell, "ring", return_value=True))
        self.addCleanup(cache.delete, f"delivery:domain-check:{self.domain.pk}")

    def age(self, minutes: int = 16) -> None:
        """Let the last check be so old."""
        Domain.objects.filter(pk=self.domain.pk).update(checked_at=now() - timedelta(minutes=minutes))

    def tick(self) -> Campaign:
        queue.tick()
        self.campaign.refresh_from_db()
        return self.campaign

    def checks_asked(self) -> int:
        return sum(call.args[0] == domain_holds.TASK for call in self.rung.call_args_list)

    def break_it(self) -> None:
        self.publish("proof")
        self.recheck()

    def test_a_domain_that_was_just_checked_lets_it_start(self) -> None:
        self.campaign.schedule(None)
        self.assertEqual((self.tick().status, self.checks_asked()), (Campaign.Status.SENDING, 0))

    def test_an_old_check_is_made_again_first(self) -> None:
        self.age()
        self.campaign.schedule(None)
        for _second in range(3):
            self.assertEqual(self.tick().status, Campaign.Status.SCHEDULED)
        self.assertEqual(self.checks_asked(), 1)
        domain_holds.check(self.domain.pk)
        self.assertEqual(self.tick().status, Campaign.Status.SENDING)

    def test_a_domain_that_broke_meanwhile_holds_it_and_says_why(self) -> None:
        self.age()
        self.publish("proof")
        self.campaign.schedule(None)
        self.tick()
        domain_holds.check(self.domain.pk)
        campaign = self.tick()
        self.assertEqual(campaign.status, Campaign.Status.HELD)
        self.assertIn("aoba.example.jp cannot send: The proof of ownership is missing.", campaign.fault)

    def test_the_owners_read_which_campaign_waits(self) -> None:
        self.campaign.schedule(None)
        self.break_it()
        self.assertIn(self.campaign.name, Notice.objects.get().text)

    def test_a_check_that_never_comes_back_holds_nothing_for_ever(self) -> None:
        self.age()
        self.campaign.schedule(None)
        self.tick()
        cache.set(f"delivery:domain-check:{self.domain.pk}", time.time() - domain_holds.PATIENCE, timeout=60)
        self.assertEqual(self.tick().status, Campaign.Status.SENDING)

    def test_without_valkey_it_starts(self) -> None:
        self.age()
        self.campaign.schedule(None)
        with patch.object(cache, "add", side_effect=RedisIsAway):
            self.assertEqual(self.tick().status, Campaign.Status.SENDING)

    def test_released_too_early_it_is_held_again_with_the_same_words(self) -> None:
        self.campaign.schedule(None)
        self.break_it()
        fault = self.tick().fault
        self.campaign.release()
        campaign = self.tick()
        self.assertEqual((campaign.status, campaign.fault), (Campaign.Status.HELD, fault))

    def test_released_when_its_dns_is_right_again_it_starts(self) -> None:
        self.campaign.schedule(None)
        self.break_it()
        self.tick()
        self.publish()
        self.age(2)
        self.campaign.release()
        self.assertEqual((self.tick().status, self.checks_asked()), (Campaign.Status.SCHEDULED, 1))
        domain_holds.check(self.domain.pk)
        self.assertEqual(self.tick().status, Campaign.Status.SENDING)

    def test_a_check_that_came_back_can_be_asked_for_again(self) -> None:
        for asked in (1, 2):
            self.age()
            Campaign.objects.filter(pk=self.campaign.pk).update(status=Campaign.Status.SCHEDULED, send_at=now())
            self.tick()
            self.assertEqual(self.checks_asked(), asked)
            domain_holds.check(self.domain.pk)

    def test_what_is_being_sent_pauses_and_goes_on_when_it_is_well(self) -> None:
        self.campaign.schedule(None)
        self.tick()
        self.break_it()
        campaign = self.tick()
        self.assertEqual(campaign.status, Campaign.Status.PAUSED)
        self.assertIn("aoba.example.jp cannot send", campaign.fault)
        campaign.resume()
        self.assertEqual(self.tick().status, Campaign.Status.PAUSED)
        self.publish()
        self.recheck()
        campaign.resume()
        self.assertEqual((self.tick().status, campaign.fault), (Campaign.Status.SENDING, ""))

    def test_the_sandbox_asks_nobody(self) -> None:
        self.account.route = "sandbox"
        self.account.save()
        self.age()
        self.campaign.schedule(None)
        self.assertEqual((self.tick().status, self.checks_asked()), (Campaign.Status.SENDING, 0))

    def test_nor_does_an_unproven_domain_whose_mail_stays_there(self) -> None:
        Domain.objects.filter(pk=self.domain.pk).update(proven_at=None, state=Domain.State.UNPROVEN)
        self.age()
        self.campaign.schedule(None)
        self.assertEqual(self.tick().status, Campaign.Status.SENDING)

    def lose_it(self) -> None:
        Domain.objects.filter(pk=self.domain.pk).update(proven_at=None, state=Domain.State.UNPROVEN)
        Domain.objects.create(account=self.other_account, name="aoba.example.jp", proven_at=now())

    def test_a_domain_that_passed_over_to_another_account_holds_it(self) -> None:
        self.campaign.schedule(None)
        self.lose_it()
        campaign = self.tick()
        self.assertEqual(campaign.status, Campaign.Status.HELD)
        self.assertIn("Another account now holds aoba.example.jp", campaign.fault)

    def test_and_pauses_what_is_being_sent(self) -> None:
        self.campaign.schedule(None)
        self.tick()
        self.lose_it()
        self.assertEqual(self.tick().status, Campaign.Status.PAUSED)

    def test_who_just_checked_is_not_asked_again(self) -> None:
        before = self.domain.checked_at
        domain_holds.check(self.domain.pk)
        self.domain.refresh_from_db()
        self.assertEqual(self.domain.checked_at, before)
