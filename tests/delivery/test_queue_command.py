from __future__ import annotations

from datetime import timedelta
from io import StringIO
from unittest.mock import patch

from django.core.management import CommandError, call_command
from django.utils.timezone import now

from campaigns.models import Campaign, Destination
from delivery import standing, stops
from delivery.models import Attempt, DestinationGroup, Installation, Message, Rendition, Throttle
from mailsales import ledger
from mailsales.reasons import Reason
from tests.delivery.test_queue import QueueTestCase
from tests.make import make_contact

SERVERS = "mx1.example.jp mx2.example.jp"


class QueueCommandTestCase(QueueTestCase):
    """A campaign to two people of example.jp, which has begun."""

    def setUp(self) -> None:
        super().setUp()
        self.start()

    def call(self, *args: str) -> str:
        out = StringIO()
        call_command("queue", *args, stdout=out)
        return out.getvalue()

    def began(self, minutes: int) -> None:
        Rendition.objects.filter(campaign=self.campaign).update(
            frozen_at=now() - timedelta(minutes=minutes, seconds=30)
        )

    def end(self, message: Message, **fields: object) -> None:
        Message.objects.filter(pk=message.pk).update(due_at=None, closed_at=now(), **fields)
        ledger.execute("restore_tally")

    def message(self, address: str) -> Message:
        return Message.objects.get(address=address)


class ShowTest(QueueCommandTestCase):
    def test_it_shows_destinations_by_age(self) -> None:
        self.began(70)
        lines = [line.split() for line in self.call().splitlines()]
        self.assertIn(["T", *standing.HEADINGS], lines)
        self.assertIn(["example.jp", "2", "0", "0", "0", "0", "2", "0", "0", "0", "0", "0"], lines)

    def test_the_oldest_stand_in_the_last_column(self) -> None:
        self.began(1_280)
        self.assertEqual(standing.by_destination()[0].by_age[-1], 2)

    def test_destinations_of_one_group_are_one_row(self) -> None:
        make_contact(self.account, self.list, address="a@docomo.ne.jp")
        DestinationGroup.objects.bulk_create(
            [DestinationGroup(destination=one, group="docomo", site="mx") for one in Destination.objects.all()]
        )
        self.assertEqual([(row.name, row.total) for row in standing.by_destination()], [("docomo", 2)])

    def test_a_long_name_is_shown_in_full_if_everything_is(self) -> None:
        name = " ".join(f"mx{number}.mail.example.jp" for number in range(5))
        destination = Destination.objects.get(name="example.jp")
        DestinationGroup.objects.create(destination=destination, group=name, site=name)
        self.assertNotIn(name, self.call())
        self.assertIn(name, self.call("--all"))

    def test_what_has_ended_does_not_wait(self) -> None:
        self.end(self.message("taro@example.jp"), status="sent")
        self.assertEqual(standing.by_state(), standing.Waiting(1, 0, 0))
        self.assertIn("Waiting: 1 (1 queued, 0 deferred, 0 sending)", self.call())

    def test_what_is_deferred_waits(self) -> None:
        Message.objects.filter(address="taro@example.jp").update(status="deferred", tries=1)
        ledger.execute("restore_tally")
        self.assertEqual(standing.by_state(), standing.Waiting(1, 1, 0))

    def test_what_waits_of_a_closed_campaign_is_not_counted(self) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status="sent", closed_at=now())
        self.assertEqual(standing.by_destination(), [])
        self.assertIn("Waiting: 0", self.call())

    def test_it_shows_who_has_what_in_hand(self) -> None:
        generation = self.claim()
        self.assertEqual(standing.by_state(), standing.Waiting(0, 0, 2))
        (hand,) = standing.leases()
        self.assertEqual((hand.generation, hand.host, hand.unsettled), (generation, "elsewhere", 2))
        self.assertIn("elsewhere", self.call())

    def test_it_says_that_the_installation_is_held(self) -> None:
        self.assertNotIn("on hold", self.call())
        Installation.objects.update(held_at=now())
        self.assertIn("The installation is on hold since", self.call())

    def test_it_shows_the_longest_lines(self) -> None:
        for number in range(25):
            make_contact(self.account, self.list, address=f"a@host{number}.example.jp")
        self.again()
        shown, everything = self.call(), self.call("--all")
        self.assertIn("6 shorter lines", shown)
        self.assertEqual((shown.count("host"), everything.count("host")), (19, 25))

    def again(self) -> None:
        """Start a second campaign to whoever is on the list by now."""
        values = {"account": self.account, "list": self.list, "sender": self.campaign.sender, "html": "<p>新茶</p>"}
        self.campaign = Campaign.objects.create(name="二通目", subject="新茶", **values)
        self.start()


class ListTest(QueueCommandTestCase):
    def test_it_prints_every_message(self) -> None:
        taro = self.message("taro@example.jp")
        for lease, code in ((1, 451), (2, 550)):
            Attempt.objects.create(
                account=self.account, message=taro, lease_id=lease, code=code, command="rcpt", host="mx", text=""
            )
        self.end(taro, status="bounced", reason=Reason.USER_UNKNOWN)
        lines = self.call("list", str(self.campaign.pk)).splitlines()
        self.assertEqual(lines, ["hanako.sato@example.jp\tqueued\t\t", "taro@example.jp\tbounced\tuser_unknown\t550"])

    def test_it_walks_in_batches(self) -> None:
        with patch.object(standing, "BATCH", 1):
            self.assertEqual(len(self.call("list", str(self.campaign.pk)).splitlines()), 2)

    def test_an_unknown_campaign_is_an_error_with_a_hint(self) -> None:
        with self.assertRaisesMessage(CommandError, f"The latest are: {self.campaign.pk} “新茶フェアのご案内”"):
            self.call("list", "999999")


class ResendTest(QueueCommandTestCase):
    def test_it_sends_what_is_unknown_once_more(self) -> None:
        self.end(self.message("taro@example.jp"), status="unknown", reason=Reason.NO_REPLY)
        self.assertIn("1 message is sent once more.", self.call("resend", "--unknown", str(self.campaign.pk)))
        self.assertEqual(self.message("taro@example.jp").status, Message.Status.QUEUED)
        self.assertIn("0 messages", self.call("resend", "--unknown", str(self.campaign.pk)))

    def test_nothing_of_a_cancelled_campaign_is_sent(self) -> None:
        self.end(self.message("taro@example.jp"), status="unknown", reason=Reason.NO_REPLY)
        self.campaign.cancel()
        with self.assertRaisesMessage(CommandError, "is cancelled"):
            self.call("resend", "--unknown", str(self.campaign.pk))
        self.assertEqual(self.message("taro@example.jp").status, Message.Status.UNKNOWN)

    def test_it_must_be_said_what_is_sent_again(self) -> None:
        with self.assertRaises(CommandError):
            self.call("resend", str(self.campaign.pk))


class HoldingTest(QueueCommandTestCase):
    """The campaign goes to the servers of its recipients: docomo's, and those of example.jp alone."""

    def setUp(self) -> None:
        super().setUp()
        self.account.route = "mx"
        self.account.save()
        self.enterContext(patch.object(stops, "NOTICE_SECONDS", 0))
        for name, group, site in (("docomo.ne.jp", "docomo", "mx.docomo.ne.jp"), ("example.jp", SERVERS, SERVERS)):
            destination, _made = Destination.objects.get_or_create(name=name)
            DestinationGroup.objects.create(destination=destination, group=group, site=site)

    def scopes(self) -> list[tuple[str, str]]:
        return sorted(Throttle.objects.active().values_list("route", "scope"))

    def put_off(self, address: str, **fields: object) -> None:
        Message.objects.filter(address=address).update(due_at=now() + timedelta(minutes=40), **fields)

    def is_due(self, address: str) -> bool:
        due_at = self.message(address).due_at
        return due_at is not None and due_at <= now()


class SuspendTest(HoldingTest):
    def test_a_group_is_suspended(self) -> None:
        self.assertIn("docomo by mx", self.call("suspend", "docomo", "--minutes", "30", "--because", "工事"))
        throttle = Throttle.objects.get()
        self.assertEqual((throttle.route, throttle.scope, throttle.rate, throttle.text), ("mx", "docomo", 0, "工事"))
        self.assertAlmostEqual(throttle.until, now() + timedelta(minutes=30), delta=timedelta(seconds=10))
        self.assertEqual(throttle.made_by, Throttle.Maker.PERSON)

    def test_so_is_a_domain_with_servers_of_its_own(self) -> None:
        self.call("suspend", "example.jp")
        self.assertEqual(self.scopes(), [("mx", SERVERS)])

    def test_a_domain_among_others_is_not_suspended_alone(self) -> None:
        other = Destination.objects.create(name="other.example.com")
        DestinationGroup.objects.create(destination=other, group=SERVERS, site=SERVERS)
        with self.assertRaisesMessage(CommandError, "queue suspend 'mx1.example.jp mx2.example.jp'"):
            self.call("suspend", "example.jp")
        with self.assertRaisesMessage(CommandError, "queue suspend docomo"):
            self.call("suspend", "docomo.ne.jp")
        self.assertEqual(self.scopes(), [])

    def test_a_slip_of_the_pen_suspends_nothing(self) -> None:
        with self.assertRaisesMessage(CommandError, "Nothing is called “docmo”. There are the groups docomo, au"):
            self.call("suspend", "docmo")

    def test_a_relay_is_suspended_by_its_name(self) -> None:
        self.account.route = "smtp://relay.example.jp?source=192.0.2.1"
        self.account.save()
        self.call("suspend", "relay relay.example.jp:25")
        self.assertEqual(self.scopes(), [("relay relay.example.jp:25 192.0.2.1", "relay relay.example.jp:25")])

    def test_one_route_of_several_may_be_named(self) -> None:
        self.other_account.route = "mx?source=192.0.2.1"
        self.other_account.save()
        self.call("suspend", "docomo", "--route", "mx 192.0.2.1")
        self.assertEqual(self.scopes(), [("mx 192.0.2.1", "docomo")])
        self.call("suspend", "docomo")
        self.assertEqual(self.scopes(), [("mx", "docomo"), ("mx 192.0.2.1", "docomo")])
        with self.assertRaisesMessage(
            CommandError, "is not reached by the route “mx 192.0.2.9”, but by: mx, mx 192.0.2.1"
        ):
            self.call("suspend", "docomo", "--route", "mx 192.0.2.9")

    def test_minutes_are_a_number(self) -> None:
        for text in ("0", "-1", "soon"):
            with self.assertRaises(CommandError):
                self.call("suspend", "docomo", "--minutes", text)

    def test_it_is_shown_without_anybody_s_name(self) -> None:
        self.assertIn("Held back: nothing", self.call())
        self.call("suspend", "docomo", "--because", "see hanako@example.jp")
        self.assertIn("person", self.call())
        self.assertNotIn("hanako@", self.call())

    def test_what_was_held_back_last_is_shown(self) -> None:
        later = now() + timedelta(hours=1)
        for number in range(22):
            Throttle.objects.create(route="mx", scope=f"mx{number}.example.jp", until=later, made_by="failure")
        self.assertIn("2 that were held back before", self.call())
        self.assertIn("mx0.example.jp", self.call("--all"))


class ResumeTest(HoldingTest):
    def test_what_was_put_off_is_due_now(self) -> None:
        self.call("suspend", "example.jp")
        self.put_off("taro@example.jp")
        self.assertIn("1 message that was put off is due now.", self.call("resume", "example.jp"))
        self.assertEqual((self.scopes(), self.is_due("taro@example.jp")), ([], True))

    def test_what_was_tried_keeps_its_time(self) -> None:
        self.call("suspend", "example.jp")
        self.put_off("taro@example.jp", status="deferred", tries=1)
        self.call("resume", "example.jp")
        self.assertFalse(self.is_due("taro@example.jp"))

    def test_what_waits_for_longer_waits_for_something_else(self) -> None:
        self.call("suspend", "example.jp", "--minutes", "5")
        self.put_off("taro@example.jp")
        self.call("resume", "example.jp")
        self.assertFalse(self.is_due("taro@example.jp"))

    def test_other_destinations_keep_their_time(self) -> None:
        self.call("suspend", "docomo")
        self.put_off("taro@example.jp")
        self.call("resume", "docomo")
        self.assertFalse(self.is_due("taro@example.jp"))

    def test_what_a_reply_held_back_is_resumed_too(self) -> None:
        later = now() + timedelta(hours=1)
        Throttle.objects.create(route="mx", scope="docomo", until=later, code=421, made_by=Throttle.Maker.RULE)
        self.assertIn("docomo by mx is no longer held back.", self.call("resume", "docomo"))
        self.assertEqual(self.scopes(), [])

    def test_doing_it_twice_does_no_harm(self) -> None:
        self.assertIn("Nothing held docomo back.", self.call("resume", "docomo"))
        with self.assertRaisesMessage(CommandError, "Nothing is called “docmo”"):
            self.call("resume", "docmo")

    def test_everything_of_a_relay_is_due_now(self) -> None:
        self.account.route = "smtp://relay.example.jp"
        self.account.save()
        self.call("suspend", "relay relay.example.jp:25")
        self.put_off("taro@example.jp")
        self.call("resume", "relay relay.example.jp:25")
        self.assertTrue(self.is_due("taro@example.jp"))
