"""Header values and base64 parts (RFC 5322, RFC 2045, RFC 2047), 7-bit and with short lines whatever goes in.

A `Part` is encoded once per campaign; per recipient only the bytes around what changes are. Base64 turns three bytes
into four characters, so each unchanging stretch is kept in three encodings, one for each place in a group of three at
which it can begin, already broken into lines. A line may end early (RFC 2045 §6.8 only says at most 76), and so what a
recipient decodes is exactly the text: nothing is padded.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Sequence
from typing import NamedTuple

CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
LINE_END = re.compile(r"\r\n|\r|\n")
ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
CRLF = b"\r\n"
LINE = 76  # RFC 2047 §2: a line with an encoded-word; RFC 2045 §6.8: a line of base64
GROUP = 57  # bytes that make a line of base64
SHORT = 60  # bytes below which a stretch is not worth keeping encoded


def one_line(text: str) -> str:
    """Return the text with line ends and control characters folded to a blank, so that it cannot begin another header."""
    return CONTROLS.sub(" ", text).strip() if not text.isprintable() else text.strip()


def crlf(text: str) -> bytes:
    """Return the text in UTF-8 with CRLF at the end of each line (RFC 2045 §6.8)."""
    if "\n" in text or "\r" in text:
        text = LINE_END.sub("\r\n", text)
    return text.encode("utf-8", "replace")


def unstructured(name: str, text: str) -> bytes:
    """Return a header's value: plain if it is short ASCII, else encoded and folded (RFC 2047 §5)."""
    text = one_line(text)
    room = LINE - len(name) - 2
    if text.isascii() and len(text) <= room and "=?" not in text and "  " not in text:
        return text.encode()
    return _encoded_words(text, room)


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """Return an address with its display name, for the header `name`. The address must be fit for the wire."""
    display_name = one_line(display_name)
    route = f"<{address}>".encode()
    if not display_name:
        return address.encode()
    room = LINE - len(name) - 2
    if "=?" in display_name:  # some readers decode it even where it is quoted
        phrase = _encoded_words(display_name, room)
    elif ATOMS.fullmatch(display_name) and len(display_name) <= room:
        phrase = display_name.encode()
    elif display_name.isascii() and len(display_name) <= room // 2:  # each character may take a backslash
        phrase = b'"' + display_name.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
    else:
        phrase = _encoded_words(display_name, room)
    last_line = phrase.rpartition(b"\r\n")[2] if b"\r\n" in phrase else b" " * (len(name) + 2) + phrase
    return phrase + (b" " if len(last_line) + 1 + len(route) <= LINE else b"\r\n ") + route


class _Run(NamedTuple):
    """Something that changes, and the unchanging stretch after it.

    `place` is the index of the one value, or -1 when `items` (bytes, or places) must be joined. `after` says, for 0, 1
    and 2 bytes lacking to a group of three: the bytes that complete it, the end of its line with the encoded lines after
    it, and what is left over.
    """

    place: int
    items: tuple[bytes | int, ...]
    after: tuple[tuple[bytes, bytes, bytes], ...]


class Part:
    """A text in base64 of which some pieces change. `pieces` are bytes, or the places of values."""

    def __init__(self, pieces: Sequence[bytes | int]) -> None:
        self._pieces = tuple(pieces)
        groups = _grouped(pieces)
        first = groups.pop(0)[1] if groups and not groups[0][0] else b""
        _lacking, self._start, self._left = _split(first, 0, is_last=not groups)
        self._runs = [self._run(items, still, is_last=at == len(groups)) for at, (items, still) in enumerate(groups, 1)]

    def encode(self, values: Sequence[bytes], out: list[bytes]) -> None:
        """Append the encoded lines for these values to `out`, each ending in CRLF."""
        append, left = out.append, self._left
        append(self._start)
        for place, items, after in self._runs:
            if place >= 0:
                text = left + values[place]
            else:
                text = left + b"".join([values[item] if item.__class__ is int else item for item in items])  # type: ignore[misc]
            lacking, lines, left = after[-len(text) % 3]
            text += lacking
            if not text:
                append(lines[len(CRLF) :])
                continue
            append(b2a_base64(text, newline=False) if len(text) <= GROUP else _broken(text))
            append(lines)

    def plain(self, values: Sequence[bytes]) -> bytes:
        """Return the text for these values as it is before encoding."""
        return b"".join([values[piece] if isinstance(piece, int) else piece for piece in self._pieces])

    @staticmethod
    def _run(items: list[bytes | int], still: bytes, *, is_last: bool) -> _Run:
        place = items[0] if len(items) == 1 and isinstance(items[0], int) else -1
        splits = [_split(still, lacking, is_last=is_last) for lacking in range(3)]
        return _Run(place, tuple(items), tuple((head, CRLF + lines, left) for head, lines, left in splits))


# -- inside ------------------------------------------------------------------------------------


def _encoded_words(text: str, room: int) -> bytes:
    """Return the text as encoded-words of whole characters, the first of them at most `room` long."""
    data = text.encode("utf-8", "replace")
    words, at = [], 0
    while at < len(data):
        end = min(at + (min(room, 75) - 12) // 4 * 3, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        words.append(b"=?utf-8?b?" + b2a_base64(data[at:end], newline=False) + b"?=")
        at, room = end, 75
    return b"\r\n ".join(words)


def _broken(data: bytes) -> bytes:
    """Return base64 in lines of at most 76 characters, with CRLF between them."""
    encoded = b2a_base64(data, newline=False)
    return CRLF.join([encoded[at : at + LINE] for at in range(0, len(encoded), LINE)])


def _lines(data: bytes) -> bytes:
    """Return base64 in lines of at most 76 characters, each with its CRLF."""
    return _broken(data) + CRLF if data else b""


def _split(still: bytes, lacking: int, *, is_last: bool) -> tuple[bytes, bytes, bytes]:
    """Return the bytes that complete the group before, the lines of whole groups, and what is left for the next."""
    head, rest = still[:lacking], still[lacking:]
    whole = len(rest) if is_last else len(rest) // 3 * 3
    return head, _lines(rest[:whole]), rest[whole:]


def _grouped(pieces: Sequence[bytes | int]) -> list[tuple[list[bytes | int], bytes]]:
    """Return what changes (with the short text in between) and the long text after it, alternately."""
    groups: list[tuple[list[bytes | int], bytes]] = []
    changing: list[bytes | int] = []
    for piece in pieces:
        if isinstance(piece, int) or len(piece) < SHORT:
            changing.append(piece)
        else:
            groups.append((changing, piece))
            changing = []
    return [*groups, (changing, b"")] if changing else groups
