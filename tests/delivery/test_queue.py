from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from django.db import connection
from django.utils.timezone import now

from campaigns.models import Campaign, Subscription, Suppression
from delivery import compose, queue, renditions
from delivery.compose import Rendition as Content
from delivery.models import Fanout, Generation, Installation, Lane, Lease, Link, Message, Rendition
from mailsales import ledger
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_message, make_sender

HTML = '<p><a href="https://aoba.example.jp/tea">新茶</a></p>'


class QueueTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.hanako = make_contact(self.account, self.list)
        self.taro = make_contact(self.account, self.list, address="taro@example.jp")
        self.campaign = make_campaign(self.account, list=self.list, sender=make_sender(self.account), html=HTML)

    def start(self) -> None:
        self.campaign.schedule(None)
        queue.tick()
        while queue.fan_out(self.campaign.pk):
            pass
        self.campaign.refresh_from_db()

    def status(self) -> str:
        self.campaign.refresh_from_db()
        return self.campaign.status

    def change(self, **fields: object) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(**fields)

    def addresses(self) -> set[str]:
        return set(Message.objects.of(self.account).values_list("address", flat=True))

    def claim(self) -> int:
        """Let a worker of another host claim everything; return its generation."""
        here = {"host": "elsewhere", "boot": "00000000-0000-0000-0000-000000000000", "pid": 1}
        ((generation,),) = ledger.execute("open_generation", **here)
        floor = {"floor_due": "2000-01-01T00:00:00Z", "floor_id": 0}
        ledger.execute("claim", campaign=self.campaign.pk, generation=generation, limit=100, **floor)
        return int(generation)


class StartTest(QueueTestCase):
    def test_it_freezes_what_is_due(self) -> None:
        self.start()
        self.assertEqual(self.campaign.status, Campaign.Status.SENDING)
        frozen = Content.load(Rendition.objects.get(campaign=self.campaign).content)
        self.assertEqual(frozen.campaign_id, self.campaign.pk)
        self.assertEqual(Lane.objects.filter(campaign=self.campaign).count(), queue.LANES)
        self.assertEqual([each.url for each in Link.objects.of(self.account)], ["https://aoba.example.jp/tea"])

    def test_it_leaves_what_is_not_due(self) -> None:
        self.campaign.schedule(now() + timedelta(hours=1))
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.SCHEDULED)

    def test_two_beats_start_it_once(self) -> None:
        self.campaign.schedule(None)
        self.assertEqual([queue.start(self.campaign), queue.start(self.campaign)], [True, False])

    def test_what_was_edited_while_it_was_rendered_does_not_start(self) -> None:
        self.campaign.schedule(None)
        self.change(revision=self.campaign.revision + 1)
        self.assertFalse(queue.start(self.campaign))
        self.assertEqual(self.status(), Campaign.Status.SCHEDULED)

    def test_what_cannot_be_rendered_is_held_and_says_why(self) -> None:
        self.change(subject="{{ name | nonsense }}")
        self.campaign.schedule(None)
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.HELD)
        self.assertIn("nonsense", self.campaign.fault)

    def test_a_wrong_route_holds_it(self) -> None:
        self.account.route = "pigeon"
        self.account.save()
        self.campaign.schedule(None)
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.HELD)

    def test_one_that_breaks_something_stops_no_other(self) -> None:
        other = make_campaign(self.account, list=self.list, sender=self.campaign.sender, subject="二通目")
        self.campaign.schedule(None)
        other.schedule(None)

        broken = patch.object(
            compose, "freeze", side_effect=[RuntimeError, compose.freeze(renditions.content_of(other))]
        )
        with broken, self.assertLogs("delivery.queue", "ERROR"):
            queue.tick()
        other.refresh_from_db()
        self.assertEqual((self.status(), other.status), (Campaign.Status.HELD, Campaign.Status.SENDING))

    def test_release_starts_it_and_forgets_the_fault(self) -> None:
        self.campaign.schedule(None)
        self.change(status=Campaign.Status.HELD, fault="broken")
        self.campaign.refresh_from_db()
        self.assertTrue(self.campaign.release())
        self.assertEqual((self.status(), self.campaign.fault), (Campaign.Status.SCHEDULED, ""))

    def test_what_is_an_hour_late_asks_a_person(self) -> None:
        self.campaign.schedule(None)
        self.change(send_at=now() - timedelta(hours=2))
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.HELD)

    def test_after_an_hour_without_a_tick_what_was_sending_asks_a_person(self) -> None:
        self.start()
        Installation.objects.update(ticked_at=now() - timedelta(hours=2))
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.HELD)
        self.assertTrue(self.campaign.release())
        self.assertEqual(self.status(), Campaign.Status.SENDING)


class FanOutTest(QueueTestCase):
    def test_it_queues_the_confirmed(self) -> None:
        Subscription.objects.filter(contact=self.taro).update(
            status=Subscription.Status.UNSUBSCRIBED, unsubscribed_at=now()
        )
        self.start()
        self.assertEqual(self.addresses(), {self.hanako.address})

    def test_it_leaves_out_the_suppressed(self) -> None:
        Suppression.objects.create(account=self.account, address=self.taro.address, reason="manual")
        Suppression.objects.create(account=self.other_account, address=self.hanako.address, reason="manual")
        self.start()
        self.assertEqual(self.addresses(), {self.hanako.address})

    def test_it_goes_on_where_it_stood(self) -> None:
        with patch.object(queue, "FAN_OUT_SLICE", 1):
            self.start()
        self.assertEqual(len(self.addresses()), 2)
        self.assertIsNotNone(Fanout.objects.get(campaign=self.campaign).done_at)
        self.assertFalse(queue.fan_out(self.campaign.pk))


class EndTest(QueueTestCase):
    def test_it_ends_when_nothing_waits(self) -> None:
        Subscription.objects.all().delete()
        self.start()
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.SENT)
        self.assertIsNotNone(self.campaign.closed_at)

    def test_it_goes_on_while_messages_wait_or_are_leased(self) -> None:
        self.start()
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.SENDING)
        self.claim()
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.SENDING)

    def test_what_is_past_its_time_expires(self) -> None:
        self.start()
        self.change(expires_at=now() - timedelta(seconds=1))
        queue.tick()
        self.assertEqual(self.status(), Campaign.Status.SENT)
        self.assertEqual({(each.status, each.reason) for each in Message.objects.all()}, {("bounced", "expired")})

    def test_a_cancelled_one_is_closed_with_its_messages(self) -> None:
        self.start()
        self.campaign.cancel()
        queue.tick()
        self.assertEqual((self.status(), self.campaign.closed_at is None), (Campaign.Status.CANCELLED, False))
        self.assertEqual(set(Message.objects.values_list("status", flat=True)), {"cancelled"})


class SweepTest(QueueTestCase):
    def test_a_worker_lost_for_long_leaves_unknown(self) -> None:
        self.start()
        generation = Generation.objects.filter(pk=self.claim())
        generation.update(beat_at=now() - timedelta(minutes=16), suspect_at=now() - timedelta(minutes=2))
        queue.sweep()
        self.assertEqual({(each.status, each.reason) for each in Message.objects.all()}, {("unknown", "worker_lost")})
        self.assertEqual((generation.get().closed_by, Lease.objects.count()), ("sweeper", 0))

    def test_one_missing_beat_only_makes_it_suspect(self) -> None:
        self.start()
        generation = Generation.objects.filter(pk=self.claim())
        generation.update(beat_at=now() - timedelta(minutes=16))
        queue.sweep()
        self.assertIsNotNone(generation.get().suspect_at)
        self.assertEqual(set(Message.objects.values_list("status", flat=True)), {"sending"})


class ResendTest(QueueTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.start()
        Message.objects.update(status="unknown", reason="no_reply", due_at=None, closed_at=now())
        self.change(status=Campaign.Status.SENT, closed_at=now())

    def test_it_opens_the_campaign_again(self) -> None:
        self.assertEqual(queue.resend(self.campaign, now()), 2)
        self.assertEqual((self.status(), self.campaign.closed_at), (Campaign.Status.SENDING, None))
        self.assertEqual(set(Message.objects.values_list("status", flat=True)), {"queued"})

    def test_an_older_page_changes_nothing(self) -> None:
        self.assertEqual(queue.resend(self.campaign, now() - timedelta(minutes=1)), 0)

    def test_other_messages_stay(self) -> None:
        carol = make_contact(self.account, address="carol@example.jp")
        sent = make_message(self.campaign, carol, status="sent")
        queue.resend(self.campaign, now())
        sent.refresh_from_db()
        self.assertEqual(sent.status, "sent")


class FoldTest(QueueTestCase):
    def test_the_sums_stay(self) -> None:
        with patch.object(queue, "FAN_OUT_SLICE", 1):
            self.start()
        before = ledger.execute("progress", campaign=self.campaign.pk)
        queue.fold()
        self.assertEqual(ledger.execute("progress", campaign=self.campaign.pk), before)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tally WHERE campaign_id = %s", [self.campaign.pk])
            self.assertEqual(cursor.fetchone(), (1,))


class VerbsTest(QueueTestCase):
    def test_each_happens_once_and_only_from_its_state(self) -> None:
        self.assertFalse(self.campaign.pause())
        self.start()
        said = [self.campaign.pause(), self.campaign.pause(), self.campaign.resume(), self.campaign.resume()]
        self.assertEqual(said, [True, False, True, False])
        self.assertEqual([self.campaign.cancel(), self.campaign.cancel(), self.campaign.resume()], [True, False, False])

    def test_a_pause_does_not_use_up_the_time_to_expiry(self) -> None:
        self.start()
        expires_at = self.campaign.expires_at
        self.campaign.pause()
        self.change(paused_at=now() - timedelta(hours=3))
        self.campaign.resume()
        assert expires_at
        assert self.campaign.expires_at
        self.assertGreater(self.campaign.expires_at - expires_at, timedelta(hours=2))

    def test_what_is_scheduled_is_edited_no_more(self) -> None:
        self.assertTrue(self.campaign.save_content(subject="改"))
        self.assertEqual((self.campaign.subject, self.campaign.revision), ("改", 1))
        self.campaign.schedule(None)
        self.assertFalse(self.campaign.save_content(subject="遅い"))
