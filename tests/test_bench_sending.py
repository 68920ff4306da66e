from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import TransactionTestCase

from accounts.models import Account, DkimKey
from campaigns.models import Campaign
from delivery import dkim, queue
from delivery.models import Installation, Message
from delivery.worker import Worker
from mailsales.management.bench import fairness, fanout, mailing, sending, signing
from mailsales.management.bench.sink import Received
from mailsales.management.bench.sink_process import BenchFailed, Sink
from mailsales.management.bench.workers import Processes

FINISH = Sink.finish
READERS = 30


@contextmanager
def workers() -> Iterator[Processes]:
    """Work in a thread of this process as beat and the Celery workers do in theirs."""
    is_over = threading.Event()
    with TemporaryDirectory() as folder:
        worker = Worker(Path(folder), is_over.is_set)
        worker.start()
        thread = threading.Thread(target=_work, args=(worker, is_over))
        thread.start()
        try:
            yield Processes([], [])
        finally:
            is_over.set()
            thread.join()
            worker.stop(1)


def _work(worker: Worker, is_over: threading.Event) -> None:
    while not is_over.wait(0.01):
        queue.tick()
        for pk in Campaign.objects.exclude(status=Campaign.Status.DRAFT).values_list("pk", flat=True):
            queue.fan_out(pk)
            for lane in queue.lanes_of(pk):
                worker.run_lane(*lane)
    connection.close()


class BenchTestCase(TransactionTestCase):
    def setUp(self) -> None:
        Installation.objects.update_or_create(pk=1, defaults={"held_at": None})
        for module in (sending, fanout, fairness):
            self.enterContext(patch.object(module, "workers", workers))
        self.enterContext(patch.object(signing, "rsa_bound", lambda: 1_000.0))

    def bench(self, *words: str) -> dict[str, Any]:
        out = StringIO()
        call_command("bench", *words, "--json", stdout=out)
        figures: dict[str, Any] = json.loads(out.getvalue())
        return figures


class BenchSendTest(BenchTestCase):
    def send(self, *words: str) -> dict[str, Any]:
        return self.bench("send", "--recipients", str(READERS), *words)

    def test_it_tells_the_rate_against_the_bound_and_leaves_nothing(self) -> None:
        figures = self.send()
        self.assertEqual(figures["rsa_ratio"], round(figures["messages_per_second"] / 1_000, 3))
        self.assertNotIn("campaign", figures)
        self.assertFalse(Account.objects.filter(name__startswith="bench ").exists())

    def test_a_kept_campaign_is_named_and_stays(self) -> None:
        campaign = Campaign.objects.get(pk=self.send("--keep")["campaign"])
        self.assertEqual(campaign.status, Campaign.Status.SENT)
        self.assertEqual(Message.objects.filter(campaign=campaign, status="sent").count(), READERS)

    def test_a_kept_campaign_is_named_even_if_something_was_lost(self) -> None:
        with patch.object(Sink, "finish", lambda _sink: Received()), self.assertRaisesRegex(CommandError, "is kept"):
            self.send("--keep")
        self.assertTrue(Campaign.objects.filter(name="bench").exists())

    def test_it_signs_with_both_keys_if_told(self) -> None:
        received: list[Received] = []

        def finish(sink: Sink) -> Received | None:
            received.extend(filter(None, [FINISH(sink)]))
            return received[0]

        with patch.object(Sink, "finish", finish):
            self.send("--signatures", "both", "--keep")
        records = {
            (key.selector, key.domain.name): dkim.dns_record("", "", key.algorithm, key.public_key)[1]
            for key in DkimKey.objects.select_related("domain")
        }
        verdicts = dkim.verify(received[0].samples[0].encode(), records)
        self.assertEqual({each.algorithm for each in verdicts if each.is_valid}, {"rsa-sha256", "ed25519-sha256"})


class BenchFanoutTest(BenchTestCase):
    def test_the_page_is_never_in_the_way_and_sees_progress(self) -> None:
        figures = self.bench("fanout", "--recipients", str(READERS))
        self.assertEqual((figures["recipients"], figures["sent_meanwhile"]), (READERS, 0))
        self.assertGreater(figures["page_wait_ms_longest"], 0)
        self.assertFalse(Account.objects.filter(name__startswith="bench ").exists())

    def test_a_campaign_on_hold_ends_the_bench(self) -> None:
        campaign = mailing.make_campaign("smtp://127.0.0.1:1", 1)
        campaign.schedule(None)
        Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.HELD, fault="no reason")
        with self.assertRaisesRegex(BenchFailed, "no reason"):
            mailing.status_of(campaign)


class BenchFairnessTest(BenchTestCase):
    def test_it_times_the_small_campaign_and_ends_the_large_one(self) -> None:
        figures = self.bench("fairness", "--recipients", "400", "--small", "10")
        self.assertGreaterEqual(figures["seconds_to_last"], figures["seconds_to_first"])
        self.assertGreater(figures["seconds_to_first"], 0)
        self.assertFalse(Account.objects.filter(name__startswith="bench ").exists())
