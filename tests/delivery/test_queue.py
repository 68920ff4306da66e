from __future__ import annotations

from datetime import timedelta

from django.utils.timezone import now

from campaigns.models import Campaign, Suppression
from delivery import queue
from delivery.models import Installation, Lane, Link, Message, Rendition
from mailsales.reasons import Reason
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_sender


class QueueTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.sato = make_contact(self.account, self.list)
        self.ito = make_contact(self.account, self.list, address="makoto.ito@example.jp")

    def scheduled(self, **fields: object) -> Campaign:
        sender = make_sender(self.account, name=f"青葉商店 {Campaign.objects.count()}")
        campaign = make_campaign(self.account, list=self.list, sender=sender, **fields)
        campaign.schedule(None)
        return campaign

    def test_a_due_campaign_is_frozen_once(self) -> None:
        campaign = self.scheduled(html='<p><a href="https://example.jp/a">見る</a></p>')
        queue.tick()
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.SENDING)
        self.assertEqual(Rendition.objects.count(), 1)
        self.assertEqual(
            [(link.number, link.url, link.label) for link in Link.objects.all()], [(1, "https://example.jp/a", "見る")]
        )
        self.assertEqual(Lane.objects.filter(campaign=campaign).count(), queue.LANES)

    def test_a_later_edit_cannot_reach_it(self) -> None:
        campaign = self.scheduled()
        queue.tick()
        self.assertFalse(campaign.save_content(subject="別の件名"))

    def test_who_said_no_is_left_out(self) -> None:
        Suppression.objects.create(account=self.account, address=self.ito.address, reason=Reason.MANUAL)
        campaign = self.scheduled()
        queue.tick()
        self.assertFalse(queue.fan_out(campaign.pk))
        self.assertEqual([message.address for message in Message.objects.all()], [self.sato.address])

    def test_a_campaign_that_cannot_be_rendered_is_held_with_the_reason(self) -> None:
        campaign = self.scheduled(html="<p>{{ name | nonsense }}</p>", editor="code")
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.HELD)
        self.assertTrue(campaign.fault)

    def test_a_campaign_an_hour_late_asks_first(self) -> None:
        campaign = self.scheduled()
        Campaign.objects.filter(pk=campaign.pk).update(send_at=now() - timedelta(minutes=61))
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.HELD)
        self.assertTrue(campaign.release())
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.SENDING)

    def test_after_an_outage_what_was_sending_asks_too(self) -> None:
        campaign = self.scheduled()
        queue.tick()
        Installation.objects.update(ticked_at=now() - timedelta(hours=2))
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.HELD)

    def test_nothing_starts_while_the_installation_is_held(self) -> None:
        Installation.objects.update(held_at=now())
        campaign = self.scheduled()
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.SCHEDULED)

    def test_an_empty_list_ends_at_once(self) -> None:
        self.list.subscriptions.all().delete()
        campaign = self.scheduled()
        queue.tick()
        queue.fan_out(campaign.pk)
        queue.tick()
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.SENT)

    def test_what_expires_is_closed(self) -> None:
        campaign = self.scheduled()
        queue.tick()
        queue.fan_out(campaign.pk)
        Campaign.objects.filter(pk=campaign.pk).update(expires_at=now() - timedelta(seconds=1))
        queue.tick()
        self.assertEqual(set(Message.objects.values_list("status", "reason")), {("bounced", "expired")})
