"""One mail in a session of its own, for what is no campaign: test sends and reports."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings

from delivery import directory, shaping
from delivery.compose import Mail
from delivery.connections import Connection
from delivery.sites import Target, Unroutable
from delivery.smtp import ConnectFailure, Reply, Timeouts, Transaction
from delivery.tls_policy import TlsMemory
from mailsales.routes import Route, TLSMode


@dataclass
class Copy(Transaction):
    """A mail on its way; `answer` is set once."""

    mail_from: bytes
    recipient: bytes
    body: bytes
    answer: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def begin_dot(self) -> bool:
        return True

    def settle(self, reply: Reply) -> None:
        if not self.answer.done():  # nobody may wait any longer
            self.answer.set_result(reply)

    def returned(self) -> None:
        self.settle(Reply(0, "the connection was closed", "data", ""))


async def deliver(mail: Mail, domain: str, route: Route, timeouts: Timeouts) -> Reply:
    """Hand the mail to the servers that the route has for a domain; return their word, or why there was none."""
    found = directory.of_settings(shaping.load(settings.SHAPING_FILE), TlsMemory())
    try:
        targets = await found.targets_of(route, await found.site_of(route, domain))
    except Unroutable as error:
        return error.reply
    return await hand_over(mail, targets, route, timeouts)


async def hand_over(mail: Mail, targets: Sequence[Target], route: Route, timeouts: Timeouts) -> Reply:
    """Hand the mail to the first target that opens a session; return its word, or why there was none.

    Where TLS fails that nothing demands, the target is tried once more in the clear (RFC 7435).
    """
    reply = Reply(0, "there is no server to hand it to", "connect", "")
    for target in targets:
        try:
            return await _hand_to(target, mail, route, timeouts)
        except ConnectFailure as failure:
            reply = failure.reply
            if not failure.is_tls or target.tls.is_binding or target.tls.mode is not TLSMode.OPPORTUNISTIC:
                continue
        clear = replace(target, tls=replace(target.tls, mode=TLSMode.NONE, check=None))
        try:
            return await _hand_to(clear, mail, route, timeouts)
        except ConnectFailure as failure:
            reply = failure.reply
    return reply


async def _hand_to(target: Target, mail: Mail, route: Route, timeouts: Timeouts) -> Reply:
    """Raise ConnectFailure before the mail has begun."""
    connection = Connection(
        target.host,
        target.port,
        ehlo_name=route.ehlo_name,
        address=target.address,
        tls=target.tls.mode,
        ssl_context=target.tls.context,
        check=target.tls.check,
        login=target.login,
        timeouts=timeouts,
        source_address=route.source_address,
    )
    await connection.connect()
    copy = Copy(*mail)
    copies = [copy]
    connection.run(lambda: copies.pop() if copies else None)
    try:
        reply = await copy.answer
    except asyncio.CancelledError:
        connection.abandon(0)
        raise
    connection.close()
    return reply
