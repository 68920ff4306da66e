"""A campaign on its whole way: real statements, a real worker with its loop, a real sink; only Celery is left out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from django.db import connection
from django.test import TransactionTestCase

from accounts.models import Account
from campaigns.models import Campaign
from delivery import queue
from delivery.models import Installation, Message
from delivery.worker import Worker
from mailsales import ledger, vault
from tests.delivery.sink import Sink
from tests.ledger.sessions import make_readers
from tests.make import make_campaign, make_sender

PATIENCE = 40.0  # seconds, for busy machines
Script = Callable[[str, str], str | None]
Server = TypeVar("Server", bound=AbstractAsyncContextManager[Any])


@contextmanager
def sink_thread(sink: Server) -> Iterator[Server]:
    """Run the sink, or another server, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(sink.__aenter__(), loop).result()
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(sink.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class SendingTestCase(TransactionTestCase):
    readers = 20

    def setUp(self) -> None:
        Installation.objects.update_or_create(pk=1, defaults={"held_at": None})
        self.var = Path(self.enterContext(TemporaryDirectory()))
        self.sink = self.enterContext(sink_thread(Sink()))
        self.account = Account.objects.create(
            name="株式会社青葉商店",
            postal_address="京都府京都市中京区青葉町1-2-3",
            complaint_address="support@aoba.example.jp",
            sealed_route=vault.seal(f"smtp://127.0.0.1:{self.sink.port}?tls=none"),
        )
        self.list = make_readers(self.account, self.readers)
        html = '<p>新茶は<a href="https://aoba.example.jp/tea">こちら</a></p>'
        self.campaign = make_campaign(self.account, list=self.list, sender=make_sender(self.account), html=html)
        self.is_stopping = False
        self.worker = self.make_worker()

    def make_worker(self) -> Worker:
        worker = Worker(self.var, lambda: self.is_stopping)
        worker.start()
        self.addCleanup(self.end, worker)
        return worker

    def end(self, worker: Worker) -> None:
        if not worker.is_over:
            worker.stop(1)

    def start(self, script: Script | None = None) -> None:
        """Send now; the whole list is queued, and nothing sent yet."""
        if script:
            self.sink.script = script
        self.assertTrue(self.campaign.schedule(None))
        queue.tick()
        while queue.fan_out(self.campaign.pk):
            pass

    def run_lanes(self, worker: Worker | None = None) -> None:
        """Give each lane a slice."""
        for campaign_id, slot, epoch in queue.lanes_of(self.campaign.pk):
            (worker or self.worker).run_lane(campaign_id, slot, epoch)

    def until(self, is_so: Callable[[], bool], *, runs: bool = True, worker: Worker | None = None) -> None:
        """Tick, and let lanes run, until it is so."""
        until = time.monotonic() + PATIENCE
        while not is_so():
            self.assertLess(time.monotonic(), until, self.counts())
            if runs:
                self.run_lanes(worker)
            queue.tick()
            time.sleep(0.02)

    def until_sent(self, worker: Worker | None = None) -> None:
        self.until(lambda: self.status() == Campaign.Status.SENT, worker=worker)

    def until_accepted(self, n: int) -> None:
        self.until(lambda: len(self.sink.accepted) >= n, runs=False)

    def run_beside(self) -> threading.Thread:
        """Give one lane a slice in a thread."""
        lane = queue.lanes_of(self.campaign.pk)[0]
        thread = threading.Thread(target=self.worker.run_lane, args=lane)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def status(self) -> str:
        self.campaign.refresh_from_db()
        return self.campaign.status

    def message(self, number: int) -> Message:
        return Message.objects.get(campaign=self.campaign, address__startswith=f"reader{number}@")

    def counts(self) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT status, count(*) FROM message WHERE campaign_id = %s GROUP BY 1", [self.campaign.pk])
            return dict(cursor.fetchall())

    def tallied(self) -> dict[str, int]:
        """Return what the tally says, as a count by status."""
        sums: dict[str, int] = {}
        for _destination, status, n in ledger.execute("progress", campaign=self.campaign.pk):
            sums[status] = sums.get(status, 0) + int(n)
        waiting = sums.pop("all", 0) - sum(sums.values())
        return {status: n for status, n in {**sums, "queued": waiting}.items() if n}

    def accepted(self) -> list[str]:
        return sorted(recipient for recipient, _body in self.sink.accepted)


def refuse(number: int, reply: str, verb: str = "RCPT") -> Script:
    """Return a script that answers so to one reader."""
    return lambda said, argument: reply if said == verb and f"reader{number}@" in argument else None


def slow(verb: str, argument: str) -> str | None:
    """Take 10 ms for each message."""
    if verb == "DOT":
        time.sleep(0.01)
    return None
