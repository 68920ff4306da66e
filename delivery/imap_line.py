"""A connection to a mailbox (RFC 9051), by the standard library's imaplib, within bounds and over verified TLS (RFC 8314).

The host is a customer's: whatever it sends, no more than MOST_BYTES are read, in a bounded time, and it is dialled only
at a public address. imaplib alone would wait for a line or a literal of any length, as long as a byte comes now and then.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from mailsales.dns.questions import is_public

WAIT = 15.0  # seconds for one answer
MOST_SECONDS = 90.0
MOST_BYTES = 120_000_000
LONGEST_LINE = 1_000_000  # the answer to a search: some hundred thousand numbers
CHUNK = 65_536
LITERAL = re.compile(rb"RFC822\.SIZE (\d+)")
NAMED_UID = re.compile(rb"UID (\d+)")


class Trouble(Exception):
    """Why a mailbox cannot be read, in words for the one who set it up, in the active language."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where a mailbox is, and who opens it."""

    host: str
    port: int
    username: str
    password: str
    folder: str


class Line(imaplib.IMAP4_SSL):
    """imaplib with a bound on bytes and time. Raise OSError and imaplib's errors."""

    def __init__(self, host: str, port: int, address: str, seconds: float) -> None:
        self._address, self._left, self._until = address, MOST_BYTES, time.monotonic() + seconds
        self._buffer, self._tls = bytearray(), ssl.create_default_context()
        super().__init__(host, port, ssl_context=self._tls, timeout=min(WAIT, seconds))

    def read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if size - len(self._buffer) > self._left or not self._more():
                raise self.abort("The server sends too much, or breaks off.")
        return self._taken(size)

    def readline(self) -> bytes:
        start = 0
        while (end := self._buffer.find(b"\n", start)) < 0:
            start = len(self._buffer)
            if start > LONGEST_LINE or not self._more():
                raise self.abort("The server sends too long a line, or breaks off.")
        return self._taken(end + 1)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = socket.create_connection((self._address, self.port), timeout)
        try:
            return self._tls.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise

    def _more(self) -> bool:
        if time.monotonic() > self._until:
            raise TimeoutError
        chunk = self.sock.recv(min(CHUNK, self._left)) if self._left else b""
        self._left -= len(chunk)
        self._buffer += chunk
        return bool(chunk)

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


@dataclass(frozen=True, slots=True)
class Stored:
    """A mail in the folder; `raw` is no more of it than was asked for, `size` what it has in all."""

    uid: int
    size: int
    raw: bytes


class Folder:
    """An open folder. All methods raise OSError and imaplib's errors; `opened` makes Trouble of them."""

    def __init__(self, line: Line, name: str) -> None:
        self._line = line
        self._ask("SELECT", line.select(_quoted(modified_utf7(name))))
        self._can = _said(self._ask("CAPABILITY", line.capability())).upper().split()  # more than before the login
        self.uid_validity = int(line.response("UIDVALIDITY")[1][0] or 0)

    def uids_after(self, uid: int, since: str) -> list[int]:
        """Return the numbers above this one of mails that came on or after a day ("24-Nov-2026"), in order."""
        found = self._ask("SEARCH", self._line.uid("SEARCH", "UID", f"{uid + 1}:*", "SINCE", since))
        return sorted(each for each in _numbers(found) if each > uid)  # n:* names the last one at least

    def fetch(self, uid: int, most: int) -> Stored | None:
        """Return a mail, as unread as before, or None if it is gone."""
        found = self._ask("FETCH", self._line.uid("FETCH", str(uid), f"(UID RFC822.SIZE BODY.PEEK[]<0.{most}>)"))
        for item in found:
            if isinstance(item, tuple) and (size := LITERAL.search(item[0])):
                return Stored(uid, int(size[1]), item[1][:most])
        return None

    def mark(self, uid: int) -> None:
        """Mark a mail as deleted."""
        self._ask("STORE", self._line.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))

    def expunge(self, uids: list[int]) -> None:
        """Remove these mails, marked before, and no others: without UIDPLUS (RFC 4315) only if nobody else marked any."""
        if "UIDPLUS" in self._can:
            self._ask("EXPUNGE", self._line.uid("EXPUNGE", ",".join(map(str, uids))))
        elif set(_numbers(self._ask("SEARCH", self._line.uid("SEARCH", "DELETED")))) <= set(uids):
            self._ask("EXPUNGE", self._line.expunge())

    def _ask(self, command: str, answer: tuple[str, Sequence[object]]) -> Sequence[object]:
        kind, data = answer
        if kind != "OK":
            raise self._line.error(f"{command}: {_said(data)}")
        return data


@contextmanager
def opened(login: Login, seconds: float = MOST_SECONDS) -> Iterator[Folder]:
    """Open a folder for so long at most, and leave it. Raise Trouble, also for what fails while it is open."""
    try:
        line = Line(login.host, login.port, _address_of(login), seconds)
    except (OSError, UnicodeError, imaplib.IMAP4.error) as error:
        raise Trouble(_words(login, error)) from error
    try:
        _log_in(line, login)
        yield Folder(line, login.folder)
    except (OSError, ValueError, imaplib.IMAP4.error) as error:
        raise Trouble(_words(login, error)) from error
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            line.logout()


def modified_utf7(name: str) -> str:
    """Return a folder's name as IMAP4rev1 writes it (RFC 3501 §5.1.3)."""
    pieces: list[str] = []
    for is_plain, letters in _runs(name):
        if is_plain:
            pieces.append(letters.replace("&", "&-"))
        else:
            coded = b64encode(letters.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
            pieces.append(f"&{coded}-")
    return "".join(pieces)


# -- inside ------------------------------------------------------------------------------------


def _runs(name: str) -> Iterator[tuple[bool, str]]:
    for found in re.finditer(r"([ -~]+)|([^ -~]+)", name):
        yield found[1] is not None, found[0]


def _address_of(login: Login) -> str:
    """Return an address of the host that may be dialled. Raise Trouble and OSError."""
    found = socket.getaddrinfo(login.host, login.port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_kind, place in found]
    allowed = [each for each in addresses if settings.ALLOW_PRIVATE_MX or is_public(each.partition("%")[0])]
    if not allowed:
        raise Trouble(_("“%(host)s” is not on the public internet. Enter the provider’s IMAP server.") % _place(login))
    return allowed[0]


def _log_in(line: Line, login: Login) -> None:
    """Say who opens it: by AUTHENTICATE PLAIN (RFC 4616), which takes any letters, else by LOGIN."""
    try:
        if "AUTH=PLAIN" in line.capabilities:
            line.authenticate("PLAIN", lambda _challenge: f"\0{login.username}\0{login.password}".encode())
        else:
            line.login(_quoted(login.username), login.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        words = _("The server refuses the login name or the password: %(said)s")
        raise Trouble(words % {"said": _shown(error)}) from error


def _words(login: Login, error: Exception) -> str:
    """Return what went wrong, and what to look at."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return _("There is no server “%(host)s”. Check its name.") % _place(login)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _("The certificate of “%(host)s” is not valid for this name: %(said)s") % {
            **_place(login),
            "said": error.verify_message,
        }
    if isinstance(error, ssl.SSLError):
        return _("“%(host)s” does not speak TLS on port %(port)s. Port 993 is usual.") % _place(login)
    if isinstance(error, TimeoutError):
        return _("“%(host)s” does not answer on port %(port)s in time.") % _place(login)
    if isinstance(error, imaplib.IMAP4.error | ValueError):
        return _("The server answers: %(said)s") % {"said": _shown(error)}
    return _("“%(host)s” cannot be reached on port %(port)s. Check both.") % _place(login)


def _place(login: Login) -> dict[str, object]:
    return {"host": login.host, "port": login.port}


def _shown(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return "".join(letter if letter.isprintable() else " " for letter in text)[:300]


def _said(data: Sequence[object]) -> str:
    return " ".join(each.decode("utf-8", "replace") for each in data if isinstance(each, bytes))


def _numbers(found: Sequence[object]) -> list[int]:
    return [int(text) for each in found if isinstance(each, bytes) for text in each.split()]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
