from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.test import TestCase
from django.utils.timezone import now

from accounts.models import Account
from campaigns.models import Campaign, Suppression
from delivery import strikes
from delivery.bounces import Failure
from delivery.models import Bounce, Lease, Message, Strike
from delivery.outcomes import Outcome
from delivery.smtp import Reply
from mailsales import ledger
from mailsales.reasons import Reason
from tests.delivery.sending import SendingTestCase, refuse
from tests.make import make_campaign, make_contact, make_list, make_message

ADDRESS = "hanako.sato@example.jp"
FULL = "452 4.2.2 mailbox full"


def failed(reason: Reason, *, is_hard: bool = False, text: str = "552 5.2.2 mailbox full") -> Failure:
    return Failure(ADDRESS, reason, is_hard, "5.2.2", 552, text)


class StrikeTestCase(TestCase):
    address = ADDRESS

    def setUp(self) -> None:
        self.account = Account.objects.create(name="株式会社青葉商店")
        self.list = make_list(self.account)
        self.contact = make_contact(self.account, self.list, address=self.address)
        self.message = self.sent()

    def sent(self, days_ago: int = 0, *, bounced: bool = True) -> Message:
        """Make a message that was accepted so long ago, and came back unless told otherwise."""
        campaign = make_campaign(self.account, list=self.list)
        at = now() - timedelta(days=days_ago)
        message = make_message(campaign, self.contact, status=Message.Status.SENT, closed_at=at)
        if bounced:
            ids = {"account_id": self.account.pk, "campaign_id": campaign.pk, "message_id": message.pk}
            Bounce.objects.create(**ids, is_hard=False, reason=Reason.MAILBOX_FULL)
        return message

    def strike(self, *days_ago: int) -> None:
        for days in days_ago:
            self.strike_on(datetime.now(UTC).date() - timedelta(days=days))

    def strike_on(self, on: date) -> None:
        values = {"account": self.account, "address": self.address, "reason": Reason.SUSPENDED}
        Strike.objects.create(**values, on=on, message_id=0)

    def take(self, failure: Failure | None = None) -> bool:
        return strikes.take_failure(self.message, failure or failed(Reason.MAILBOX_FULL))


class SoftFailureTest(StrikeTestCase):
    def test_one_is_remembered_and_suppresses_nobody(self) -> None:
        self.assertFalse(self.take())
        found = Strike.objects.get()
        self.assertEqual((found.address, found.on, found.reason), (ADDRESS, datetime.now(UTC).date(), "mailbox_full"))
        self.assertFalse(Suppression.objects.exists())

    def test_the_fifth_day_suppresses_for_a_time(self) -> None:
        self.strike(4, 9, 15, 29)
        self.assertTrue(self.take())
        found = Suppression.objects.get()
        assert found.retry_at
        self.assertEqual((found.reason, found.address), ("mailbox_full", ADDRESS))
        self.assertEqual((found.retry_at.date() - datetime.now(UTC).date()).days, 90)

    def test_the_evidence_is_the_last_reply_and_the_days(self) -> None:
        self.strike(4, 9, 15, 29)
        self.take()
        evidence = Suppression.objects.get().evidence
        self.assertEqual(evidence["text"], "552 5.2.2 mailbox full")
        self.assertEqual((evidence["campaign"], evidence["list"]), (self.message.campaign.name, self.list.name))
        self.assertEqual((len(evidence["days"]), evidence["days"][-1]), (5, str(datetime.now(UTC).date())))

    def test_a_day_counts_once(self) -> None:
        self.strike(1, 2, 3)
        for message in (self.message, self.sent(), self.sent()):
            self.assertFalse(strikes.take_failure(message, failed(Reason.MAILBOX_FULL)))
        self.assertEqual(Strike.objects.count(), 4)

    def test_a_message_counts_once(self) -> None:
        self.take()
        Strike.objects.update(on=datetime.now(UTC).date() - timedelta(days=1))
        self.take()
        self.assertEqual(Strike.objects.count(), 1)

    def test_days_before_the_window_do_not_count(self) -> None:
        self.strike(4, 9, 15, 30)
        self.assertFalse(self.take())

    def test_a_success_between_begins_anew(self) -> None:
        self.strike(4, 9, 15, 29)
        self.sent(days_ago=2, bounced=False)
        self.assertFalse(self.take())

    def test_what_came_back_later_was_no_success(self) -> None:
        self.strike(4, 9, 15, 29)
        self.sent(days_ago=2)
        self.assertTrue(self.take())

    def test_a_success_before_the_first_strike_changes_nothing(self) -> None:
        self.strike(4, 9, 15, 20)
        self.sent(days_ago=21, bounced=False)
        self.assertTrue(self.take())

    def test_the_account_chooses_days_window_and_date(self) -> None:
        Account.objects.update(soft_bounce_days=2, soft_bounce_window=10, retry_days=7)
        self.strike(9)
        self.assertTrue(self.take())
        found = Suppression.objects.get()
        assert found.retry_at
        self.assertEqual((found.retry_at.date() - datetime.now(UTC).date()).days, 7)

    def test_strikes_are_of_one_account(self) -> None:
        other = Account.objects.create(name="有限会社みどり")
        self.strike(4, 9, 15, 29)
        Strike.objects.update(account=other)
        self.assertFalse(self.take())

    def test_reasons_about_the_sender_never_count(self) -> None:
        for reason in Reason:
            if reason.about == "us":
                self.assertFalse(self.take(failed(reason)), reason)
        self.assertFalse(Strike.objects.exists())

    def test_old_strikes_are_forgotten(self) -> None:
        self.strike(1, 90, 91)
        self.assertEqual(strikes.forget(), 1)


class AgainTest(StrikeTestCase):
    def ended(self, days_ago: int, reason: str = "mailbox_full") -> Suppression:
        at = now() - timedelta(days=days_ago)
        return Suppression.objects.create(account=self.account, address=ADDRESS, reason=reason, retry_at=at)

    def test_after_the_date_one_more_is_enough(self) -> None:
        before = self.ended(days_ago=1)
        self.assertTrue(self.take())
        after = Suppression.objects.get()
        self.assertEqual(after.pk, before.pk)
        self.assertTrue(after.retry_at and after.retry_at > now())

    def test_unless_a_mail_has_arrived_since(self) -> None:
        self.ended(days_ago=10)
        self.sent(days_ago=2, bounced=False)
        self.assertFalse(self.take())

    def test_a_reader_s_pause_that_ended_is_no_failure(self) -> None:
        self.ended(days_ago=1, reason="paused")
        self.assertFalse(self.take())

    def test_what_is_for_good_stays(self) -> None:
        self.strike(1, 2, 3, 4)
        Suppression.objects.create(account=self.account, address=ADDRESS, reason=Reason.MANUAL)
        self.assertFalse(self.take())
        self.assertEqual(Suppression.objects.get().reason, Reason.MANUAL)


class HardFailureTest(StrikeTestCase):
    def test_it_suppresses_for_good_at_once(self) -> None:
        self.assertTrue(self.take(failed(Reason.USER_UNKNOWN, is_hard=True)))
        self.assertEqual((Suppression.objects.get().reason, Suppression.objects.get().retry_at), ("user_unknown", None))

    def test_it_replaces_what_would_end(self) -> None:
        at = now() + timedelta(days=30)
        Suppression.objects.create(account=self.account, address=ADDRESS, reason=Reason.PAUSED, retry_at=at)
        self.take(failed(Reason.USER_UNKNOWN, is_hard=True))
        self.assertEqual((Suppression.objects.get().reason, Suppression.objects.get().retry_at), ("user_unknown", None))


class CarrierTest(StrikeTestCase):
    address = "hanako@docomo.ne.jp"

    def test_an_unknown_user_is_suppressed_at_once_even_if_it_is_called_temporary(self) -> None:
        self.assertTrue(self.take(failed(Reason.USER_UNKNOWN, text="450 4.1.1 Unknown user")))
        self.assertIsNone(Suppression.objects.get().retry_at)

    def test_words_that_mean_unknown_or_filter_suppress_at_once_for_a_time(self) -> None:
        self.assertTrue(self.take(failed(Reason.FILTERED, text="550 Unknown user hanako@docomo.ne.jp")))
        found = Suppression.objects.get()
        self.assertEqual(found.reason, Reason.FILTERED)
        self.assertTrue(found.retry_at and found.retry_at > now() + timedelta(days=89))

    def test_a_filter_that_says_so_is_a_strike(self) -> None:
        self.assertFalse(self.take(failed(Reason.FILTERED, text="550 : User unknown")))
        self.assertEqual(Strike.objects.get().reason, Reason.FILTERED)


class OutcomesTest(TestCase):
    def kept(self, reason: Reason, reply: Reply | None, *, is_hard: bool = False) -> list[str]:
        """Return the reasons that would be held against the recipient."""
        outcome = Outcome(1, 1, Message.Status.BOUNCED, reason, reply=reply, is_hard=is_hard)
        found = strikes.soft_ones([outcome])
        return found["reasons"] if found else []

    def test_an_expired_message_says_why_it_was_put_off(self) -> None:
        self.assertEqual(self.kept(Reason.EXPIRED, Reply(452, "4.2.2 mailbox full", "rcpt", "mx")), ["mailbox_full"])

    def test_what_is_hard_or_about_the_sender_is_no_strike(self) -> None:
        said = Reply(550, "5.7.1 blocked", "rcpt", "mx")
        self.assertEqual(self.kept(Reason.BLOCKED, said), [])
        self.assertEqual(self.kept(Reason.EXPIRED, Reply(451, "4.7.1 Greylisted", "rcpt", "mx")), [])
        self.assertEqual(self.kept(Reason.USER_UNKNOWN, said, is_hard=True), [])

    def test_without_a_server_s_word_nobody_is_blamed(self) -> None:
        for reply in (None, Reply(0, "timed out", "connect", "mx"), Reply(451, "4.4.3 no answer", "connect", "dns")):
            self.assertEqual(self.kept(Reason.EXPIRED, reply), [])


class WorkerStrikesTest(SendingTestCase):
    readers = 5

    def test_what_expires_at_a_full_mailbox_is_a_strike_of_the_day_of_the_claim(self) -> None:
        self.expire(FULL)
        found = Strike.objects.get()
        self.assertEqual((found.address, found.message_id), (self.message(3).address, self.message(3).pk))
        self.assertEqual((found.reason, found.text), ("mailbox_full", FULL[4:]))

    def test_the_fifth_suppresses(self) -> None:
        self.strike_before()
        self.expire(FULL)
        found = Suppression.objects.get()
        self.assertEqual((found.reason, len(found.evidence["days"])), ("mailbox_full", 5))
        self.assertIsNotNone(found.retry_at)

    def test_docomo_s_words_are_hard_at_rcpt_and_a_strike_after_data(self) -> None:
        def script(verb: str, argument: str) -> str | None:
            at = {"RCPT": "reader3@", "DOT": "reader4@"}.get(verb, "nobody")
            return "550 Unknown user reader@docomo.ne.jp" if at in argument else None

        self.start(script)
        self.until_sent()
        self.assertEqual([each.address for each in Suppression.objects.all()], [self.message(3).address])
        strike = Strike.objects.get()
        self.assertEqual((strike.address, strike.reason), (self.message(4).address, "filtered"))

    def test_a_refusal_for_the_sender_s_sake_is_none(self) -> None:
        self.start(refuse(3, "550 5.7.1 message content rejected as spam"))
        self.until_sent()
        self.assertEqual((self.message(3).status, Strike.objects.count()), ("bounced", 0))

    def test_a_deferral_that_is_sent_later_is_none(self) -> None:
        self.start(refuse(3, FULL))
        self.until(lambda: self.counts() == {"sent": 4, "deferred": 1})
        self.sink.script = lambda _verb, _argument: None
        Message.objects.filter(status="deferred").update(due_at=now())
        self.until_sent()
        self.assertEqual(Strike.objects.count(), 0)

    def test_it_is_safe_to_tell_twice(self) -> None:
        self.strike_before()
        self.expire(FULL)
        before = self.everything()
        lease_id = self.message(3).lease_id or 0
        Lease.objects.filter(pk=lease_id).delete()
        Lease.objects.create(pk=lease_id, unsettled=1, message_ids=[], **self.of_lease())
        told = {"ids": [self.message(3).pk], "leases": [lease_id], "reasons": ["mailbox_full"], "texts": ["again"]}
        for _turn in range(2):
            ledger.change("strike", **told)
            ledger.change("let_go", ids=told["ids"])
        self.assertEqual(self.everything(), before)

    def expire(self, reply: str) -> None:
        """Send, with one reader whose server says so until the campaign ends."""
        self.start(refuse(3, reply))
        Campaign.objects.filter(pk=self.campaign.pk).update(expires_at=now() + timedelta(minutes=5))
        self.until_sent()
        self.assertEqual(self.message(3).reason, "expired")

    def strike_before(self) -> None:
        today, address = datetime.now(UTC).date(), "reader3@host3.example"
        for days in range(1, 5):
            values = {"account": self.account, "address": address, "on": today - timedelta(days=days)}
            Strike.objects.create(**values, reason=Reason.MAILBOX_FULL, message_id=0)

    def of_lease(self) -> dict[str, int]:
        return {"account_id": self.account.pk, "campaign_id": self.campaign.pk, "generation_id": self.generation()}

    def generation(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM generation")
            return int(cursor.fetchone()[0])

    def everything(self) -> list[object]:
        return [list(Strike.objects.order_by("pk").values_list()), list(Suppression.objects.values_list())]
