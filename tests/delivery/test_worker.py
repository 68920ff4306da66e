from __future__ import annotations

import threading
import time

from campaigns.models import Suppression
from delivery import queue
from delivery.models import Generation, Message, Unsubscribe
from delivery.refusals import unsubscribe
from mailsales.reasons import Reason
from tests.delivery.sending import SendingTestCase


def slowly(verb: str, _argument: str) -> None:
    """Take the mail, but only fifty a second."""
    if verb == "DOT":
        time.sleep(0.02)


class WorkerTestCase(SendingTestCase):
    def test_everybody_gets_one_mail_and_the_campaign_ends(self) -> None:
        campaign = self.started()
        self.lane(self.worker(), campaign)
        self.assertEqual(len(set(self.server.recipients)), self.readers)
        self.assertEqual(len(self.server.recipients), self.readers)
        self.assertEqual(self.counts(campaign), {"sent": self.readers})
        self.assertEqual(self.tallied(campaign), {"sent": self.readers})
        self.assertTrue(queue.finish(campaign.pk))

    def test_a_dead_address_is_suppressed_and_left_out_next_time(self) -> None:
        self.server.sink.script = lambda verb, said: (
            "550 5.1.1 User unknown" if verb == "RCPT" and "reader7@" in said else None
        )
        campaign = self.started()
        worker = self.worker()
        self.lane(worker, campaign)
        suppression = Suppression.objects.get()
        self.assertEqual((suppression.address.partition("@")[0], suppression.reason), ("reader7", Reason.USER_UNKNOWN))
        self.assertEqual(suppression.evidence["text"], "5.1.1 User unknown")
        self.assertEqual(self.counts(campaign), {"sent": self.readers - 1, "bounced": 1})
        second = self.started()
        self.assertEqual(self.counts(second), {"queued": self.readers - 1})

    def test_what_was_turned_away_waits_for_its_next_try(self) -> None:
        self.server.sink.script = lambda verb, _said: "451 4.3.0 Try again later" if verb == "RCPT" else None
        campaign = self.started()
        self.lane(self.worker(), campaign)
        self.assertEqual(self.counts(campaign), {"deferred": self.readers})
        waits = [
            message.due_at - message.campaign.send_at
            for message in Message.objects.select_related("campaign")
            if message.due_at and message.campaign.send_at
        ]
        self.assertTrue(all(12 < wait.total_seconds() / 60 < 18 for wait in waits))
        self.assertFalse(queue.finish(campaign.pk))

    def test_a_lost_reply_is_unknown_until_a_person_decides(self) -> None:
        dots = iter(["keep"])
        self.server.sink.script = lambda verb, _said: next(dots, None) if verb == "DOT" else None
        campaign = self.started()
        worker = self.worker()
        self.lane(worker, campaign)
        self.assertEqual(self.counts(campaign), {"sent": self.readers - 1, "unknown": 1})
        seen_at = Message.objects.latest("closed_at").closed_at
        assert seen_at
        self.assertEqual(queue.resend(campaign, seen_at), 1)
        self.assertEqual(queue.resend(campaign, seen_at), 0)
        self.lane(worker, campaign)
        self.assertEqual(self.counts(campaign), {"sent": self.readers})
        self.assertEqual(len(self.server.recipients), self.readers + 1)

    def test_a_server_that_is_away_defers(self) -> None:
        self.server.sink.script = lambda verb, _said: "drop" if verb == "greeting" else None
        campaign = self.started()
        self.lane(self.worker(), campaign)
        self.assertEqual(self.counts(campaign), {"deferred": self.readers})

    def test_stopping_gives_back_what_has_no_dot(self) -> None:
        self.server.sink.script = slowly
        campaign = self.started()
        worker = self.worker()
        worker.run_lane(campaign.pk, 1, self.epoch(campaign))
        worker.stop(3)
        counts = self.counts(campaign)
        self.assertLessEqual(set(counts), {"sent", "queued"})
        self.assertEqual(counts.get("sent", 0), len(self.server.recipients))
        self.assertEqual(Generation.objects.get().closed_by, "worker")
        self.assertEqual(list((self.var / "journal").iterdir()), [])

    def test_a_copy_of_a_task_does_nothing(self) -> None:
        campaign = self.started()
        worker, epoch = self.worker(), self.epoch(campaign)
        worker.run_lane(campaign.pk, 1, epoch)
        self.assertIsNone(worker.run_lane(campaign.pk, 1, epoch))


class StoppedInTimeTestCase(SendingTestCase):
    readers = 300

    def test_a_pause_holds_within_two_seconds_and_resuming_sends_the_rest(self) -> None:
        self.server.sink.script = slowly
        campaign = self.started()
        worker = self.worker()
        lane = threading.Thread(target=worker.run_lane, args=(campaign.pk, 1, self.epoch(campaign)))
        lane.start()
        self.wait_until(lambda: len(self.server.recipients) > 10)
        self.assertTrue(campaign.pause())
        time.sleep(2)
        at_pause = len(self.server.recipients)
        lane.join()
        time.sleep(1)
        self.assertEqual(len(self.server.recipients), at_pause)
        self.assertLess(at_pause, self.readers)
        self.server.sink.script = lambda _verb, _said: None
        self.assertTrue(campaign.resume())
        self.lane(worker, campaign)
        self.assertEqual(self.counts(campaign), {"sent": self.readers})
        self.assertEqual(len(self.server.recipients), self.readers)

    def test_who_unsubscribes_after_the_claim_gets_nothing(self) -> None:
        self.server.sink.script = slowly
        campaign = self.started()
        worker = self.worker()
        lane = threading.Thread(target=worker.run_lane, args=(campaign.pk, 1, self.epoch(campaign)))
        lane.start()
        self.wait_until(lambda: len(self.server.recipients) > 10)
        last = Message.objects.filter(campaign=campaign).select_related("campaign__list").latest("pk")
        unsubscribe(last, Unsubscribe.How.ONE_CLICK)
        lane.join()
        self.lane(worker, campaign)
        self.assertNotIn(last.address, self.server.recipients)
        self.assertEqual(self.counts(campaign), {"sent": self.readers - 1, "suppressed": 1})

    def test_cancelling_leaves_the_rest_cancelled(self) -> None:
        self.server.sink.script = slowly
        campaign = self.started()
        worker = self.worker()
        lane = threading.Thread(target=worker.run_lane, args=(campaign.pk, 1, self.epoch(campaign)))
        lane.start()
        self.wait_until(lambda: len(self.server.recipients) > 10)
        self.assertTrue(campaign.cancel())
        lane.join()
        self.wait_until(lambda: not Message.objects.filter(status="sending").exists())
        queue.tick()
        counts = self.counts(campaign)
        self.assertEqual(set(counts), {"sent", "cancelled"})
        self.assertEqual(counts["sent"], len(self.server.recipients))
        self.assertEqual(self.tallied(campaign), counts)
