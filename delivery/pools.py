"""The pool of connections that a worker process keeps to one site, over many batches.

Its connections pull from one line of waiting transactions (`Turns`). How many there may be, and how fast they go, is
asked of a `Pacing`, which the pools of a destination group share. Hosts are dialled in the order of their preference,
with TLS as their plan says; a failed handshake falls back to the clear only where nothing demands TLS (RFC 7435).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from typing import Protocol

from delivery.connections import Connection
from delivery.sites import Site, Target, Unroutable
from delivery.smtp import ConnectFailure, Reply, Timeouts, Transaction
from delivery.turns import Turns
from mailsales.routes import Route, RouteKind, TLSMode

PATIENCE = 3  # failures in a row, with no connection left, after which the waiting messages are deferred
FIRST_PAUSE = 0.5  # seconds, doubled with each failure
LONGEST_PAUSE = 60.0
MESSAGES_WORTH = 4  # for which a connection with its handshake is worth opening
REMEMBERED = 0.7  # of the rate before: a moving mean over some two seconds


class Pacing(Protocol):
    """What one process may do to a destination group; `delivery/pace.py` shares it with the others."""

    most_messages: int
    most_seconds: float

    def may_open(self) -> bool: ...
    def opened(self) -> None: ...
    def closed(self) -> None: ...
    def take(self) -> float:
        """Return 0.0 and count one message, or the seconds until one may go."""

    def succeeded(self) -> None: ...
    def failed(self, reply: Reply) -> None: ...


class Unshared:
    """The pace of a pool that nobody shares a limit with: so many connections, as fast as they go."""

    most_messages = 1000
    most_seconds = 300.0

    def __init__(self, connections: int) -> None:
        self._left = connections

    def may_open(self) -> bool:
        return self._left > 0

    def opened(self) -> None:
        self._left -= 1

    def closed(self) -> None:
        self._left += 1

    def take(self) -> float:
        return 0.0

    def succeeded(self) -> None: ...
    def failed(self, reply: Reply) -> None: ...


class Slots:
    """How many more connections a process may have, of all its pools together."""

    def __init__(self, most: int) -> None:
        self.left = most


class Notes(Protocol):
    """Who wants to know what pools meet: TLS that failed, sessions that stood (`delivery/tls_policy.py`)."""

    def broken(self, host: str, text: str) -> None: ...
    def note(self, target: Target, failure: ConnectFailure | None, domain: str) -> None: ...


class Pool:
    """All methods belong to the thread of the event loop in which it was made.

    Connections are opened when there is work, and after failures with growing pauses, one first and the others once it
    stands. When `PATIENCE` attempts in a row failed and no connection is left, all that waits is settled with
    what the server or the system said, and `on_trouble` gets it. `on_refusal` gets every refusal that was heard.
    Each connection takes one of the `slots`. `rate` is messages taken a second, lately.
    """

    def __init__(
        self,
        route: Route,
        site: Site,
        pace: Pacing,
        find_targets: Callable[[], Awaitable[list[Target]]],
        *,
        notes: Notes | None = None,
        on_trouble: Callable[[Pool, Reply], None] = lambda _pool, _reply: None,
        on_refusal: Callable[[Pool, Reply], None] = lambda _pool, _reply: None,
        slots: Slots | None = None,
        rate: float = 0.0,
        timeouts: Timeouts | None = None,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self.route = route
        self.site = site
        self.pace = pace
        self.rate = self._starting_rate = rate
        self.settled = False  # a receiver has spoken since the last trouble
        self._find_targets = find_targets
        self._notes = notes
        self._on_trouble = on_trouble
        self._on_refusal = on_refusal
        self._slots = slots or Slots(1_000)
        self._timeouts = timeouts or Timeouts()
        self._first_pause = first_pause
        self._loop = asyncio.get_running_loop()
        self._waiting = Turns()
        self._connections: set[Connection] = set()
        self._openings: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._rests_until = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._taken = 0  # since the rate was last looked at
        self._is_closing = False
        self._all_gone: asyncio.Event = asyncio.Event()

    def __len__(self) -> int:
        """Return how many transactions wait for a connection."""
        return len(self._waiting)

    @property
    def opened(self) -> int:
        """How many connections there are, with those that are being opened."""
        return len(self._connections) + len(self._openings)

    @property
    def wanted(self) -> int:
        """How many connections could work at the moment."""
        busy = sum(not one.is_idle for one in self._connections)
        return len(self._openings) + busy + (self._worth if self._waiting else 0)

    @property
    def _worth(self) -> int:
        """How many connections are worth opening at once for what waits; while it goes on waiting, more follow."""
        return 1 + len(self._waiting) // MESSAGES_WORTH

    @property
    def is_unused(self) -> bool:
        return not self.opened and not self._waiting

    def push(self, transactions: Iterable[Transaction], campaign_id: int = 0) -> None:
        """Queue the transactions. After `close` or `abandon` they are returned at once."""
        self._waiting.add(campaign_id, transactions)
        if self._is_closing:
            self._return(self._waiting.clear())
        else:
            self.feed()

    def feed(self) -> None:
        """Wake idle connections, and open more, as far as there is work for them."""
        for connection in [one for one in self._connections if one.is_idle]:
            if not self._waiting:
                return
            connection.wake()
        if not self._waiting or self._is_closing:
            return
        rest = self._rests_until - self._loop.time()
        if rest > 0:
            self._ring_in(rest)
            return
        most = 1 if self._failures and not self._connections else self._worth
        while len(self._openings) < most and self._slots.left > 0 and self.pace.may_open():
            self.pace.opened()
            self._slots.left -= 1
            self._openings.add(self._loop.create_task(self._open()))

    def cut(self, most: int) -> list[Transaction]:
        """Take out what is too many to wait here, and return it."""
        return self._waiting.cut(most)

    def stop(self, campaign_ids: Collection[int]) -> None:
        """Return what waits of campaigns that were stopped."""
        self._return(self._waiting.drop(campaign_ids))

    def release(self, most: int) -> int:
        """Close so many idle connections, for others to open one; return how many were closed."""
        idle = [one for one in self._connections if one.is_idle][: max(most, 0)]
        for connection in idle:
            connection.close()
        return len(idle)

    def measure(self, seconds: float) -> None:
        """Bring the rate up to date; called every half second or so, `seconds` after the last time.

        A pool with nothing to do is believed to be faster each time, up to what is believed of a new one.
        """
        mean = REMEMBERED * self.rate + (1 - REMEMBERED) * self._taken / seconds
        self.rate = mean if self._waiting else max(mean, self.rate, min(2 * self.rate + 1, self._starting_rate))
        self._taken = 0

    def heard(self, reply: Reply) -> None:
        """Take note of a receiver's word about a message."""
        if reply.is_positive:
            self.pace.succeeded()
        else:
            self._on_refusal(self, reply)

    async def close(self) -> None:
        """Finish what was taken, QUIT, and return what still waits."""
        self._is_closing = True
        self._return(self._waiting.clear())
        for connection in list(self._connections):
            connection.close()
        await self._until_gone()

    async def abandon(self, seconds: float) -> None:
        """Send no further dot; return what has none; wait for replies to dots for at most so many seconds."""
        self._is_closing = True
        self._return(self._waiting.clear())
        for opening in self._openings:
            opening.cancel()
        for connection in list(self._connections):
            connection.abandon(seconds)
        await self._until_gone()

    # -- inside ----------------------------------------------------------------------------------

    async def _until_gone(self) -> None:
        if self._alarm:
            self._alarm.cancel()
        while self._openings or self._connections:
            self._all_gone.clear()
            await self._all_gone.wait()

    async def _open(self) -> None:
        connection, failure = None, None
        try:
            connection = await self._dial()
        except (ConnectFailure, Unroutable) as error:
            failure = error.reply
        finally:
            if opening := asyncio.current_task():
                self._openings.discard(opening)
            if connection is None:
                self._give_up_slot()
            self._all_gone.set()
        if connection is None:
            assert failure
            self._fail(failure)
            return
        self._connections.add(connection)
        connection.run(self._take, put_back=self._put_back, ended=self._ended)
        if self._is_closing:
            connection.close()
        else:
            self.feed()

    async def _dial(self) -> Connection:
        """Return a connection to the best host that answers. Raise what the last one said, or Unroutable."""
        failure: ConnectFailure | None = None
        for target in await self._find_targets():
            try:
                return await self._try(target)
            except ConnectFailure as error:
                failure = error
            if failure.is_tls and target.tls.mode is TLSMode.OPPORTUNISTIC and not target.tls.is_binding:
                if self._notes:
                    self._notes.broken(target.host, failure.reply.text)
                try:
                    return await self._try(replace(target, tls=replace(target.tls, mode=TLSMode.NONE)))
                except ConnectFailure as error:
                    failure = error
        if failure is None:
            raise Unroutable(
                Reply(0, "no mail server has an address that may be used", "connect", self.site.name[:255])
            )
        raise failure

    async def _try(self, target: Target) -> Connection:
        domain = self._waiting.domain if self.route.kind is RouteKind.MX else ""
        connection = Connection(
            target.host,
            target.port,
            address=target.address,
            ehlo_name=self.route.ehlo_name,
            tls=target.tls.mode,
            ssl_context=target.tls.context,
            check=target.tls.check,
            login=target.login,
            timeouts=self._timeouts,
            source_address=self.route.source_address,
            most_messages=self.pace.most_messages,
            most_seconds=self.pace.most_seconds,
        )
        try:
            await connection.connect()
        except ConnectFailure as failure:
            if failure.is_tls and self._notes:
                self._notes.note(target, failure, domain)
            raise
        if self._notes:
            self._notes.note(target, None, domain)
        return connection

    def _take(self) -> Transaction | None:
        if not self._waiting:
            return None
        if seconds := self.pace.take():
            self._ring_in(seconds)
            return None
        self._taken += 1
        return self._waiting.take()

    def _put_back(self, transaction: Transaction) -> None:
        if self._is_closing:
            transaction.returned()
        else:
            self._waiting.put_back(transaction)

    def _ended(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._give_up_slot()
        self._all_gone.set()
        if connection.settled:
            self._failures = 0
            self.settled = True
        if connection.trouble and not connection.settled:
            self._fail(connection.trouble)
            return
        if connection.trouble and connection.trouble.code >= 400:  # 421 after some messages: a hint to go slower
            self.pace.failed(connection.trouble)
            self._on_refusal(self, connection.trouble)
        self._loop.call_soon(self.feed)

    def _give_up_slot(self) -> None:
        self.pace.closed()
        self._slots.left += 1

    def _fail(self, reply: Reply) -> None:
        """Rest after a failure; after too many in a row, with nobody left, have what waits wait for longer."""
        self._failures += 1
        pause = min(self._first_pause * 2 ** min(self._failures - 1, 16), LONGEST_PAUSE)
        self._rests_until = self._loop.time() + pause * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
        self.pace.failed(reply)
        self._on_refusal(self, reply)
        if self._failures >= PATIENCE and not self._connections:
            for transaction in self._waiting.clear():
                transaction.settle(reply.for_the_waiting)
            self._on_trouble(self, reply)
        self.feed()

    def _ring_in(self, seconds: float) -> None:
        if self._alarm is None and not self._is_closing:
            self._alarm = self._loop.call_later(seconds, self._wake_up)

    def _wake_up(self) -> None:
        self._alarm = None
        self.feed()

    @staticmethod
    def _return(transactions: list[Transaction]) -> None:
        for transaction in transactions:
            transaction.returned()
