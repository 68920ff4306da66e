"""One connection with its letters, and scripts for the server it speaks to."""

from __future__ import annotations

import asyncio
from collections import deque

from delivery.connections import Connection
from delivery.smtp import Timeouts
from mailsales.routes import TLSMode
from tests.delivery.sink import Letter, Sink

QUICK = Timeouts(
    mail=0.2, rcpt=0.2, data=0.2, block=0.2, dot=0.2, rset=0.2, quit=0.2, greeting=0.2, ehlo=0.2, starttls=0.5
)


def scripted(**replies: str):  # type: ignore[no-untyped-def]
    """Return a script that answers the n-th command of a verb as `DOT_2="421 bye"` says, and all others well."""
    counts: dict[str, int] = {}

    def script(verb: str, argument: str) -> str | None:
        counts[verb] = counts.get(verb, 0) + 1
        return replies.get(f"{verb}_{counts[verb]}") or replies.get(verb)

    return script


class Sending:
    """One connection with its letters: `put_back` letters are kept apart."""

    def __init__(self, sink: Sink, letters: list[Letter], **options: object) -> None:
        self.letters = letters
        self.waiting = deque(letters)
        self.back: list[Letter] = []
        self.ended = asyncio.Event()
        options = {"tls": TLSMode.NONE, "timeouts": QUICK} | options
        self.connection = Connection("127.0.0.1", sink.port, ehlo_name="out.example.jp", **options)  # type: ignore[arg-type]

    async def start(self) -> None:
        await self.connection.connect()
        self.connection.run(self.take, put_back=self.back.append, ended=lambda _: self.ended.set())  # type: ignore[arg-type]

    def take(self) -> Letter | None:
        return self.waiting.popleft() if self.waiting else None

    async def all(self) -> None:
        """Send everything and QUIT."""
        await self.start()
        while not self.connection.is_closed and not self.connection.is_idle:
            await asyncio.sleep(0.001)
        self.connection.close()
        await asyncio.wait_for(self.ended.wait(), 5)


async def send(sink: Sink, count: int = 3, **options: object) -> Sending:
    async with sink:
        sending = Sending(sink, [Letter(n) for n in range(count)], **options)
        await sending.all()
    return sending


def codes(sending: Sending) -> list[int | None]:
    return [letter.reply.code if letter.replies else None for letter in sending.letters]
