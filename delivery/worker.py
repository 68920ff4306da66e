"""The sending half of a worker process: one event loop in a thread of its own, for the rest of the process's life.

It is one *generation* of the ledger (docs/ledger.md §4): it claims chunks, watches twice a second what must not be sent
any more, sends over kept connections, journals, and records. A message that waits ten minutes for its reply outlives the
two-second slice that claimed it. All methods but `start`, `run_lane` and `stop` belong to the event loop.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import uvloop
from django.conf import settings
from django.db import DatabaseError, connection

from delivery import directory, outcomes, renditions, replayer, shaping, strikes, unread_replies
from delivery.claims import Claim, Dater, Guard, clock
from delivery.dispatch import Dispatcher
from delivery.journal import Journal, JournalBroken, boot_id
from delivery.outcomes import Outcome
from delivery.renditions import Loaded
from delivery.shares import Shares
from delivery.tls_memory import TlsMemory
from mailsales.ledger import Ledger, Row

T = TypeVar("T")
logger = logging.getLogger(__name__)

CHUNK = 500  # messages of one claim
SLICE_SECONDS = 0.5  # of a lane: then the next one has its turn, of whatever campaign
ROOM_SECONDS = 0.02  # between two looks whether more may be claimed
WATCH_SECONDS = 0.5
GO_SECONDS = 1.5
RECORD_SECONDS = 0.5
RECORD_CHUNK = 500
REPLAY_SECONDS = 5.0
LISTEN_SECONDS = 0.1
FEED_SECONDS = 0.25
RECONNECT_SECONDS = 0.5
COUNT_SECONDS = 10.0
KEPT_CAMPAIGNS = 64
FRESH_SECONDS = 60.0  # after which a campaign's route and keys are looked up again
OPEN_FILES = 4_096
PROCESSES = "SELECT count(*) FROM generation WHERE closed_at IS NULL AND beat_at > now() - interval '1 minute'"
START: tuple[datetime, int] = (datetime(2000, 1, 1, tzinfo=UTC), 0)


class Worker:
    """One life of one process. Once `is_over`, a new one must be made: its generation was closed by somebody else."""

    def __init__(self, var: Path, is_stopping: Callable[[], bool]) -> None:
        self.is_over = False
        self._is_stopping = is_stopping
        self._root = var / "journal"
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sending", daemon=True)
        self._ledger = Ledger(server())
        self._turn = asyncio.Lock()  # a watch never looks while a claim is in doubt
        self._pen = asyncio.Lock()  # one record at a time
        self._guard = Guard()
        self._dater = Dater()
        self._journal: Journal
        self._generation_id = 0
        self._dispatcher: Dispatcher
        self._processes = 1  # that send, in the whole installation
        self._claims: dict[int, Claim] = {}  # by lease, until all is recorded
        self._unrecorded: dict[int, int] = {}  # by lease: how many messages
        self._results: list[Outcome] = []
        self._is_full = asyncio.Event()
        self._floors: dict[int, tuple[datetime, int]] = {}
        self._loaded: OrderedDict[int, tuple[Loaded, float]] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []

    # -- called by the thread of the tasks -------------------------------------------------------

    def start(self) -> None:
        """Open the generation; raise psycopg.OperationalError when the database is away."""
        self._thread.start()
        try:
            self._do(self._open()).result()
        except BaseException:
            self._do(self._ledger.close()).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self.is_over = True
            raise

    def run_lane(self, campaign_id: int, slot: int, epoch: int) -> int | None:
        """Work on the campaign for a slice; return the epoch to ring next, or None when there is nothing to do.

        None too when the database is away: the tick rings the lane again.
        """
        try:
            return self._do(self._run_lane(campaign_id, slot, epoch)).result()
        except psycopg.OperationalError as error:
            logger.warning("Lane %s of campaign %s waits: %s", slot, campaign_id, error)
            return None

    def stop(self, seconds: float) -> None:
        """Give back what has no dot, wait so long for replies, record, and close the generation."""
        with suppress(TimeoutError):
            self._do(self._stop(seconds)).result(seconds + 5)
        self.is_over = True
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    # -- opening and ending ----------------------------------------------------------------------

    async def _open(self) -> None:
        await self._ledger.connect()
        self._root.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self._root)
        here = {"host": socket.gethostname(), "boot": boot_id(), "pid": os.getpid()}
        ((self._generation_id,),) = await self._ledger.execute("open_generation", **here)
        self._journal.begin(self._generation_id)
        allow_files(OPEN_FILES)
        self._dispatcher = self._make_dispatcher()
        await self._dispatcher.begin()
        await self._watch()
        ours = (
            self._keep_watching,
            self._keep_recording,
            self._keep_replaying,
            self._keep_listening,
            self._keep_counting,
        )
        for work in (*ours, self._keep_feeding, self._dispatcher.keep_sharing, self._dispatcher.keep_tending):
            self._tasks.append(self._loop.create_task(work()))

    def _make_dispatcher(self) -> Dispatcher:
        run = self._ledger.query
        table = shaping.load(settings.SHAPING_FILE)
        memory = TlsMemory(run)
        shares = Shares(settings.REDIS_URL, f"{socket.gethostname()}:{self._generation_id}", lambda: self._processes)
        return Dispatcher(run, directory.of_settings(table, memory), table, shares, memory)

    async def _keep_counting(self) -> None:
        """Know how many processes share the limits while Redis is away."""
        while True:
            with suppress(psycopg.Error):
                ((count,),) = await self._ledger.query(PROCESSES, {})
                self._processes = max(1, int(count))
            await asyncio.sleep(COUNT_SECONDS)

    async def _keep_listening(self) -> None:
        """Let no further dot leave once the process is asked to stop; `stop` follows when its task has ended."""
        while not self._is_stopping():
            await asyncio.sleep(LISTEN_SECONDS)
        self._guard.is_shut = True

    async def _stop(self, seconds: float) -> None:
        self._guard.is_shut = True
        await self._dispatcher.abandon(seconds)
        while self._results:
            if not await self._record():
                await asyncio.sleep(RECONNECT_SECONDS)
        for task in self._tasks:
            task.cancel()
        await self._dispatcher.close()
        try:
            await self._ledger.execute("close_generation", generation=self._generation_id, who="worker")
        except psycopg.Error as error:  # everything is recorded; the sweeper closes it
            logger.warning("The generation could not be closed: %s", error)
        await self._ledger.close()
        self._journal.close(remove=True)

    async def _give_up(self, why: str) -> None:
        """Send nothing more: the generation is closed, or the journal broken. What has an answer is offered as evidence."""
        logger.error("Generation %s is over: %s", self._generation_id, why)
        self._guard.is_shut = True
        self.is_over = True
        await self._dispatcher.abandon(settings.STOP_SECONDS)
        while self._results and not await self._record():
            await asyncio.sleep(RECONNECT_SECONDS)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        await self._dispatcher.close()
        await self._ledger.close()
        self._journal.close(remove=False)

    # -- lanes -----------------------------------------------------------------------------------

    async def _run_lane(self, campaign_id: int, slot: int, epoch: int) -> int | None:
        taken = await self._ledger.execute("take_lane", campaign=campaign_id, slot=slot, epoch=epoch)
        if not taken:
            return None
        loaded = await self._load(campaign_id)
        until = clock() + SLICE_SECONDS
        following: int | None = int(taken[0][0])
        while clock() < until and following is not None:
            if not await self._room(until - clock()):
                break
            if not await self._claim(loaded):
                following = None
        return following

    async def _keep_feeding(self) -> None:
        """Claim again what was put off here and is due: its lanes may have fallen silent meanwhile."""
        while True:
            await asyncio.sleep(FEED_SECONDS)
            try:
                for campaign_id in self._dispatcher.due_again() if self._dispatcher.has_room() else ():
                    loaded = await self._load(campaign_id)
                    while self._dispatcher.has_room() and not self._guard.is_shut and await self._claim(loaded):
                        pass
            except (psycopg.Error, DatabaseError) as error:
                logger.warning("What was put off waits for its lanes: %s", error)

    async def _load(self, campaign_id: int) -> Loaded:
        """Return the compiled campaign. The ORM is synchronous, so it works in a thread."""
        loaded, until = self._loaded.get(campaign_id, (None, 0.0))
        if loaded is None or until < clock():
            loaded = await asyncio.to_thread(_load, campaign_id)
            self._loaded[campaign_id] = loaded, clock() + FRESH_SECONDS
            if len(self._loaded) > KEPT_CAMPAIGNS:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(campaign_id)
        return loaded

    async def _room(self, seconds: float) -> bool:
        """Return whether another chunk may be claimed, within so many seconds."""
        until = clock() + seconds
        while not self._dispatcher.has_room():
            if clock() > until or self._guard.is_shut:
                return False
            await asyncio.sleep(ROOM_SECONDS)
        return not self._guard.is_shut

    async def _claim(self, loaded: Loaded) -> bool:
        """Claim a chunk and hand it to the dispatcher; return False when nothing is due.

        Lanes wait for each other here, so whether there is room is asked again.
        """
        async with self._turn:
            if not self._dispatcher.has_room():
                return True
            rows = await self._claim_rows(loaded.campaign_id)
            if not rows:
                return False
            claim = Claim(
                rows,
                loaded,
                self._dispatcher,
                guard=self._guard,
                journal=self._journal,
                dater=self._dater,
                report=self._report,
            )
            self._claims[claim.lease_id] = claim
            self._unrecorded[claim.lease_id] = len(rows)
            claim.begin()
        return True

    async def _claim_rows(self, campaign_id: int) -> list[Row]:
        """Claim from the floor, and where that is short once more from the start (docs/ledger.md §4)."""
        floor = self._floors.get(campaign_id, START)
        rows: list[Row] = []
        for due_at, message_id in dict.fromkeys((floor, START)):
            rows = await self._ledger.execute(
                "claim",
                campaign=campaign_id,
                generation=self._generation_id,
                limit=CHUNK,
                floor_due=due_at,
                floor_id=message_id,
            )
            if rows:
                break
        self._floors[campaign_id] = max(((row[4], row[0]) for row in rows), default=START)
        return rows

    # -- watching --------------------------------------------------------------------------------

    async def _keep_watching(self) -> None:
        while True:
            began = clock()
            try:
                if not await self._watch():
                    await self._give_up("it was closed by somebody else")
                    return
            except psycopg.Error as error:
                await self._reconnect(error)
            await asyncio.sleep(max(0.0, WATCH_SECONDS - (clock() - began)))

    async def _watch(self) -> bool:
        """Beat, and learn what must not be sent; return False when the generation is closed."""
        async with self._turn:
            waiting = [each for claim in self._claims.values() for each in claim.waiting]
            campaigns = {claim.loaded.campaign_id for claim in self._claims.values()}
            asked_at = clock()
            ((is_open, is_held, leases, stopped, barred),) = await self._ledger.execute(
                "watch", generation=self._generation_id, campaigns=list(campaigns), waiting=waiting
            )
            orphans = set(leases) - set(self._unrecorded)
            if orphans:
                await self._return_orphans(orphans)
        if not is_open:
            return False
        self._guard.stopped = campaigns if is_held else set(stopped)
        self._dispatcher.stop(self._guard.stopped)
        self._guard.barred = set(barred)
        self._guard.go_until = asked_at + GO_SECONDS
        self._journal.forget(min(self._unrecorded, default=None))
        return True

    async def _return_orphans(self, orphans: set[int]) -> None:
        """Give back leases whose claim was answered to nobody: the connection broke."""
        for lease_id, message_ids in await self._ledger.execute("leases_of", generation=self._generation_id):
            if lease_id in orphans:
                back = [outcomes.given_back(each, lease_id) for each in message_ids]
                await self._ledger.execute("record", **outcomes.as_arrays(back))

    async def _reconnect(self, error: Exception) -> None:
        logger.warning("The database is away: %s", error)
        while True:
            try:
                async with self._turn:
                    if not self._ledger.is_open:
                        await self._ledger.connect()
                return
            except psycopg.Error:
                await asyncio.sleep(RECONNECT_SECONDS)

    # -- recording -------------------------------------------------------------------------------

    def _report(self, outcome: Outcome) -> None:
        self._results.append(outcome)
        if len(self._results) >= RECORD_CHUNK:
            self._is_full.set()

    async def _keep_recording(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_full.wait(), RECORD_SECONDS)
            self._is_full.clear()
            while self._results and await self._record():
                if len(self._results) < RECORD_CHUNK:
                    break
            if self._journal.is_broken:
                await self._give_up("its journal could not be written")
                return

    async def _record(self) -> bool:
        """Record what is known so far; return False when the database is away: the same is recorded again later."""
        async with self._pen:
            return await self._record_all(self._results[:])

    async def _record_all(self, known: list[Outcome]) -> bool:
        if not known:
            return True
        with suppress(JournalBroken):  # what was heard may be recorded all the same
            self._journal.flush()
        try:
            await strikes.take_outcomes(self._ledger, known)
            recorded = {row[0] for row in await self._ledger.execute("record", **outcomes.as_arrays(known))}
            late = [each for each in known if each.message_id not in recorded and each.is_final]
            if late:
                arrays = outcomes.as_arrays(late)
                del arrays["dues"]
                await self._ledger.execute("evidence", **arrays)
            if unread := unread_replies.found(known, self._address_of):
                await self._ledger.query(unread_replies.COUNT, unread)
        except psycopg.Error as error:
            logger.warning("Nothing can be recorded at the moment: %s", error)
            return False
        del self._results[: len(known)]
        for outcome in known:
            self._forget(outcome.lease_id)
        return True

    def _address_of(self, outcome: Outcome) -> str:
        claim = self._claims.get(outcome.lease_id)
        return claim.address_of(outcome.message_id) if claim else ""

    def _forget(self, lease_id: int) -> None:
        self._unrecorded[lease_id] -= 1
        if not self._unrecorded[lease_id]:
            del self._unrecorded[lease_id]
            if claim := self._claims.pop(lease_id, None):
                claim.messages.clear()  # claim and messages know each other: freed now, not when cycles are looked for

    # -- others' journals ------------------------------------------------------------------------

    async def _keep_replaying(self) -> None:
        """Settle what other processes of this host left behind when they died."""
        while True:
            try:
                await replayer.replay(self._root, self._ledger)
            except Exception as error:  # this worker's own mail goes on, whatever stands in the journals of others
                logger.warning("The journals of dead processes wait: %s", error, exc_info=True)
            await asyncio.sleep(REPLAY_SECONDS)


def server() -> dict[str, Any]:
    """Return where the database is; the rest of Django's parameters are for its own, synchronous cursors.

    A server that is gone without a word is noticed within 20 s.
    """
    ours = {"cursor_factory", "context", "options", "prepare_threshold"}
    given = {name: value for name, value in connection.get_connection_params().items() if name not in ours}
    patience = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 2}
    return {**patience, "tcp_user_timeout": 20_000, **given}


def allow_files(most: int) -> None:
    """Raise the soft limit of open files towards so many: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _load(campaign_id: int) -> Loaded:
    try:
        return renditions.load(campaign_id)
    finally:
        connection.close()


# -- the one of this process -------------------------------------------------------------------


_current: Worker | None = None
_making = threading.Lock()
_is_ending = False


def current(is_stopping: Callable[[], bool]) -> Worker:
    """Return this process's worker; made at the first call, which must come after the fork.

    `is_stopping` is asked ten times a second: once it says so, no further dot leaves.
    """
    global _current
    with _making:
        if _current is None or _current.is_over:
            worker = Worker(settings.VAR, is_stopping)
            worker.start()
            gc.freeze()  # what came with the program stays: looking through it took 80 ms, several times in each campaign
            _current = worker
        return _current


def keep(is_stopping: Callable[[], bool]) -> None:
    """Have a worker in this process from now on, in lanes or not.

    When all that is left of a campaign was claimed by processes that died, nothing is due, so no lane is rung: somebody
    must look for their journals all the same.
    """
    threading.Thread(target=_keep, args=(is_stopping,), name="keeping", daemon=True).start()


def _keep(is_stopping: Callable[[], bool]) -> None:
    while not is_stopping() and not _is_ending:
        try:
            current(is_stopping)
        except (psycopg.Error, OSError) as error:
            logger.warning("This process cannot send yet: %s", error)
        time.sleep(REPLAY_SECONDS)


def stop_current(seconds: float) -> None:
    """End this process's worker in good order, if it has one; no other is made."""
    global _current, _is_ending
    with _making:
        _is_ending = True
        if _current and not _current.is_over:
            began = time.monotonic()
            _current.stop(seconds)
            logger.info("Stopped sending within %.1f s.", time.monotonic() - began)
        _current = None
