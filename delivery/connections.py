"""Our own SMTP client: one object per connection, everything of a transaction in one flight.

RFC 5321 rules the session, the replies and the timeouts (§4.5.3.2), RFC 2920 the pipelining, RFC 3207 STARTTLS,
RFC 1870 SIZE, RFC 6531 SMTPUTF8. The body of one message and MAIL, RCPT and DATA of the next leave in one write
(RFC 2920 §3.1), so a refused RCPT is expected after the next DATA was already asked for.

A connection *pulls*: `run` gives it a function that hands out transactions, and it keeps its pipe full. Each
transaction it took ends by exactly one of `settle`, `returned`, or (where the owner gave a `put_back`) that; see
`Transaction`. All methods belong to the thread of the event loop. `delivery/pools.py` keeps pools of connections.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable

from delivery.sessions import Session
from delivery.smtp import Reply, Timeouts, Transaction
from mailsales.routes import Login, TLSMode

ONE_WRITE = 128 * 1024  # bytes: a body up to this goes out in one write with its dot; the kernel's buffer takes it
DRAIN_POLL = 0.01  # seconds
UNSAFE = re.compile(rb"[\x00-\x1f\x7f]")  # a line end in an address would be another command


def _return(transaction: Transaction) -> None:
    transaction.returned()


class Connection(Session):
    """A session that works. `connect`, then `run`; the end is told to `ended`.

    After `most_messages`, or so many seconds since `connect`, it takes nothing new and says QUIT: reuse by count alone
    would keep the slowest host the longest. `settled` counts transactions with the receiver's own word.
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
        most_messages: int = 1000,
        most_seconds: float = 300,
    ) -> None:
        super().__init__(
            host,
            port,
            ehlo_name=ehlo_name,
            address=address,
            tls=tls,
            ssl_context=ssl_context,
            check=check,
            login=login,
            timeouts=timeouts,
            source_address=source_address,
        )
        self.settled = 0
        self._most_messages = most_messages
        self._over_at = self._loop.time() + most_seconds
        self._take: Callable[[], Transaction | None] = lambda: None
        self._put_back: Callable[[Transaction], None] = _return
        self._ended: Callable[[Connection], None] = lambda _: None
        self._last: Transaction | None = None  # its dot has left
        self._current: Transaction | None = None  # its envelope has left, not its dot
        self._refusal: Reply | None = None  # of the current one; the reply to DATA is still to come
        self._is_proven = False  # something succeeded here, so a sudden end is not the current message's fault
        self._is_closing = False
        self._is_abandoned = False
        self._is_draining = False
        self._needs_reset = False
        self._taken = 0

    # -- working ---------------------------------------------------------------------------------

    def run(
        self,
        take: Callable[[], Transaction | None],
        *,
        put_back: Callable[[Transaction], None] = _return,
        ended: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Pull transactions from now on. `take` returns None when there is none now: `wake` asks it again.

        `put_back` gets what should be sent over another connection (default: `returned` is called).
        """
        self._take, self._put_back, self._ended = take, put_back, ended
        if self.is_closed:
            ended(self)
        else:
            self.is_idle = True
            self.wake()

    def wake(self) -> None:
        """Look for work, if idle."""
        if self.is_idle:
            self.is_idle = False
            self._next()

    def close(self) -> None:
        """Take nothing new; finish what was taken; QUIT."""
        self._is_closing = True
        self.wake()

    def abandon(self, seconds: float) -> None:
        """Send no further dot. What has no dot is returned at once; a reply to a dot is awaited for so many seconds."""
        if self.is_closed:
            return
        self._is_closing = self._is_abandoned = True
        current, self._current = self._current, None
        if self._last is None:
            self._end(None)
        else:
            self._watch("dot", seconds)
        if current:
            current.returned()

    def _next(self) -> None:
        transaction = self._pull()
        if transaction:
            self._transport.write(self._envelope(transaction))
            self._watch(self._expected[0])
        elif self._is_closing or self._is_spent:
            self._quit()
        else:
            self.is_idle = self._is_proven = True
            self._watch("idle")

    def _pull(self) -> Transaction | None:
        """Return the next transaction that may begin and can be written."""
        while not self._is_closing and not self._is_spent:
            transaction = self._take()
            if transaction is None:
                return None
            if not transaction.begin():
                transaction.returned()
            elif refusal := self._unsendable(transaction):
                transaction.settle(refusal)
            else:
                self._taken += 1
                return transaction
        return None

    @property
    def _is_spent(self) -> bool:
        return self._taken >= self._most_messages or self._loop.time() >= self._over_at

    def _unsendable(self, transaction: Transaction) -> Reply | None:
        addresses = transaction.mail_from + transaction.recipient
        if UNSAFE.search(addresses):
            return Reply(553, "5.1.3 The address holds a control character and was not sent.", "rcpt", self.host)
        if not addresses.isascii() and "SMTPUTF8" not in self.extensions:  # RFC 6531 §3.1
            return Reply(553, "5.6.7 The server does not offer SMTPUTF8, which this address needs.", "rcpt", self.host)
        if 0 < self.size_limit < len(transaction.body):  # RFC 1870 §6.1
            size = f"{len(transaction.body)} bytes, and the server takes {self.size_limit}"
            return Reply(552, f"5.3.4 The message has {size}: it was not sent.", "mail", self.host)
        return None

    def _envelope(self, transaction: Transaction) -> bytes:
        """Return the bytes that begin the transaction, and expect their replies."""
        self._current = transaction
        self._refusal = None
        needs_reset, self._needs_reset = self._needs_reset, False
        if not self._is_pipelining:
            return self._step("rset" if needs_reset else "mail")
        if needs_reset:
            self._expected.append("rset")
        self._expected.extend(("mail", "rcpt", "data"))
        mail = self._mail(transaction)
        return b"%b%bRCPT TO:<%b>\r\nDATA\r\n" % (b"RSET\r\n" if needs_reset else b"", mail, transaction.recipient)

    def _mail(self, transaction: Transaction) -> bytes:
        options = b" SIZE=%d" % len(transaction.body) if "SIZE" in self.extensions else b""
        if not transaction.recipient.isascii() or not transaction.mail_from.isascii():
            options += b" BODY=8BITMIME SMTPUTF8"
        return b"MAIL FROM:<%b>%b\r\n" % (transaction.mail_from, options)

    def _step(self, command: str) -> bytes:
        """Return the one line that is next where PIPELINING is not offered, and expect its reply."""
        assert self._current
        self._expected.append(command)
        if command == "mail":
            return self._mail(self._current)
        return (
            b"RCPT TO:<%b>\r\n" % self._current.recipient if command == "rcpt" else command.upper().encode() + b"\r\n"
        )

    def _send_body(self) -> None:
        """Send the current body; the dot leaves with it unless bytes would have to wait for it in this process."""
        assert self._current
        body = self._current.body
        if len(body) <= ONE_WRITE and not self._unsent:
            self._send_dot(body)
        else:
            self._transport.write(body)
            self._watch("block")
            self._is_draining = True
            self._drain(self._unsent)

    def _drain(self, before: int) -> None:
        """Send the dot once the kernel has the whole body."""
        if not self._is_draining or self.is_closed:
            return
        unsent = self._unsent
        if not unsent:
            self._is_draining = False
            self._send_dot(b"")
            if not self.is_closed:
                self._watch("dot")
            return
        if unsent < before:
            self._watch("block")
        self._loop.call_later(DRAIN_POLL, self._drain, unsent)

    @property
    def _unsent(self) -> int:
        """Bytes that the kernel has not got yet."""
        unsent = self._transport.get_write_buffer_size()
        if self._tcp and self._tcp is not self._transport:
            unsent += self._tcp.get_write_buffer_size()
        return unsent

    def _send_dot(self, rest: bytes) -> None:
        """Send the rest of the body, the dot, and the envelope of the next transaction in one write."""
        transaction = self._current
        assert transaction
        following = self._pull() if self._is_pipelining else None
        self._current = None
        if not transaction.begin_dot():
            self._current = following
            self._is_proven = True
            self._end(None)
            transaction.returned()
            return
        self._last = transaction
        self._expected.append("dot")
        envelope = self._envelope(following) if following else b""
        self._transport.write(b"".join((rest, b".\r\n", envelope)))

    # -- replies ---------------------------------------------------------------------------------------

    def _hear(self, command: str, code: int, lines: list[bytes]) -> None:
        if command == "dot":
            self._hear_dot(code, lines)
        elif command == "data":
            self._hear_data(code, lines)
        elif command in ("mail", "rcpt"):
            self._hear_envelope(command, code, lines)
        else:
            self._hear_between(command, code, lines)

    def _hear_dot(self, code: int, lines: list[bytes]) -> None:
        last, self._last = self._last, None
        assert last
        is_final = 200 <= code < 300 or code >= 400
        reply = (
            self._reply(code, lines, "dot")
            if is_final
            else self._silence("dot", f"the server answered {code} to the message")
        )
        self._settle(last, reply)
        if self._is_abandoned:
            self._end(None)
        elif code == 421 or not is_final:
            self._end(reply)
        elif not self._expected:
            self._next()

    def _hear_envelope(self, command: str, code: int, lines: list[bytes]) -> None:
        if 200 <= code < 300:
            if not self._is_pipelining:
                self._transport.write(self._step("rcpt" if command == "mail" else "data"))
            return
        is_sessions = code == 421 or (command == "mail" and code < 500 and self._is_proven)
        if is_sessions or code < 400:
            self._end(self._reply(code if code >= 400 else 0, lines, command))
            return
        self._refusal = self._refusal or self._reply(code, lines, command)
        if not self._is_pipelining:
            self._needs_reset = command == "rcpt"
            self._refuse(self._refusal)
            self._next()

    def _hear_data(self, code: int, lines: list[bytes]) -> None:
        if code == 421 or (code < 400 and code != 354):
            self._end(self._reply(code if code >= 400 else 0, lines, "data"))
        elif code != 354:
            self._needs_reset = True
            self._refuse(self._refusal or self._reply(code, lines, "data"))
            self._next()
        elif self._refusal is None:
            self._send_body()
        else:
            self._send_lone_dot(self._refusal)

    def _send_lone_dot(self, refusal: Reply) -> None:
        """End a DATA that the server opened although it refused the recipient (RFC 2920 §3.1)."""
        self._refuse(refusal)
        if (
            refusal.command == "mail"
        ):  # it refused the sender, yet took the recipient: an empty message might be delivered
            self._end(None)
            return
        self._expected.append("lone")
        following = self._pull()
        self._transport.write(b".\r\n" + (self._envelope(following) if following else b""))

    def _hear_between(self, command: str, code: int, lines: list[bytes]) -> None:
        """Take the reply to QUIT, to RSET, or to a lone dot, which says nothing."""
        if command == "quit":
            self._end(None)
        elif code == 421 or (command == "rset" and not 200 <= code < 300):
            self._end(self._reply(code, lines, "mail"))
        elif command == "rset" and not self._is_pipelining:
            self._transport.write(self._step("mail"))
        elif command == "lone" and not self._expected:
            self._next()

    def _hear_unasked(self, code: int, lines: list[bytes]) -> None:
        """Take a reply that nothing asked for: a farewell when idle, a refusal while the body is still leaving."""
        if self.is_idle:
            self._end(None)
            return
        reply = self._reply(code if code >= 400 else 0, lines, "data")
        if self._is_draining and code >= 400 and code != 421:
            self._refusal = reply
        self._end(reply)

    # -- ends -----------------------------------------------------------------------------------------

    def _settle(self, transaction: Transaction, reply: Reply) -> None:
        self.settled += 1
        self._is_proven = True
        transaction.settle(reply)

    def _refuse(self, refusal: Reply) -> None:
        current, self._current, self._refusal = self._current, None, None
        assert current
        self._settle(current, refusal)

    def _let_go(self, reply: Reply | None) -> None:
        last, current = self._last, self._current
        self._last = self._current = None
        if last:
            last.settle(self._silence("dot", reply.text if reply else "the connection was closed"))
        if current and self._refusal:
            current.settle(self._refusal)
        elif current and reply and not last and not self._is_proven:
            current.settle(reply)
        elif current:
            self._put_back(current)
        self._ended(self)

    @property
    def _awaited(self) -> str:
        """The command whose reply is next; between commands, the one that a break would hurt."""
        if not self._expected:
            return "data" if self._current else "mail"
        return "mail" if self._expected[0] in ("rset", "lone", "quit") else self._expected[0]
