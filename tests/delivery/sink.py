"""A raw SMTP server inside the test: it says what a script tells it, when it tells it, and remembers what it accepted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import cast

from delivery.smtp import Reply, Transaction

GOOD = {"greeting": "220 sink", "EHLO": "250 sink", "MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on"}
GOOD |= {"DOT": "250 2.0.0 queued", "RSET": "250 2.0.0 ok", "QUIT": "221 2.0.0 bye", "STARTTLS": "220 go on"}


@dataclass
class Sink:
    """`script(verb, argument)` returns the reply, None for the good one, or a word: drop, bye, silence, keep (accept,
    then drop), half (the good reply broken off in its middle, then drop). `delay` says how many seconds a reply takes,
    `patience` how many a silence lasts until it hangs up. The argument of DATA and DOT is the recipient.
    """

    script: Callable[[str, str], str | None] = lambda _verb, _argument: None
    delay: Callable[[str, str], float] = lambda _verb, _argument: 0.0
    patience: float | None = None
    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME")
    tls: ssl.SSLContext | None = None
    opens_data_always: bool = False
    reads_slowly: bool = False
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    flights: list[bytes] = field(default_factory=list)  # what came in one piece
    sessions: int = 0
    port: int = 0
    host: str = "127.0.0.1"

    async def __aenter__(self) -> Sink:
        self.open: set[SinkSession] = set()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SinkSession(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for session in list(self.open):
            session.transport.abort()

    def accept(self, recipient: str, body: bytes) -> None:
        """Take responsibility for a message, before its reply."""
        self.accepted.append((recipient, body))


class SinkSession(asyncio.Protocol):
    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.partial = b""
        self.is_shaking = self.is_mute = False
        self.late = 0.0  # seconds that the next reply takes
        self.is_late = False  # what comes meanwhile waits in `partial`
        self.forget()

    def forget(self) -> None:
        self.sender: str | None = None
        self.recipient: str | None = None
        self.body: list[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.tcp = self.transport = cast(asyncio.Transport, transport)
        self.sink.sessions += 1
        self.sink.open.add(self)
        self.answer("greeting", "")
        if self.sink.reads_slowly:
            self.tcp.pause_reading()
            self.breathe()

    def breathe(self) -> None:
        """Read for one turn of the loop, then pause again."""
        if not self.tcp.is_closing():
            self.tcp.resume_reading()
            asyncio.get_running_loop().call_later(0.002, self.tcp.pause_reading)
            asyncio.get_running_loop().call_later(0.004, self.breathe)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open.discard(self)

    def data_received(self, data: bytes) -> None:
        if self.is_shaking or self.is_late:  # the first words over TLS, before its transport is known
            self.partial += data
            return
        self.sink.flights.append(data)
        *lines, self.partial = (self.partial + data).split(b"\r\n")
        for at, line in enumerate(lines):
            if self.transport.is_closing() or self.is_mute:
                return
            if self.is_late:
                self.partial = b"\r\n".join([*lines[at:], self.partial])
                return
            if self.body is None:
                self.command(line.decode("utf-8", "replace"))
            elif line == b".":
                self.dot(b"".join(one + b"\r\n" for one in self.body))
            else:
                self.body.append(line)

    def command(self, line: str) -> None:
        verb, _blank, argument = line.partition(" ")
        self.sink.verbs.append(verb)
        if verb == "MAIL" and self.sender is not None:
            self.sink.faults.append("nested MAIL")
        if verb == "RCPT" and self.sender is None:
            self.send("503 5.5.1 need MAIL")
        elif verb == "DATA" and self.recipient is None and not self.sink.opens_data_always:
            self.send("503 5.5.1 need RCPT")
        else:
            code = self.answer(verb, argument if verb != "DATA" else self.recipient or "")
            self.obey(verb, argument, code)

    def obey(self, verb: str, argument: str, code: str) -> None:
        if verb == "RSET" or (verb == "EHLO" and code[0] == "2"):
            self.forget()
        elif verb == "MAIL" and code[0] == "2":
            self.sender = argument
        elif verb == "RCPT" and code[0] == "2":
            self.recipient = argument.partition(">")[0].removeprefix("TO:<")
        elif verb == "DATA" and code == "354":
            self.body = []
        elif verb == "STARTTLS" and code == "220" and self.sink.tls:
            self.is_shaking = True
            self.shaking = asyncio.ensure_future(self.shake(self.sink.tls))
        elif verb == "QUIT":
            self.transport.close()

    async def shake(self, context: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(self.transport, self, context, server_side=True)
        except OSError:
            return
        if transport is None:
            return
        self.transport = transport
        self.is_shaking = False
        self.data_received(b"")

    def dot(self, body: bytes) -> None:
        recipient, sender = self.recipient, self.sender
        self.forget()
        if recipient is None:
            self.send("554 5.5.1 no valid recipients")
            if body:
                self.sink.faults.append("a body without recipients")
            return
        said = self.sink.script("DOT", recipient)
        if said in (None, "keep", "half") or (said and said.startswith("2")):
            self.sink.accept(recipient, body)
        if not body or sender is None:
            self.sink.faults.append("an empty message")
        self.late = self.sink.delay("DOT", recipient)
        self.say("DOT", said)

    def answer(self, verb: str, argument: str) -> str:
        self.late = self.sink.delay(verb, argument)
        return self.say(verb, self.sink.script(verb, argument))

    def say(self, verb: str, said: str | None) -> str:
        """Say it; return its code, or three zeros."""
        if said in ("drop", "keep"):
            self.transport.abort()
        elif said == "bye":
            self.transport.close()
        elif said == "silence":
            self.is_mute = True
            if self.sink.patience:
                asyncio.get_running_loop().call_later(self.sink.patience, self.transport.abort)
        elif said == "half":
            good = GOOD[verb].encode()
            self.transport.write(good[: len(good) // 2])
            self.transport.close()
        else:
            text = said or GOOD.get(verb, "500 5.5.2 what")
            if verb == "EHLO" and not said:
                text = "\r\n".join([f"250-{word}" for word in ("sink", *self.extensions())] + ["250 HELP"])
            self.send(text)
            if text.startswith("421"):
                self.transport.close()
            return text[:3]
        return "000"

    def extensions(self) -> Iterable[str]:
        yield from self.sink.extensions
        if self.sink.tls and not self.transport.get_extra_info("ssl_object"):
            yield "STARTTLS"

    def send(self, text: str) -> None:
        late, self.late = self.late, 0.0
        if late:
            self.is_late = True
            asyncio.get_running_loop().call_later(late, self.send_late, text)
        else:
            self.transport.write(text.encode() + b"\r\n")

    def send_late(self, text: str) -> None:
        self.is_late = False
        self.transport.write(text.encode() + b"\r\n")
        self.data_received(b"")


class Letter(Transaction):
    """A transaction that remembers what became of it."""

    def __init__(self, number: int, size: int = 0, *, may_begin: bool = True, may_go: bool = True) -> None:
        self.mail_from = b"b+%d@out.example.jp" % number
        self.recipient = b"%d@example.jp" % number
        self.body = b"Subject: %d\r\n\r\n%b" % (number, b"x" * 76 + b"\r\n") + (b"y" * 76 + b"\r\n") * (size // 78)
        self.may_begin, self.may_go = may_begin, may_go
        self.replies: list[Reply] = []
        self.returns = 0
        self.dots = 0

    def begin(self) -> bool:
        return self.may_begin

    def begin_dot(self) -> bool:
        self.dots += self.may_go
        return self.may_go

    def settle(self, reply: Reply) -> None:
        self.replies.append(reply)

    def returned(self) -> None:
        self.returns += 1

    @property
    def ends(self) -> int:
        return len(self.replies) + self.returns

    @property
    def reply(self) -> Reply:
        assert self.ends == 1 == len(self.replies), (self.replies, self.returns)
        return self.replies[0]
