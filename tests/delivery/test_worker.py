from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from urllib.parse import urlsplit

from django.db import connection
from django.utils.timezone import now

from campaigns.models import Campaign, Contact, Subscription, Suppression
from delivery import queue, shaping
from delivery.models import Attempt, Generation, Link, Message
from mailsales import ledger
from tests.delivery.sending import SendingTestCase, refuse, slow

VICTIM = """
import sys, django
django.setup()
from pathlib import Path
from delivery.worker import Worker
worker = Worker(Path(sys.argv[1]), lambda: False)
worker.start()
worker.run_lane(*map(int, sys.argv[2:5]))
while True:
    worker.run_lane(int(sys.argv[2]), 1, -1)
"""


class SendingTest(SendingTestCase):
    def test_everybody_gets_one_mail(self) -> None:
        self.start()
        self.until_sent()
        everybody = sorted(Message.objects.values_list("address", flat=True))
        self.assertEqual((len(everybody), self.accepted()), (self.readers, everybody))
        self.assertEqual(self.counts(), {"sent": self.readers})
        self.assertEqual(self.sink.faults, [])

    def test_the_ledger_tells_it(self) -> None:
        self.start()
        self.until_sent()
        self.assertEqual(self.tallied(), self.counts())
        self.assertEqual(Attempt.objects.filter(code=250, command="dot").count(), self.readers)
        self.assertTrue(Link.objects.of(self.account).filter(campaign=self.campaign).exists())
        self.assertEqual(set(Message.objects.values_list("tries", flat=True)), {1})

    def test_a_mail_that_cannot_be_composed_keeps_none_of_its_neighbours(self) -> None:
        Contact.objects.of(self.account).filter(address__startswith="reader3@").update(address="花子@example.jp")
        self.start()
        self.until_sent()
        self.assertEqual(self.counts(), {"sent": self.readers - 1, "bounced": 1})
        self.assertEqual(Message.objects.get(status="bounced").reason, "syntax")

    def test_a_temporary_refusal_is_tried_again(self) -> None:
        self.start(refuse(3, "450 4.2.0 later"))
        self.until(lambda: self.counts() == {"sent": self.readers - 1, "deferred": 1})
        waiting = self.message(3)
        assert waiting.due_at
        self.assertTrue(timedelta(minutes=12) < waiting.due_at - now() < timedelta(minutes=18))
        self.sink.script = lambda _verb, _argument: None
        Message.objects.filter(pk=waiting.pk).update(due_at=now())
        self.until_sent()
        self.assertEqual([each.code for each in Attempt.objects.filter(message=waiting).order_by("at")], [450, 250])
        self.assertEqual(self.tallied(), {"sent": self.readers})

    def test_what_cannot_be_tried_in_time_expires(self) -> None:
        self.start(refuse(3, "450 4.2.0 later"))
        Campaign.objects.filter(pk=self.campaign.pk).update(expires_at=now() + timedelta(minutes=5))
        self.until_sent()
        self.assertEqual((self.message(3).status, self.message(3).reason), ("bounced", "expired"))

    def test_a_dead_address_is_suppressed_with_its_evidence(self) -> None:
        self.start(refuse(3, "550 5.1.1 no such user"))
        self.until_sent()
        self.assertEqual((self.message(3).status, self.message(3).reason), ("bounced", "user_unknown"))
        found = Suppression.objects.get(account=self.account, address=self.message(3).address)
        self.assertIn("no such user", found.evidence["text"])

    def test_a_connection_lost_after_the_dot_is_unknown_until_a_person_decides(self) -> None:
        self.start(refuse(3, "keep", "DOT"))
        self.until_sent()
        self.assertEqual((self.message(3).status, self.message(3).reason), ("unknown", "no_reply"))
        self.sink.script = lambda _verb, _argument: None
        seen_at = now()
        self.assertEqual([queue.resend(self.campaign, seen_at), queue.resend(self.campaign, seen_at)], [1, 0])
        self.until_sent()
        self.assertEqual(self.accepted().count(self.message(3).address), 2)
        self.assertEqual(self.tallied(), {"sent": self.readers})

    def test_what_reaches_no_server_waits(self) -> None:
        self.account.route = "smtp://127.0.0.1:9?tls=none"
        self.account.save()
        self.start()
        self.until(lambda: self.counts() == {"deferred": self.readers})
        self.assertEqual({each.reason for each in Message.objects.all()}, {"network_error"})


class StopsTest(SendingTestCase):
    readers = 250

    def seen_within_two_seconds(self) -> int:
        """Return how many were sent two seconds later, and see that there are no more."""
        time.sleep(2)
        n = len(self.sink.accepted)
        time.sleep(0.7)
        self.assertEqual(len(self.sink.accepted), n)
        return n

    def test_pause_and_resume(self) -> None:
        self.start(slow)
        self.run_beside()
        self.until_accepted(5)
        self.assertTrue(self.campaign.pause())
        self.assertLess(self.seen_within_two_seconds(), self.readers)
        self.until(lambda: set(self.counts()) == {"sent", "queued"}, runs=False)
        self.sink.script = lambda _verb, _argument: None
        self.assertTrue(self.campaign.resume())
        self.until_sent()
        self.assertEqual(len(set(self.accepted())), len(self.accepted()))

    def test_cancel(self) -> None:
        self.start(slow)
        self.run_beside()
        self.until_accepted(5)
        self.assertTrue(self.campaign.cancel())
        sent = self.seen_within_two_seconds()
        self.until(lambda: self.status() == "cancelled" and self.campaign.closed_at is not None, runs=False)
        self.assertEqual(self.counts(), {"sent": sent, "cancelled": self.readers - sent})
        self.assertEqual(self.tallied(), self.counts())

    def test_who_unsubscribes_after_the_claim_gets_nothing(self) -> None:
        self.start(slow)
        self.run_beside()
        self.until_accepted(1)
        last = Message.objects.filter(status="sending").order_by("id").last()
        assert last
        left = {"status": Subscription.Status.UNSUBSCRIBED, "unsubscribed_at": now()}
        Subscription.objects.filter(contact=last.contact_id).update(**left)
        self.until_sent()
        self.assertNotIn(last.address, self.accepted())
        self.assertEqual(self.message_status(last), "suppressed")

    def message_status(self, message: Message) -> str:
        message.refresh_from_db()
        return message.status

    def test_a_stopped_process_gives_back_and_closes(self) -> None:
        self.start(slow)
        self.run_beside()
        self.until_accepted(5)
        self.is_stopping = True
        self.worker.stop(5)
        self.assertEqual(set(self.counts()), {"sent", "queued"})
        self.assertEqual(self.counts()["sent"], len(self.sink.accepted))
        self.assertEqual(Generation.objects.get().closed_by, "worker")
        self.assertEqual(list((self.var / "journal").iterdir()), [])


class FaultsTest(SendingTestCase):
    readers = 250

    def test_a_lost_database_connection_loses_and_doubles_nothing(self) -> None:
        self.start(slow)
        for n in (5, 60, 120):
            self.run_beside()
            self.until(lambda n=n: len(self.sink.accepted) >= n)  # type: ignore[misc]
            with connection.cursor() as cursor:
                cursor.execute(
                    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'"""
                )
        self.until_sent()
        self.assertEqual((self.counts(), len(self.sink.accepted)), ({"sent": self.readers}, self.readers))
        self.assertEqual(self.tallied(), {"sent": self.readers})

    def test_a_claim_whose_answer_was_lost_is_given_back(self) -> None:
        self.start()
        floor = {"floor_due": "2000-01-01T00:00:00Z", "floor_id": 0}
        generation = Generation.objects.get().pk
        ledger.execute("claim", campaign=self.campaign.pk, generation=generation, limit=10, **floor)
        self.assertEqual(self.counts()["sending"], 10)
        self.until(lambda: "sending" not in self.counts(), runs=False)
        self.until_sent()
        self.assertEqual(len(self.sink.accepted), self.readers)

    def test_a_worker_whose_generation_was_closed_sends_no_more(self) -> None:
        self.start(slow)
        self.run_beside()
        self.until_accepted(5)
        ledger.change("close_generation", generation=Generation.objects.get().pk, who="sweeper")
        self.until(lambda: self.worker.is_over, runs=False)
        queue.sweep()
        self.until_sent(self.make_worker())
        self.assertEqual(len(set(self.accepted())), len(self.accepted()))
        self.assertEqual(self.tallied(), self.counts())

    def test_a_killed_process_is_settled_from_its_journal(self) -> None:
        self.worker.stop(1)
        self.start(slow)
        victim = self.run_victim()
        self.until_accepted(20)
        victim.kill()
        victim.wait()
        self.until_sent(self.make_worker())
        copies = self.accepted()
        self.assertEqual(len(set(copies)), len(copies))
        unknown = self.counts().pop("unknown", 0)
        self.assertLessEqual(unknown, shaping.load().limits("relay").connections)
        self.assertEqual(self.counts()["sent"] + unknown, self.readers)

    def run_victim(self) -> subprocess.Popen[bytes]:
        """Send from another process."""
        here = urlsplit(os.environ["DATABASE_URL"])
        url = here._replace(path="/" + str(connection.settings_dict["NAME"])).geturl()
        lane = queue.lanes_of(self.campaign.pk)[0]
        command = [sys.executable, "-c", VICTIM, str(self.var), *map(str, lane)]
        victim = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
        self.addCleanup(victim.wait)
        self.addCleanup(victim.kill)
        return victim
