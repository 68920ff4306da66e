"""The inbound server: takes what the world sends back to our addresses, and keeps it until it is read (RFC 5321).

It relays nothing: recipients are addresses of `addresses.py` at the domains of this installation, and whoever knows no
valid token can change nothing. A mail is answered 250 after its rows are committed, all of them or none.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

from aiosmtpd.smtp import Envelope, Session
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from accounts.models import Account, Domain
from delivery.certificates import context_of, renew
from delivery.inbound.addresses import Address, Box, own_domain, read_address
from delivery.inbound.limits import Guests, Limits
from delivery.models import InboundMail
from delivery.parts import printable
from delivery.servers import BUSY, TOO_BIG, Handler, Server, Shelf, listen, until_stopped

OK = "250 2.0.0 Kept"
NO_SUCH_ADDRESS = "550 5.1.1 There is no such address here"
NO_RELAY = "550 5.7.1 Relaying denied: this server takes mail for its own addresses only"
FULL = "421 4.7.0 Too many connections, please try again later"
TOO_FAST = "452 4.7.1 Too much mail from you for the moment, please try again in a minute"
NO_ROOM = "452 4.3.1 Too much mail at once, please try again later"
TOO_STRANGE = "451 4.7.1 Too much mail to addresses like this, please try again later"
TOO_MANY_MAILS = "421 4.7.0 Enough mails for one connection, please open another"
TOO_MANY_RECIPIENTS = "452 4.5.3 Too many recipients, please send to the others separately"
TOO_MANY_ERRORS = "421 4.7.0 Too many errors, good bye"
SILENT = "421 4.4.2 Nothing came for too long, good bye"
TOO_LATE = "421 4.4.2 This connection lasts too long, good bye"
LINGER = 5.0  # seconds for a last reply to go out
KNOWN_SECONDS = 60.0  # that an answer about a domain is believed
MOST_KNOWN = 10_000
SYSTEM_BOXES = frozenset({Box.NOTICE, Box.POSTMASTER, Box.ABUSE})  # at the host's own name
logger = logging.getLogger(__name__)


class Inbound(Handler):
    """The conversation: recipients by token, one row for each."""

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits or Limits()
        self.guests = Guests(self.limits, clock)
        self._clock = clock
        self._shelf: Shelf[list[InboundMail]] = Shelf(keep)
        self._known: OrderedDict[str, tuple[bool, float]] = OrderedDict()

    async def listen(self, host: str, port: int, tls: ssl.SSLContext) -> asyncio.Server:
        return await listen(lambda: GuardedServer(self, tls=tls), host, port)

    async def close(self) -> None:
        await self._shelf.close()

    async def handle_MAIL(
        self, server: GuardedServer, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        server.mails += 1
        if server.mails > self.limits.mails:
            return TOO_MANY_MAILS
        if not self.guests.may_send(server.ip):
            return TOO_FAST
        if self.guests.in_flight > self.limits.in_flight:
            return NO_ROOM
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: GuardedServer, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= self.limits.recipients:
            return TOO_MANY_RECIPIENTS
        if refusal := await self._refusal(address):
            return refusal
        if address not in envelope.rcpt_tos:
            envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: GuardedServer, session: Session, envelope: Envelope) -> str:
        raw: bytes = envelope.original_content or b""
        size = len(raw) * len(envelope.rcpt_tos)  # each row holds a copy
        if size > self.limits.size and len(envelope.rcpt_tos) > 1:
            return TOO_BIG
        self.guests.note(server.ip, size)
        mails = [self._new_mail(server.ip, envelope.mail_from or "", recipient, raw) for recipient in envelope.rcpt_tos]
        return OK if await self._shelf.put(mails, size) else BUSY

    async def _refusal(self, address: str) -> str:
        """Return why this is no recipient, or nothing."""
        found, domain = read_address(address), address.rpartition("@")[2].lower()
        if "@" not in address:  # RFC 5321 §4.5.1
            is_there = found is not None and found.box is Box.POSTMASTER
        elif domain in own_hosts():
            is_there = found is not None and found.box in SYSTEM_BOXES
        else:
            is_there = True
            try:
                if not await self._is_ours(own_domain(domain)):
                    return NO_RELAY
            except (DatabaseError, InterfaceError):
                return BUSY
        return self._refusal_of(found) if found and is_there else NO_SUCH_ADDRESS

    def _refusal_of(self, found: Address) -> str:
        """Return that too much came of late to addresses that anybody can write, or nothing."""
        if found.token:
            return ""
        bucket = self.guests.strange if found.is_forged else self.guests.open
        return "" if bucket.is_open() else TOO_STRANGE

    async def _is_ours(self, name: str) -> bool:
        """Return whether some account has a domain of this name. Raise DatabaseError and InterfaceError."""
        if not name:
            return False
        is_ours, until = self._known.get(name, (False, 0.0))
        if until < self._clock():
            is_ours = await self._shelf.ask(lambda: _exists(name))
            self._known[name] = is_ours, self._clock() + KNOWN_SECONDS
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return is_ours

    def _new_mail(self, ip: str, mail_from: str, recipient: str, raw: bytes) -> InboundMail:
        found = read_address(recipient)
        token = found.token if found else None
        if token is None:
            (self.guests.strange if found and found.is_forged else self.guests.open).take(len(raw))
        return InboundMail(
            account_id=token.account_id if token else None,
            recipient=printable(recipient)[:320],
            mail_from=printable(mail_from.removeprefix("<").removesuffix(">"))[:320],
            raw=raw,
            ip=ip or None,
        )


class GuardedServer(Server):
    """One connection, within the limits. What goes beyond ends it with 421 (RFC 5321 §3.8)."""

    def __init__(self, inbound: Inbound, *, tls: ssl.SSLContext) -> None:
        self._guests, self._limits = inbound.guests, inbound.limits
        self.ip = ""
        self.mails = self._errors = self._in_flight = 0
        self._is_guest = self._is_over = False
        self._last: asyncio.TimerHandle | None = None
        limits = self._limits
        super().__init__(
            inbound,
            size=limits.size,
            tls=tls,
            line=limits.line,
            name=settings.INBOUND_HOST,
            commands=limits.commands,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        is_new = self.transport is None
        if is_new:
            peer = transport.get_extra_info("peername")
            self.ip = str(peer[0]) if isinstance(peer, tuple) else ""
            self._is_guest = self._guests.enter(self.ip)
        super().connection_made(transport)  # comes again after STARTTLS
        if is_new:
            self._last = self.loop.call_later(self._limits.total, self._part, TOO_LATE)

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_guest:
            self._guests.leave(self.ip)
            self._is_guest = False
        self.settled()
        if self._last:
            self._last.cancel()
        super().connection_lost(error)

    def received(self, size: int) -> str:
        self._guests.in_flight += size
        self._in_flight += size
        super().received(size)
        return NO_ROOM if self._guests.in_flight > self._limits.in_flight else ""

    def settled(self) -> None:
        self._guests.in_flight -= self._in_flight
        self._in_flight = 0

    async def push(self, status: str | bytes) -> None:
        """Send a reply. After 421, or one error too many, the connection ends."""
        if self._is_over:
            return
        words = status if isinstance(status, str) else status.decode("utf-8", "replace")
        self._errors += words.startswith("5")
        if self._errors > self._limits.errors:
            words = TOO_MANY_ERRORS
        if words.startswith("421"):
            self._part(words)
        else:
            await super().push(words)

    async def _handle_client(self) -> None:
        if self._is_guest:
            await super()._handle_client()
        else:
            self._part(FULL)

    def _reset_timeout(self, duration: float | None = None) -> None:
        super()._reset_timeout(duration or self._guests.idle)

    def _timeout_cb(self) -> None:
        self._part(SILENT)

    def _part(self, words: str) -> None:
        """Say why, and hang up, also on who does not read it."""
        transport = self.transport
        if self._is_over or not isinstance(transport, asyncio.Transport):
            return
        self._is_over = True
        transport.write(words.encode() + b"\r\n")
        transport.close()
        self.loop.call_later(LINGER, transport.abort)
        if self._handler_coroutine:
            self._handler_coroutine.cancel()


def own_hosts() -> frozenset[str]:
    """Return the names of this installation itself, to which reports about its own mail come."""
    return frozenset({settings.INBOUND_HOST.lower(), settings.NOTICES_FROM.rpartition("@")[2].lower()})


def keep(groups: Sequence[Sequence[InboundMail]]) -> None:
    """Save the mails. Beat rings the task that reads them every few seconds."""
    mails = [mail for group in groups for mail in group]
    wanted = {mail.account_id for mail in mails if mail.account_id}
    known = set(Account.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for mail in mails:
        mail.account_id = mail.account_id if mail.account_id in known else None
    InboundMail.objects.bulk_create(mails)


async def run(host: str, port: int, certificate: Path, key: Path | None = None) -> None:
    """Serve until stopped. Raise OSError where the port or the certificate cannot be had."""
    inbound, tls = Inbound(), context_of(certificate, key)
    server = await inbound.listen(host, port, tls)
    renewing = asyncio.create_task(renew(tls, certificate, key))
    logger.info("The inbound server takes reports on %s port %s.", host, port)
    await until_stopped()
    renewing.cancel()
    server.close()
    await inbound.close()


def _exists(name: str) -> bool:
    try:
        return Domain.objects.filter(name=name).exists()
    except (DatabaseError, InterfaceError):
        connection.close()
        raise
