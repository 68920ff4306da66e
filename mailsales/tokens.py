"""Signed, opaque, short tokens: who a link, a pixel or a returned mail is about.

A token is a kind, the account's and the row's ids as varints, and a keyed BLAKE2s over them. Links carry base64url;
envelope senders hexadecimal, since mail systems fold their case (RFC 5321 §2.4 allows it to be lost).
The number of a link stands behind its token, after a dot, so that all links of a message share one signature. Who
changes it reaches another link of the same mail, which he has anyway, or none: the database knows which there are.
The newest key signs, older ones still verify: tokens in mail must work for years.
"""

from __future__ import annotations

import binascii
import re
from base64 import b32decode, urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s
from hmac import compare_digest

from django.conf import settings

MAC = 9  # bytes: 2⁷² guesses for one token
ADDRESS_MARK = "0"  # base32, in which the first tokens in addresses were, has no such digit
NUMBER = re.compile(r"[1-9][0-9]{0,4}")
LINK, OPEN, UNSUBSCRIBE, BOUNCE, TEST, VIEW, CHANGE, NOTICE = b"c", b"o", b"u", b"b", b"t", b"v", b"a", b"n"


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid token says. `number` is the link's number, or 0."""

    account_id: int
    row_id: int
    number: int = 0


class Stamp:
    """Makes the same tokens as the functions below, ready for millions of calls.

    A stamp keeps the key that was the newest when it was made, already hashed: that is half of a short BLAKE2s.
    """

    __slots__ = ("_mac",)

    def __init__(self, kind: bytes) -> None:
        self._mac = blake2s(digest_size=MAC, key=_all_keys()[0], person=kind)

    def __call__(self, payload: bytes) -> bytes:
        """Return what `contents` returned, signed: `link_text` and `address_text` make tokens of it."""
        mac = self._mac.copy()
        mac.update(payload)
        return payload + mac.digest()


Reader = Callable[[str], Token]  # raises BadToken


class BadToken(ValueError):
    """The token was not made here, is cut off, or is of another kind."""


def link_token(account_id: int, message_id: int, number: int) -> str:
    return link_text(_signed(LINK, account_id, message_id)) + numbered(number)


def numbered(number: int) -> str:
    """Return what makes a message's token that of one link."""
    return f".{number}"


def open_token(account_id: int, message_id: int) -> str:
    return link_text(_signed(OPEN, account_id, message_id))


def unsubscribe_token(account_id: int, message_id: int) -> str:
    return link_text(_signed(UNSUBSCRIBE, account_id, message_id))


def view_token(account_id: int, message_id: int) -> str:
    return link_text(_signed(VIEW, account_id, message_id))


def bounce_token(account_id: int, message_id: int) -> str:
    return address_text(_signed(BOUNCE, account_id, message_id))


def unsubscribe_address_token(account_id: int, message_id: int) -> str:
    return address_text(_signed(UNSUBSCRIBE, account_id, message_id))


def test_token(account_id: int, test_id: int) -> str:
    """Return the token of a test send, for its envelope sender."""
    return address_text(_signed(TEST, account_id, test_id))


def change_token(account_id: int, change_id: int) -> str:
    """Return the token of a reader's wish for another address, which confirms it."""
    return link_text(_signed(CHANGE, account_id, change_id))


def notice_token(account_id: int, notice_id: int) -> str:
    """Return the token of a mail of the system itself, for its envelope sender; 0 is no account."""
    return address_text(_signed(NOTICE, account_id, notice_id))


def read_link_token(token: str) -> Token:
    """Return what the token says; the first tokens had the number inside."""
    of_message, dot, number = token.partition(".")
    known = _read(LINK, _link_bytes(of_message))
    if not dot:
        return known
    if known.number or not NUMBER.fullmatch(number):
        raise BadToken
    return Token(known.account_id, known.row_id, int(number))


def read_open_token(token: str) -> Token:
    return _read(OPEN, _link_bytes(token))


def read_unsubscribe_token(token: str) -> Token:
    return _read(UNSUBSCRIBE, _link_bytes(token))


def read_view_token(token: str) -> Token:
    return _read(VIEW, _link_bytes(token))


def read_bounce_token(token: str) -> Token:
    return _read(BOUNCE, _address_bytes(token))


def read_unsubscribe_address_token(token: str) -> Token:
    return _read(UNSUBSCRIBE, _address_bytes(token))


def read_test_token(token: str) -> Token:
    return _read(TEST, _address_bytes(token))


def read_change_token(token: str) -> Token:
    return _read(CHANGE, _link_bytes(token))


def read_notice_token(token: str) -> Token:
    return _read(NOTICE, _address_bytes(token))


def contents(account_id: int, row_id: int) -> bytes:
    """Return what a token says before it is signed."""
    return _varint(account_id) + _varint(row_id)


# -- inside ------------------------------------------------------------------------------------

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


@lru_cache(maxsize=1)
def _keys(secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(blake2s(secret.encode(), person=b"tokens").digest() for secret in secrets)


def _all_keys() -> tuple[bytes, ...]:
    return _keys((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


def _mac(key: bytes, kind: bytes, payload: bytes) -> bytes:
    return blake2s(payload, digest_size=MAC, key=key, person=kind).digest()


def _signed(kind: bytes, account_id: int, row_id: int) -> bytes:
    said = contents(account_id, row_id)
    return said + _mac(_all_keys()[0], kind, said)


def _read(kind: bytes, data: bytes) -> Token:
    payload, mac = data[:-MAC], data[-MAC:]
    if not payload or not any(compare_digest(mac, _mac(key, kind, payload)) for key in _all_keys()):
        raise BadToken
    numbers, value, shift = [], 0, 0
    for byte in payload:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value = shift = 0
    if shift or not 2 <= len(numbers) <= 3:
        raise BadToken
    return Token(*numbers)


def link_text(signed: bytes) -> str:
    """Return the token that stands in links."""
    return binascii.b2a_base64(signed, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


def _link_bytes(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise BadToken from error


def address_text(signed: bytes) -> str:
    """Return the token that stands in addresses."""
    return ADDRESS_MARK + signed.hex()


def _address_bytes(token: str) -> bytes:
    try:
        if token.startswith(ADDRESS_MARK):
            return bytes.fromhex(token.removeprefix(ADDRESS_MARK))
        return b32decode(token.upper().encode("ascii") + b"=" * (-len(token) % 8))
    except ValueError as error:
        raise BadToken from error
