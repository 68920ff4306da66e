"""The inbound server in a thread of the test, and a client that says just what it is told."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from delivery.certificates import server_context
from delivery.inbound.limits import Limits
from delivery.inbound.server import Inbound


class Client:
    """One connection. Replies come as text, the lines of one reply joined."""

    def __init__(self, port: int, *, greets: bool = True) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.greeting = self.read()
        if greets:
            self.say("EHLO client.example")

    def read(self) -> str:
        """Return the next reply, or nothing when the server has hung up."""
        lines = []
        while line := self.file.readline().decode():
            lines.append(line.rstrip())
            if line[3:4] != "-":
                break
        return "\n".join(lines)

    def say(self, line: str | bytes) -> str:
        self.socket.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.read()

    def starttls(self) -> None:
        self.say("STARTTLS")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile("rb")
        self.say("EHLO client.example")

    def rcpt(self, recipient: str) -> str:
        """Return the reply to a recipient, of a new mail from nobody."""
        self.say("RSET")
        self.say("MAIL FROM:<>")
        return self.say(f"RCPT TO:<{recipient}>")

    def send(self, recipient: str, raw: bytes) -> str:
        """Return the last reply to a mail from nobody, or the first that refuses it."""
        reply = self.say("MAIL FROM:<>")
        return self.data(recipient, raw) if reply.startswith("250") else reply

    def data(self, recipient: str | None, raw: bytes) -> str:
        reply = self.say(f"RCPT TO:<{recipient}>") if recipient else "250"
        if not reply.startswith("250"):
            self.say("RSET")
            return reply
        reply = self.say("DATA")
        if not reply.startswith("354"):
            return reply
        self.socket.sendall(raw)
        return self.finish()

    def finish(self) -> str:
        self.socket.sendall(b".\r\n")
        return self.read()

    def close(self) -> None:
        self.file.close()
        self.socket.close()


class Running:
    """The server. `time` is its clock, for rates."""

    def __init__(self, limits: Limits) -> None:
        self.time = 1_000.0
        self.inbound = Inbound(limits, lambda: self.time)
        self.port = 0
        self._clients: list[Client] = []

    def client(self, *, greets: bool = True) -> Client:
        client = Client(self.port, greets=greets)
        self._clients.append(client)
        return client

    def close_clients(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def inbound_running(limits: Limits) -> Iterator[Running]:
    """Run the server on a free port of this machine."""
    loop, running = asyncio.new_event_loop(), Running(limits)
    with TemporaryDirectory() as folder:
        tls = server_context(Path(folder))
    listening = loop.run_until_complete(running.inbound.listen("127.0.0.1", 0, tls))
    running.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.close_clients()
        asyncio.run_coroutine_threadsafe(_end(listening, running.inbound), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


async def _end(listening: asyncio.Server, inbound: Inbound) -> None:
    listening.close()
    await asyncio.sleep(0.01)  # for sessions to see that their clients have gone
    await inbound.close()
