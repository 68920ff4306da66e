"""The values of an SMTP session: what is sent, what is answered, how long to wait, how much TLS matters.

RFC 5321 rules the replies (§4.2) and the timeouts (§4.5.3.2), RFC 3463 the enhanced codes in their texts.
`delivery/connections.py` is the client itself, `delivery/pools.py` keeps pools of connections.
"""

from __future__ import annotations

import errno
import re
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cache, cached_property

OPENING = frozenset({"connect", "greeting", "ehlo", "starttls", "auth"})  # what comes before the first message
LONGEST_TEXT = 500  # characters of a reply that are kept
PLAIN_WORDS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EADDRNOTAVAIL: "the source address is not one of this machine",
}
ENHANCED = re.compile(r"(?<![\w.-])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")  # RFC 3463 §2; not a part of an IP address


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait, RFC 5321 §4.5.3.2. A short one at the dot makes duplicates."""

    connect: float = 30
    greeting: float = 300
    ehlo: float = 300
    starttls: float = 300
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    rset: float = 20
    quit: float = 2
    idle: float = 60
    auth: float = 300


@dataclass(frozen=True)
class Reply:
    """What the server said to `command`: connect greeting ehlo starttls auth mail rcpt data dot.

    `code` 0 is no reply (lost connection, timeout, nonsense) and `text` says so in our words. The outcome is unknown only
    where the command is `dot`: everything else with code 0 was surely not accepted.
    """

    code: int
    text: str
    command: str
    host: str

    @cached_property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463) in the text, or nothing."""
        found = ENHANCED.search(self.text)
        return found[0] if found and found[0][0] == str(self.code)[0] else ""

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def for_the_waiting(self) -> Reply:
        """What this end of a session says of messages that were never offered in it: at most that they are to wait."""
        is_of_all = self.command in OPENING or 400 <= self.code < 500
        return self if is_of_all else replace(self, code=0, command="connect")


class Transaction(ABC):
    """One message for one recipient, as the connection sees it. The engine's own class implements it.

    Exactly one of `settle` and `returned` is called, once, whatever happens. A pool may `begin` it again on another
    connection when the first one broke before the dot.
    `body` is the complete message: CRLF line ends, dot-stuffed, CRLF at its end; without the final dot. `begin` is
    the place to make it: no address and no body is read before.
    """

    mail_from: bytes
    recipient: bytes
    body: bytes
    domain: str = ""  # of the recipient, where reports about TLS are wanted

    def begin(self) -> bool:
        """Called when it is taken, before anything is written. False: `returned` follows, and the connection lives on."""
        return True

    @abstractmethod
    def begin_dot(self) -> bool:
        """Called immediately before the write that holds the final dot. False: the connection is closed, `returned` follows."""

    @abstractmethod
    def settle(self, reply: Reply) -> None:
        """Take the receiver's final word: a refusal at MAIL, RCPT or DATA, the reply to the dot, or code 0.

        Code 0 with command `dot` is a reply lost after the dot: unknown. Code 0 with another command (a fresh connection
        broke at this very message) was not accepted: deferred.
        """

    @abstractmethod
    def returned(self) -> None:
        """No dot left: it was not attempted, or the connection failed before the dot through no fault of this message."""


class ConnectFailure(Exception):
    """No session could be opened. `reply` says where it ended; `is_tls` that the handshake or STARTTLS did it.

    `is_unoffered`: STARTTLS was missing or refused. An `ssl.SSLError` that was the reason is the `__cause__`.
    """

    def __init__(self, reply: Reply, *, is_tls: bool = False, is_unoffered: bool = False) -> None:
        super().__init__(f"{reply.host}: {reply.code} {reply.text} ({reply.command})")
        self.reply = reply
        self.is_tls = is_tls
        self.is_unoffered = is_unoffered


def reply_text(lines: list[bytes]) -> str:
    """Return the text of a reply on one line, fit for a database and a page.

    The enhanced code, repeated on every line of a reply (RFC 2034 §4), is kept once.
    """
    text = lines[0].decode("utf-8", "replace").strip()
    if len(lines) > 1:
        status = ENHANCED.match(text)
        words = [line.decode("utf-8", "replace").strip() for line in lines[1:]]
        text = " ".join([text, *(word.removeprefix(status[0]).strip() if status else word for word in words)])
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return text[:LONGEST_TEXT]


def plain_words(error: OSError) -> str:
    """Return what became of a connection, without numbers: a reset is a hint at congestion (au), a refusal is none."""
    if isinstance(error, TimeoutError):
        return "no connection in time"
    return PLAIN_WORDS.get(error.errno or 0, "") or str(error) or "no connection"


@cache
def unverified_context() -> ssl.SSLContext:
    """Return the context of opportunistic TLS: encrypted, whoever it is (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@cache
def verified_context() -> ssl.SSLContext:
    """Return the context for a relay: its certificate must be valid for its name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
