"""An SMTP session with one host: opened up to the last EHLO, read line by line, watched by one timer.

RFC 5321 rules greeting, EHLO and the timeouts (§4.5.3.2), RFC 3207 STARTTLS, RFC 8314 TLS from the first byte, RFC 4954
AUTH. What is sent over it and what the replies
mean is the business of `delivery/connections.py`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import cast

from delivery import authentication
from delivery.smtp import (
    LONGEST_TEXT,
    ConnectFailure,
    Reply,
    Timeouts,
    plain_words,
    reply_text,
    unverified_context,
)
from mailsales.routes import Login, TLSMode

SEND_BUFFER = 256 * 1024
READ_SIZE = 16 * 1024
LONGEST_LINE = 8 * 1024  # RFC 5321 §4.5.3.1.5 says 512; some servers do not know
MOST_LINES = 200
CODES = {b"%d" % code: code for code in range(100, 600)}
SURE = (TLSMode.REQUIRED, TLSMode.IMPLICIT)


class Session(asyncio.BufferedProtocol, ABC):
    """One session. `connect` opens it; its end is told to `_let_go`, whoever caused it.

    `host` is the name that TLS asks for (SNI) and that replies carry; `address` what is dialled (empty: the system
    resolves the name). `check` looks at the encrypted session before anything is said in it, and returns what is wrong.
    A `login` needs TLS that proves the host, or ValueError is raised.
    `trouble` is the Reply that ended the session out of turn (None: as planned).
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        ehlo_name: str,
        address: str = "",
        tls: TLSMode = TLSMode.OPPORTUNISTIC,
        ssl_context: ssl.SSLContext | None = None,
        check: Callable[[ssl.SSLObject], str] | None = None,
        login: Login | None = None,
        timeouts: Timeouts | None = None,
        source_address: str | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.tls_version = ""
        self.extensions: dict[str, str] = {}
        self.size_limit = 0  # bytes that a message may have; 0: the server names no limit (RFC 1870 §4)
        self.is_idle = False
        self.is_closed = False
        self.trouble: Reply | None = None
        self._loop = asyncio.get_running_loop()
        self._tcp: asyncio.Transport | None = None
        self._transport: asyncio.Transport  # TLS over it, or itself
        self._ehlo_name = ehlo_name
        self._address = address
        self._tls = tls
        self._ssl_context = ssl_context or unverified_context()
        self._check = check
        self._login = login
        if login and (tls not in SURE or not self._ssl_context.check_hostname):
            raise ValueError("A login goes only to a host that TLS has proven.")
        timeouts = timeouts or Timeouts()
        self._seconds: dict[str, float] = asdict(timeouts) | {"lone": timeouts.dot}
        self._source_address = source_address
        self._waiter: asyncio.Future[Reply] | None = None  # of `connect`, which asks one thing at a time
        self._expected: deque[str] = deque()  # commands whose replies are still to come, in order
        self._is_pipelining = False
        self._is_shaking = tls is TLSMode.IMPLICIT  # nothing may be heard in the clear before the handshake
        self._is_foul = False  # something was
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._partial = b""
        self._lines: list[bytes] = []  # of a reply whose last line is still to come
        self._said: list[bytes] = []  # the whole of the last reply while connecting
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @abstractmethod
    def _hear(self, command: str, code: int, lines: list[bytes]) -> None:
        """Take the reply to a command of the work."""

    @abstractmethod
    def _hear_unasked(self, code: int, lines: list[bytes]) -> None:
        """Take a reply that nothing asked for."""

    @abstractmethod
    def _let_go(self, reply: Reply | None) -> None:
        """Settle or give back what the session still holds; it is closed. `reply` as `trouble`."""

    # -- opening ---------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Open the session up to the last EHLO. Raise ConnectFailure."""
        local = (self._source_address, 0) if self._source_address else None
        try:
            async with asyncio.timeout(self._seconds["connect"]):
                await self._loop.create_connection(
                    lambda: self, self._address or self.host, self.port, local_addr=local
                )
        except OSError as error:  # TimeoutError is one
            raise ConnectFailure(self._silence("connect", plain_words(error))) from error
        except UnicodeError as error:
            raise ConnectFailure(self._silence("connect", "what should be a host name is none")) from error
        try:
            if self._tls is TLSMode.IMPLICIT:
                await self._shake()
            await self._greet()
            if self._tls in (TLSMode.OPPORTUNISTIC, TLSMode.REQUIRED):
                await self._secure()
            if self._login:
                await self._log_in(self._login)
        except BaseException:
            self._end(None)
            raise
        self._watch("idle")

    async def _greet(self) -> None:
        greeting = await self._greeting
        if greeting.code != 220:
            raise ConnectFailure(greeting)
        await self._hello()

    async def _hello(self) -> None:
        self.extensions = {}
        name = self._ehlo_name.encode()
        reply = await self._ask(b"EHLO " + name + b"\r\n", "ehlo")
        if reply.code in (500, 501, 502, 504, 550):  # RFC 5321 §3.2: fall back to HELO
            reply = await self._ask(b"HELO " + name + b"\r\n", "ehlo")
        elif reply.is_positive:
            for line in self._said[1:]:
                keyword, _blank, rest = line.decode("ascii", "replace").strip().partition(" ")
                self.extensions[keyword.upper()] = rest
        if not reply.is_positive:
            raise ConnectFailure(reply)
        self._is_pipelining = "PIPELINING" in self.extensions
        size = self.extensions.get("SIZE", "")
        self.size_limit = int(size) if size.isascii() and size.isdecimal() else 0

    async def _secure(self) -> None:
        is_required = self._tls is TLSMode.REQUIRED
        if "STARTTLS" not in self.extensions:
            if is_required:
                missing = self._silence("starttls", "the server does not offer STARTTLS")
                raise ConnectFailure(missing, is_tls=True, is_unoffered=True)
            return
        reply = await self._ask(b"STARTTLS\r\n", "starttls")
        if reply.code != 220:
            if is_required:
                raise ConnectFailure(reply, is_tls=True, is_unoffered=True)
            return
        await self._shake()
        await self._hello()

    async def _shake(self) -> None:
        """Encrypt the session. What is said in it may be heard before `start_tls` returns."""
        assert self._tcp
        if self._is_foul:  # RFC 3207 §4.2, CVE-2011-0411; not `is_tls`: nobody is to be talked into the clear by it
            raise ConnectFailure(self._silence("starttls", "words in the clear before the handshake"))
        self._is_shaking = False
        try:
            transport = await self._loop.start_tls(
                self._tcp,
                self,
                self._ssl_context,
                server_hostname=self.host,
                ssl_handshake_timeout=self._seconds["starttls"],
            )
        except OSError as error:  # ssl.SSLError is one
            why = str(error) if isinstance(error, ssl.SSLError) else plain_words(error)
            raise ConnectFailure(self._silence("starttls", why), is_tls=True) from error
        if transport is None:
            raise ConnectFailure(self._silence("starttls", "the connection was closed"), is_tls=True)
        self._transport = transport
        session = transport.get_extra_info("ssl_object")
        self.tls_version = session.version()
        if self._check and (fault := self._check(session)):
            raise ConnectFailure(self._silence("starttls", fault), is_tls=True)

    async def _log_in(self, login: Login) -> None:
        lines = authentication.steps(login, self.extensions.get("AUTH", ""))
        if not lines:
            raise ConnectFailure(self._silence("auth", "the server offers neither AUTH PLAIN nor LOGIN"))
        for line in lines:
            reply = await self._ask(line + b"\r\n", "auth")
            if reply.code != 334:
                break
        if reply.code != 235:
            code = reply.code if reply.code >= 400 else 0
            raise ConnectFailure(Reply(code, authentication.without_secrets(reply.text, login), "auth", self.host))

    async def _ask(self, line: bytes, command: str) -> Reply:
        if self.is_closed:
            raise ConnectFailure(self.trouble or self._silence(command, "the connection was closed"))
        reply = self._expect(command)
        self._transport.write(line)
        return await reply

    def _expect(self, command: str) -> asyncio.Future[Reply]:
        self._waiter = self._loop.create_future()
        self._expected.append(command)
        self._watch(command)
        return self._waiter

    # -- reading --------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's own class is not registered as one
        transport.set_write_buffer_limits(high=0)
        if connected := transport.get_extra_info("socket"):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._tcp = self._transport = transport
        self._greeting = self._expect("greeting")  # it may be here before `connect` goes on

    def connection_lost(self, error: Exception | None) -> None:
        is_planned = self.is_idle or self._is_quitting
        self._end(None if is_planned else self._silence(self._awaited, _why(error)))

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read into: without it each read of TLS maps and unmaps 256 KB, for a line or four."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        if self._is_shaking:
            self._is_foul = True
            return
        if self._partial:
            data = self._partial + data
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            code = CODES.get(data[start : start + 3])
            if code is None or len(self._lines) > MOST_LINES:
                self._end(self._silence(self._awaited, "the server answered nonsense"))
                return
            if data[start + 3 : start + 4] == b"-":
                self._lines.append(data[start + 4 : end])
            else:
                lines, self._lines = [*self._lines, data[start + 4 : end]], []
                self._dispatch(code, lines)
            start = end + 1
            if self._is_shaking:
                self._is_foul = start < len(data)
                self._partial = b""
                return
            if self.is_closed:
                return
        if start and self._expected:
            self._watch(self._expected[0])  # once for all replies that came together
        self._partial = data[start:]
        if len(self._partial) > LONGEST_LINE:
            self._end(self._silence(self._awaited, "the server answered a line without end"))

    def _dispatch(self, code: int, lines: list[bytes]) -> None:
        if not self._expected:
            self._hear_unasked(code, lines)
            return
        command = self._expected.popleft()
        if not self._waiter:
            self._hear(command, code, lines)
            return
        self._said = lines
        self._is_shaking = command == "starttls" and code == 220
        waiter, self._waiter = self._waiter, None
        if not waiter.done():
            waiter.set_result(self._reply(code, lines, command))

    # -- ends -----------------------------------------------------------------------------------------

    def _end(self, reply: Reply | None) -> None:
        """Close the connection at once; what it still holds is settled or goes back. None: as planned."""
        if self.is_closed:
            return
        self.is_closed = True
        self.is_idle = False
        self.trouble = reply
        if self._timer:
            self._timer.cancel()
        if self._tcp:
            self._transport.abort()
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(
                ConnectFailure(reply or self._silence(self._awaited, "the connection was closed"))
            )
            self._waiter.exception()  # nobody may be left to hear it
        self._let_go(reply)

    def _watch(self, command: str, seconds: float | None = None) -> None:
        """Give what is awaited its time. One timer a connection, moved only when it would ring too late."""
        self._deadline = self._loop.time() + (self._seconds[command] if seconds is None else seconds)
        if self._timer and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if not self._timer:
            self._timer = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self.is_closed:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._ring)
        elif self.is_idle:
            self.is_idle = False
            self._quit()
        elif self._is_quitting:
            self._end(None)
        else:
            self._end(self._silence(self._awaited, "no reply in time"))

    def _quit(self) -> None:
        self._expected.append("quit")
        self._transport.write(b"QUIT\r\n")
        self._watch("quit")

    @property
    def _is_quitting(self) -> bool:
        return bool(self._expected) and self._expected[0] == "quit"

    @property
    def _awaited(self) -> str:
        """The command that a break would hurt now."""
        return self._expected[0] if self._expected else "mail"

    def _reply(self, code: int, lines: list[bytes], command: str) -> Reply:
        return Reply(code, reply_text(lines), command, self.host)

    def _silence(self, command: str, why: str) -> Reply:
        return Reply(0, why[:LONGEST_TEXT], command, self.host)


def _why(error: Exception | None) -> str:
    if isinstance(error, OSError):
        return plain_words(error)
    return str(error) if error else "the connection was closed"
