"""The pool of connections that a worker keeps to one site over many batches."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterable

from delivery.connections import Connection
from delivery.smtp import ConnectFailure, Reply, Timeouts, Transaction, unverified_context, verified_context
from mailsales.routes import Route, TLSMode

PATIENCE = 3  # failures in a row, with no connection left, after which the waiting messages are given back
FIRST_PAUSE = 0.5  # seconds, doubled with each failure
LONGEST_PAUSE = 60.0


class Pool:
    """Up to `size` connections of one route, which pull from one queue of waiting transactions.

    All methods belong to the thread of the event loop in which it was made. Connections are opened when there is work,
    one first and the others once it stands, and again after failures with growing pauses. When `PATIENCE` attempts in a
    row failed and no connection is left, `trouble` holds what the server or the system said and all that waits is
    `returned`: a transaction returned while `trouble` is set should be deferred, any other is simply due again.
    """

    def __init__(
        self,
        route: Route,
        size: int,
        *,
        timeouts: Timeouts | None = None,
        most_messages: int = 1000,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self.route = route
        self.size = size
        self.trouble: Reply | None = None
        self._timeouts = timeouts or Timeouts()
        self._most_messages = most_messages
        self._first_pause = first_pause
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Transaction] = deque()
        self._connections: set[Connection] = set()
        self._openings: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._rests_until = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._is_tls_broken = False
        self._is_closing = False
        self._all_gone: asyncio.Event = asyncio.Event()

    def __len__(self) -> int:
        """Return how many transactions wait for a connection."""
        return len(self._waiting)

    def push(self, transactions: Iterable[Transaction]) -> None:
        """Queue the transactions. After `close` or `abandon` they are returned at once."""
        self._waiting.extend(transactions)
        if self._is_closing:
            self._return_all()
        else:
            self.feed()

    def feed(self) -> None:
        """Wake idle connections, and open more, as far as there is work for them."""
        for connection in [one for one in self._connections if one.is_idle]:
            if not self._waiting:
                return
            connection.wake()
        rest = self._rests_until - self._loop.time()
        if not self._waiting or self._is_closing:
            return
        if rest > 0:
            self._alarm = self._alarm or self._loop.call_later(rest, self._wake_up)
            return
        most = self.size if self._connections else 1
        for _each in range(min(most - len(self._connections) - len(self._openings), len(self._waiting))):
            opening = self._loop.create_task(self._open())
            self._openings.add(opening)

    async def close(self) -> None:
        """Finish what was taken, QUIT, and return what still waits."""
        self._is_closing = True
        self._return_all()
        for connection in list(self._connections):
            connection.close()
        await self._until_gone()

    async def abandon(self, seconds: float) -> None:
        """Send no further dot; return what has none; wait for replies to dots for at most so many seconds."""
        self._is_closing = True
        self.trouble = None
        self._return_all()
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
        route = self.route
        tls = TLSMode.NONE if self._is_tls_broken else route.tls
        connection = Connection(
            route.hops[0].host,
            route.hops[0].port,
            ehlo_name=route.ehlo_name,
            tls=tls,
            ssl_context=verified_context() if route.is_verified else unverified_context(),
            timeouts=self._timeouts,
            source_address=route.source_address,
            most_messages=self._most_messages,
        )
        failure = None
        try:
            await connection.connect()
        except ConnectFailure as error:
            failure = error
        finally:
            opening = asyncio.current_task()
            if opening:
                self._openings.discard(opening)
            self._all_gone.set()
        if failure:
            if failure.is_tls and route.tls is TLSMode.OPPORTUNISTIC:
                self._is_tls_broken = True
            self._fail(failure.reply)
            return
        self.trouble = None
        self._connections.add(connection)
        connection.run(self._take, put_back=self._put_back, ended=self._ended)
        if self._is_closing:
            connection.close()
        else:
            self.feed()

    def _take(self) -> Transaction | None:
        return self._waiting.popleft() if self._waiting else None

    def _put_back(self, transaction: Transaction) -> None:
        if self._is_closing:
            transaction.returned()
        else:
            self._waiting.appendleft(transaction)

    def _ended(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._all_gone.set()
        if connection.settled:
            self._failures = 0
        if connection.trouble and not connection.settled:
            self._fail(connection.trouble)
        else:
            self._loop.call_soon(self.feed)

    def _fail(self, reply: Reply) -> None:
        """Rest after a failure; after too many in a row, with nobody left, return what waits."""
        self._failures += 1
        pause = min(self._first_pause * 2 ** min(self._failures - 1, 16), LONGEST_PAUSE)
        self._rests_until = self._loop.time() + pause * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
        if self._failures >= PATIENCE and not self._connections:
            self.trouble = reply
            self._return_all()
        self.feed()

    def _wake_up(self) -> None:
        self._alarm = None
        self.feed()

    def _return_all(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for transaction in waiting:
            transaction.returned()
