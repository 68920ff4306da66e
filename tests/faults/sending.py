"""A campaign through the installation, from the button to its end, into a sink of its own."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeVar
from unittest import TestCase

import pytest
from django.db import OperationalError, connection

from accounts.models import Account, Domain
from campaigns.models import Campaign, MailingList
from delivery import models
from delivery.certificates import server_context
from mailsales import ledger, vault
from tests.delivery.sending import sink_thread
from tests.faults import checker, deaths, installation
from tests.faults.checker import Picture, ask
from tests.faults.deaths import Stock
from tests.faults.installation import Installation
from tests.faults.pace import PATIENCE
from tests.faults.sink import LoggingSink
from tests.ledger.sessions import make_readers
from tests.make import make_campaign, make_sender

T = TypeVar("T")
LOOK_SECONDS, TICK_SECONDS = 0.02, 0.1
HTML = (
    "<p>{{ name }}様、新茶が届きました。"
    + "<p>今年の一番茶です。" * 40
    + '<a href="https://aoba.example.jp/tea">こちら</a></p>'
)
ADDRESS = "京都府京都市中京区青葉町1-2-3"


class Campaigning:
    """One campaign to a list of its own, through a sink of its own."""

    def __init__(self, installation: Installation, sink: LoggingSink, readers: int, tls: str) -> None:
        self.installation, self.sink = installation, sink
        Domain.objects.update(proven_at=None)  # the account before held the same domain
        self.account = Account.objects.create(
            name="株式会社青葉商店",
            postal_address=ADDRESS,
            complaint_address="support@aoba.example.jp",
            sealed_route=vault.seal(f"smtp://127.0.0.1:{sink.port}?tls={tls}"),
            fault_percent=100,  # no campaign stops by itself, whatever the receiver says
        )
        self.list: MailingList = make_readers(self.account, readers)
        self.campaign: Campaign = make_campaign(
            self.account, list=self.list, sender=make_sender(self.account), html=HTML
        )

    def start(self) -> None:
        assert self.campaign.schedule(None)
        self.installation.ring("delivery.tick")  # beat does so too, within a second

    @property
    def status(self) -> str:
        self.campaign.refresh_from_db()
        return self.campaign.status

    def counts(self) -> dict[str, int]:
        return dict(ask("SELECT status, count(*) FROM message WHERE campaign_id = %s GROUP BY 1", self.campaign.pk))

    def is_ended(self) -> bool:
        self.campaign.refresh_from_db()
        return self.campaign.closed_at is not None

    def until(self, look: Callable[[], T], *, seconds: float = PATIENCE) -> T:
        """Look until there is something to see, and return it."""
        until = time.monotonic() + seconds
        while not (seen := look()):
            assert time.monotonic() < until, f"{self.status} {self.counts()}, {self.sink.count} accepted"
            time.sleep(LOOK_SECONDS)
        return seen

    def until_accepted(self, more: int) -> None:
        """Wait until so many more were accepted."""
        enough = self.sink.count + more
        self.until(lambda: self.sink.count >= enough)

    def until_ended(self) -> None:
        """Wait for the end, and look for it more often than beat does."""
        self.until(self.is_over)

    def is_over(self) -> bool:
        if not self.counts().keys() & checker.OPEN:
            self.installation.ring("delivery.tick")
            time.sleep(TICK_SECONDS)
        return self.is_ended()

    def let_lanes_ring(self) -> None:
        """Have the tick ring at once the lanes that died: as if they had been silent for longer."""
        ask_nothing("UPDATE lane SET rung_at = now() - interval '6 s' WHERE campaign_id = %s", self.campaign.pk)

    def let_time_pass(self) -> None:
        """Make due what waits for its next try, and forget what held a destination back."""
        ask_nothing("UPDATE throttle SET until = now() WHERE until > now()")
        ask_nothing("UPDATE message SET due_at = now() WHERE campaign_id = %s AND due_at > now()", self.campaign.pk)

    def picture(self) -> Picture:
        return checker.take_picture(self.campaign.pk, self.list.pk, self.sink.copies())


def ask_nothing(text: str, *values: int | str | datetime) -> None:
    """Change rows, again when the engine's own statements crossed it: theirs are run again, too."""
    for _turn in range(ledger.TRIES):
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, values)
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, ledger.CROSSED):
                raise
    raise AssertionError(f"crossed {ledger.TRIES} times: {text}")


@pytest.mark.faults
class FaultTestCase(TestCase, ABC):
    """One scenario a class, played once in `play`; each test asks one question about it."""

    installation: ClassVar[Installation]
    readers: ClassVar[int]
    tls: ClassVar[str] = "none"
    sending: ClassVar[Campaigning]
    picture: ClassVar[Picture]
    stocks: ClassVar[list[Stock]]
    may_be_unknown: ClassVar[set[int]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.installation = installation.current()
        cls.addClassCleanup(cls.clear)
        cls.installation.start_workers()
        models.Installation.objects.update_or_create(pk=1, defaults={"held_at": None})
        folder = Path(cls.enterClassContext(TemporaryDirectory()))
        sink = cls.enterClassContext(sink_thread(cls.make_sink(folder)))
        assert isinstance(sink, LoggingSink)
        cls.sending = Campaigning(cls.installation, sink, cls.readers, cls.tls)
        cls.stocks, cls.may_be_unknown = [], set()
        cls.play()
        cls.sending.until_ended()
        cls.picture = cls.sending.picture()

    @classmethod
    def make_sink(cls, folder: Path) -> LoggingSink:
        context = None if cls.tls == "none" else server_context(folder)
        return LoggingSink(log=folder / "accepted", tls=context)

    @classmethod
    @abstractmethod
    def play(cls) -> None:
        """Send the campaign, and break something."""

    @classmethod
    def clear(cls) -> None:
        """Leave no trap, and nobody who stands in one; nor a campaign that others would have to wait for."""
        (cls.installation.traps / "trap").unlink(missing_ok=True)
        for pid in [int(path.name.removeprefix("sprung-")) for path in cls.installation.traps.glob("sprung-*")]:
            deaths.kill_at_once(pid)
        if hasattr(cls, "sending"):
            cls.sending.campaign.cancel()

    def check(self) -> None:
        """Ask the receiver's log and the ledger all questions."""
        self.assertEqual(checker.faults(self.picture, may_be_unknown=self.may_be_unknown), [])

    # -- killing ---------------------------------------------------------------------------------

    @classmethod
    def kill(cls, pid: int) -> Stock:
        """Kill a process that stands still, and remember what it left."""
        stock = deaths.kill(cls.installation, pid)
        cls.stocks.append(stock)
        cls.may_be_unknown |= stock.doubtful
        cls.sending.let_lanes_ring()
        return stock

    @classmethod
    def kill_at(cls, point: str, *, nth: int = 1) -> Stock:
        """Kill the process that passes the point for the nth time."""
        deaths.lay_trap(cls.installation, point, cls.sending.sink.log, nth=nth)
        if point == "burial":  # somebody has to be buried
            cls.kill(cls.freeze_one())
        return cls.kill(cls.sending.until(lambda: deaths.sprung(cls.installation)) or 0)

    @classmethod
    def freeze_one(cls) -> int:
        """Freeze one of the processes that have something in their hands, at any instant, and return its pid."""
        pid: int = random.choice(cls.sending.until(cls.busy))
        deaths.stop(pid)
        return pid

    @classmethod
    def busy(cls) -> list[int]:
        """Return the processes with a lease on the campaign."""
        rows = ask(
            """SELECT DISTINCT g.pid FROM lease l JOIN generation g ON g.id = l.generation_id
            WHERE l.campaign_id = %s AND l.unsettled > 0 AND g.closed_at IS NULL""",
            cls.sending.campaign.pk,
        )
        there = set(cls.installation.children())
        return [pid for (pid,) in rows if pid in there]

    def became(self, ids: set[int]) -> set[str]:
        """Return the statuses that these messages have in the end."""
        return {row.status for row in self.picture.rows if row.id in ids}
