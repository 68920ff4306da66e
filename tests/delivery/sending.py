"""A worker of this process, a receiving server in a thread, and a campaign between them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from accounts.domains import make_domain
from accounts.models import Account, Sender
from campaigns.models import Campaign
from delivery import queue
from delivery.models import Installation, Message
from delivery.worker import Worker
from mailsales import ledger
from tests.delivery.sink import Sink
from tests.ledger.sessions import make_readers
from tests.make import make_campaign


class SinkThread:
    """A scripted server with a loop of its own. `script` may be changed while it runs."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.sink = Sink()
        asyncio.run_coroutine_threadsafe(self.sink.__aenter__(), self.loop).result()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self.sink.__aexit__(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _body in list(self.sink.accepted)]


class SendingTestCase(TransactionTestCase):
    readers = 40

    def setUp(self) -> None:
        Installation.objects.get_or_create(pk=1)
        self.server = SinkThread()
        self.addCleanup(self.server.stop)
        route = f"smtp://127.0.0.1:{self.server.sink.port}?tls=none"
        self.account = Account.objects.create(name="株式会社青葉商店", postal_address="〒604-0000 京都府", route=route)
        self.list = make_readers(self.account, self.readers)
        domain = make_domain(self.account, "aoba.example.jp")
        self.sender = Sender.objects.create(
            account=self.account, domain=domain, name="青葉商店", address="a@aoba.example.jp"
        )
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.var = Path(folder.name)
        self.is_stopping = False

    def worker(self) -> Worker:
        worker = Worker(self.var, lambda: self.is_stopping)
        worker.start()
        self.addCleanup(self.end, worker)
        return worker

    @staticmethod
    def end(worker: Worker) -> None:
        if not worker.is_over:
            worker.stop(1)

    def started(self, **fields: Any) -> Campaign:
        """Return a campaign whose messages wait for a lane."""
        campaign = make_campaign(self.account, list=self.list, sender=self.sender, **fields)
        self.assertTrue(campaign.schedule(None))
        queue.tick()
        while queue.fan_out(campaign.pk):
            pass
        campaign.refresh_from_db()
        return campaign

    def lane(self, worker: Worker, campaign: Campaign, slot: int = 1) -> None:
        """Run a lane until nothing is due, and wait until everything is recorded."""
        epoch: int | None = self.epoch(campaign, slot)
        while epoch is not None:
            epoch = worker.run_lane(campaign.pk, slot, epoch)
        self.wait_until(lambda: not Message.objects.filter(campaign=campaign, status="sending").exists())

    def epoch(self, campaign: Campaign, slot: int = 1) -> int:
        return int(next(epoch for _campaign, number, epoch in queue.lanes_of(campaign.pk) if number == slot))

    def wait_until(self, is_true: Callable[[], bool], seconds: float = 15.0) -> None:
        until = time.monotonic() + seconds
        while not is_true():
            self.assertLess(time.monotonic(), until, "It did not come to that in time.")
            time.sleep(0.02)

    def counts(self, campaign: Campaign) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT status, count(*) FROM message WHERE campaign_id = %s GROUP BY 1", [campaign.pk])
            return dict(cursor.fetchall())

    def tallied(self, campaign: Campaign) -> dict[str, int]:
        sums: dict[str, int] = {}
        for _destination, status, n in ledger.execute("progress", campaign=campaign.pk):
            sums[status] = sums.get(status, 0) + int(n)
        waiting = sums.pop("all", 0) - sum(sums.values())
        return {status: n for status, n in {**sums, "queued": waiting}.items() if n}
