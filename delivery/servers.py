"""What our two SMTP servers share: the sandbox and the inbound server (RFC 5321, RFC 2920, RFC 3207).

aiosmtpd does the talking. A mail is answered 250 only after its row is committed; mails that arrive together are
committed together.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax
from django.db import DatabaseError, DataError, InterfaceError, connection

T = TypeVar("T")
R = TypeVar("R")
MOST_AT_ONCE = 200  # items of one commit
MOST_BYTES_AT_ONCE = 16_000_000
BUSY = "451 4.3.0 The mail cannot be stored at the moment, please try again later"
STUCK = "451 4.3.0 That could not be understood, please try again later"
TOO_BIG = "552 5.3.4 The mail is bigger than this server takes"
TOO_LONG = "500 5.6.0 A line of the mail is too long"  # RFC 5321 §4.5.3.1.6
STEP = 65_536  # bytes that are taken at once
UNPARSED = (IndexError, ValueError, AttributeError, TypeError, RecursionError)  # the stdlib on odd addresses
CRLF, END = b"\r\n", b"\r\n.\r\n"
logger = logging.getLogger(__name__)


class Shelf(Generic[T]):
    """Commits items in groups: what arrives while one group is being written waits for the next.

    `save` runs in the shelf's only thread, which owns its database connection.
    """

    def __init__(self, save: Callable[[Sequence[T]], None]) -> None:
        self._save = save
        self._waiting: list[tuple[T, int, asyncio.Future[bool]]] = []
        self._thread = ThreadPoolExecutor(1, "shelf")
        self._writing: asyncio.Task[None] | None = None

    async def put(self, item: T, size: int = 0) -> bool:
        """Return whether the item, of so many bytes, was committed."""
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, size, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await kept

    async def ask(self, question: Callable[[], R]) -> R:
        """Return what a function finds in the database, in the shelf's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)

    async def close(self) -> None:
        """Commit what waits, and let go of the database."""
        if self._writing:
            await self._writing
        await self.ask(lambda: connection.close())
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            group = self._next_group()
            are_kept = await self.ask(partial(self._commit, [item for item, _size, _kept in group]))
            for (_item, _size, kept), is_kept in zip(group, are_kept, strict=True):
                if not kept.done():
                    kept.set_result(is_kept)

    def _next_group(self) -> list[tuple[T, int, asyncio.Future[bool]]]:
        size = count = 0
        for _item, each, _kept in self._waiting[:MOST_AT_ONCE]:
            size += each
            if count and size > MOST_BYTES_AT_ONCE:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    def _commit(self, items: Sequence[T]) -> list[bool]:
        """Return which items were saved. One that the database cannot hold does not keep out the others."""
        try:
            self._save(items)
        except (DataError, ValueError):
            if len(items) > 1:
                return [self._commit([item])[0] for item in items]
            logger.exception("A mail could not be stored as it is; its sender was asked to try again.")
            return [False]
        except (DatabaseError, InterfaceError):
            logger.exception("%s mails could not be stored; their senders were asked to try again.", len(items))
            connection.close()
            return [False] * len(items)
        return [True] * len(items)


class Server(SMTP):
    """aiosmtpd without AUTH, with PIPELINING: it reads line by line from one buffer, and answers in order.

    A mail is read here instead of there, into one buffer: as a list of its lines it takes up to sixty times its size.
    Only CRLF ends a line (RFC 5321 §2.3.8), so that a bare LF can smuggle nothing behind a mail's end (§4.1.1.4).
    """

    def __init__(
        self,
        handler: object,
        *,
        size: int,
        tls: ssl.SSLContext,
        line: int = 1_000,
        name: str = "localhost",
        commands: int | None = None,
    ) -> None:
        """`size` and `line` are in bytes; `commands` is how often each may come in a session."""
        self._size, self._line = size, line
        self.line_length_limit = STEP  # of the reader's buffer; commands have a limit of their own
        super().__init__(
            handler,
            data_size_limit=size,
            enable_SMTPUTF8=True,
            hostname=name,
            ident="Mailsales",
            tls_context=tls,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            command_call_limit=commands,
        )

    @syntax("DATA")
    async def smtp_DATA(self, arg: str | None) -> None:
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        assert envelope is not None
        if not envelope.rcpt_tos:
            await self.push("503 5.5.1 There is no recipient yet")
        elif arg:
            await self.push("501 5.5.4 Syntax: DATA")
        else:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            content, fault = await self._read_mail()
            envelope.content = envelope.original_content = content
            status = fault or await self._call_handler_hook("DATA")
            self.envelope = self._create_envelope()
            self.settled()
            await self.push(status)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        try:
            found: tuple[str | None, str | None] = super()._getaddr(arg)
        except UNPARSED:
            return None, None
        return found

    async def smtp_EXPN(self, arg: str | None) -> None:
        await self.push("502 5.5.1 Lists are not shown")

    def received(self, size: int) -> str:
        """Note that so many bytes of a mail have come; return a reply if it cannot be taken any more."""
        self._reset_timeout()
        return ""

    def settled(self) -> None:
        """Note that the mail was kept or refused, before its sender learns it."""

    async def _read_mail(self) -> tuple[bytes, str]:
        """Return a mail without its transparent dots (RFC 5321 §4.5.2), or the reply that refuses it.

        A line end is put before it, so that a mail of no line ends as any other.
        """
        buffer: bytearray = getattr(self._reader, "_buffer")  # noqa: B009 -- as aiosmtpd does after STARTTLS
        buffer[:0] = CRLF
        mail, fault, size, is_over = bytearray(), "", -len(CRLF), False
        while not is_over:
            try:
                chunk, is_over = await self._reader.readuntil(END), True
            except asyncio.LimitOverrunError as error:
                chunk = await self._reader.read(error.consumed)
            size += len(chunk)
            fault = fault or self.received(len(chunk)) or (TOO_BIG if size > self._size + len(END) else "")
            if fault:
                mail.clear()
            else:
                mail += chunk
        content = bytes(mail[: 2 - len(END)]).replace(b"\r\n.", CRLF)[len(CRLF) :]
        return content, fault or ("" if _has_short_lines(content, self._line) else TOO_LONG)


class Handler:
    """The hooks that both servers need; theirs for RCPT and DATA come in their own modules."""

    async def handle_EHLO(
        self, server: Server, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        kept = [line for line in responses if not line[4:].startswith("AUTH")]
        return [*kept[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", kept[-1]]

    async def handle_VRFY(self, server: Server, session: Session, envelope: Envelope, address: str) -> str:
        return "252 2.5.2 Send a mail to find out"  # RFC 5321 §7.3

    async def handle_exception(self, error: Exception) -> str:
        """Answer what aiosmtpd, or the parser of addresses under it, stumbled over."""
        logger.info("An SMTP session holds what cannot be understood: %r", error)
        return STUCK


def _has_short_lines(content: bytes, most: int) -> bool:
    """Return whether no line is longer than so many bytes, without its end; only CRLF ends one."""
    place = 0
    while len(content) - place > most:
        end = content.rfind(CRLF, place, place + most + len(CRLF))
        if end < 0:
            return False
        place = end + len(CRLF)
    return True


def tls_version(server: Server) -> str:
    """Return the TLS version of the session, or nothing in the clear."""
    secured = server.transport.get_extra_info("ssl_object") if server.transport else None
    return str(secured.version()) if secured else ""


async def serve(handler: object, host: str, port: int, *, size: int, tls: ssl.SSLContext) -> asyncio.Server:
    """Listen, and return the listening server."""
    return await listen(lambda: Server(handler, size=size, tls=tls), host, port)


async def listen(make: Callable[[], Server], host: str, port: int) -> asyncio.Server:
    """Listen, with a server of its own for each connection."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    maker: Callable[[], Any] = make
    return await asyncio.get_running_loop().create_server(maker, host, port)


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
