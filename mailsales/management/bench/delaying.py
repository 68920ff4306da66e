"""A network between here and there: a process that passes bytes on, each way so many seconds later.

It listens at as many loopback addresses as asked for, all at one port, so that each destination of a bench has its own.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import deque
from pathlib import Path
from typing import cast

import uvloop

BACKLOG = 1_024  # hundreds of connections come at once; what finds no place is tried again seconds later


class Way(asyncio.Protocol):
    """One direction's sender: what it receives leaves by `other` after the delay, in order."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.other: Way | None = None
        self.transport: asyncio.Transport | None = None
        self.under_way: deque[tuple[float, bytes | None]] = deque()
        self.loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.send(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.send(None)

    def send(self, data: bytes | None) -> None:
        """Pass it on after the delay; None is the end."""
        if not self.seconds:
            self.arrive(data)
            return
        self.under_way.append((self.loop.time() + self.seconds, data))
        if len(self.under_way) == 1:
            self.loop.call_later(self.seconds, self.arrivals)

    def arrivals(self) -> None:
        now = self.loop.time()
        while self.under_way and self.under_way[0][0] <= now:
            self.arrive(self.under_way.popleft()[1])
        if self.under_way:
            self.loop.call_later(self.under_way[0][0] - now, self.arrivals)

    def arrive(self, data: bytes | None) -> None:
        if self.other is None or self.other.transport is None or self.other.transport.is_closing():
            return
        if data is None:
            self.other.transport.close()
        else:
            self.other.transport.write(data)


class Entrance(Way):
    """The end that is called; it calls the server behind."""

    def __init__(self, seconds: float, port: int) -> None:
        super().__init__(seconds)
        self.port = port
        self.calling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport
        self.transport.pause_reading()
        self.calling = self.loop.create_task(self.call())

    async def call(self) -> None:
        exit_ = Way(self.seconds)
        exit_.other, self.other = self, exit_
        assert self.transport
        try:
            await asyncio.sleep(2 * self.seconds)  # the handshake of TCP
            await self.loop.create_connection(lambda: exit_, "127.0.0.1", self.port)
        except OSError:
            self.transport.close()
            return
        self.transport.resume_reading()


async def serve(port_file: Path, addresses: list[str], listen: int, port: int, seconds: float) -> None:
    """Listen at the addresses (`listen` 0: at any one port) and pass on to `port`."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    make = lambda: Entrance(seconds, port)  # noqa: E731
    first = await loop.create_server(make, addresses[0], listen, backlog=BACKLOG)
    listen = first.sockets[0].getsockname()[1]
    others = await loop.create_server(make, addresses[1:], listen, backlog=BACKLOG) if addresses[1:] else None
    port_file.write_text(str(listen))
    await stop.wait()
    for server in filter(None, (first, others)):
        server.close()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
