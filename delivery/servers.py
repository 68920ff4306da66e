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
from typing import Any, Generic, TypeVar

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, InterfaceError, connection

T = TypeVar("T")
MOST_AT_ONCE = 200  # rows of one commit
BUSY = "451 4.3.0 The mail cannot be stored at the moment, please try again later"
logger = logging.getLogger(__name__)


class Shelf(Generic[T]):
    """Commits items in groups: what arrives while one group is being written waits for the next.

    `save` runs in the shelf's only thread, which owns its database connection.
    """

    def __init__(self, save: Callable[[Sequence[T]], None]) -> None:
        self._save = save
        self._waiting: list[tuple[T, asyncio.Future[bool]]] = []
        self._thread = ThreadPoolExecutor(1, "shelf")
        self._writing: asyncio.Task[None] | None = None

    async def put(self, item: T) -> bool:
        """Return whether the item was committed."""
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await kept

    async def close(self) -> None:
        """Commit what waits, and let go of the database."""
        if self._writing:
            await self._writing
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: connection.close())
        self._thread.shutdown()

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            items = [item for item, _kept in group]
            is_kept = await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, items)
            for _item, kept in group:
                if not kept.done():
                    kept.set_result(is_kept)

    def _commit(self, items: Sequence[T]) -> bool:
        try:
            self._save(items)
        except (DatabaseError, InterfaceError):
            logger.exception("%s mails could not be stored; their senders were asked to try again.", len(items))
            connection.close()
            return False
        return True


class Server(SMTP):
    """aiosmtpd without AUTH, with PIPELINING: it reads line by line from one buffer, and answers in order."""

    def __init__(self, handler: object, *, size: int, tls: ssl.SSLContext) -> None:
        super().__init__(
            handler,
            data_size_limit=size,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="Mailsales",
            tls_context=tls,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
        )


class Handler:
    """The hook that both servers need; theirs for RCPT and DATA come in their own modules."""

    async def handle_EHLO(
        self, server: Server, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        kept = [line for line in responses if not line[4:].startswith("AUTH")]
        return [*kept[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", kept[-1]]


def tls_version(server: Server) -> str:
    """Return the TLS version of the session, or nothing in the clear."""
    secured = server.transport.get_extra_info("ssl_object") if server.transport else None
    return str(secured.version()) if secured else ""


async def serve(handler: object, host: str, port: int, *, size: int, tls: ssl.SSLContext) -> asyncio.Server:
    """Listen, and return the listening server."""
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    make: Callable[[], Any] = lambda: Server(handler, size=size, tls=tls)  # noqa: E731
    return await asyncio.get_running_loop().create_server(make, host, port)


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
