"""A mail taken apart into the parts that hold something (RFC 5322, RFC 2045, RFC 2046), whatever bytes it is.

What comes back to a sender is often broken: a missing boundary, line ends of three kinds, a header cut off, a charset
that is not the text's. Everything is read leniently, in one pass for each level, and never deeper than DEEPEST.
"""

from __future__ import annotations

import binascii
import codecs
import html
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header

LARGEST = 2_000_000  # bytes that are read; what follows is only the returned body
LONGEST_VALUE = 4_000  # characters of a field
MOST_FIELDS = 400
MOST_PARTS = 200
MOST_MBOX_LINES = 3
DEEPEST = 12
Group = dict[str, str]

FIELD = re.compile(r"([!-9;-~]{1,76})[ \t]?:")  # RFC 5322 §2.2; some systems put a blank before the colon
BOUNDARY = re.compile(r"""boundary[ \t]*=[ \t]*(?:"([^"\n]{1,200})"|([^\s;]{1,200}))""", re.IGNORECASE)
CHARSET = re.compile(r"""charset[ \t]*=[ \t]*["']?([\w.:+-]{2,40})""", re.IGNORECASE)
UNDECLARED = re.compile(rb"^--([!-~]{4,200})\nContent-[A-Za-z-]{4,30}:", re.MULTILINE)  # a boundary no header names
KANA = re.compile("[\u3040-\u30ff]")
TAG = re.compile(r"<[^<>]*>")
LINE_TAG = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d|/?table)\b[^<>]*>", re.IGNORECASE)
RETURNED = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/partial"}
)


@dataclass(frozen=True, slots=True)
class Part:
    """A part without parts: its own header, its type in lower case, and its content as it was transferred."""

    header: Group
    content_type: str
    content: bytes

    @property
    def text(self) -> str:
        """The content decoded, with the tags taken out of HTML."""
        text = decoded(self.bare, self.header.get("content-type", ""))
        return untagged(text) if self.content_type == "text/html" else text

    @property
    def bare(self) -> bytes:
        """The content without its transfer encoding (RFC 2045 §6)."""
        match self.header.get("content-transfer-encoding", "").lower().strip():
            case "base64":
                letters = re.sub(rb"[^A-Za-z0-9+/]", b"", self.content)
                letters = letters[: len(letters) - (len(letters) % 4 == 1)]
                return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))
            case "quoted-printable":
                return quopri.decodestring(self.content)
        return self.content


def taken_apart(raw: bytes) -> tuple[Group, list[Part]]:
    """Return the mail's header and its parts in their order. What was returned in it is one part, not taken apart."""
    mail = unix(raw[:LARGEST]).lstrip(b"\n")
    for _line in range(MOST_MBOX_LINES):
        if mail.startswith((b"From ", b">From ")):  # RFC 4155
            mail = mail.partition(b"\n")[2]
    header, body = divided(mail)
    parts = []
    for part in _parts(header, body, 0):
        parts.append(part)
        if len(parts) == MOST_PARTS:
            break
    return header, parts


def unix(raw: bytes) -> bytes:
    """Return the bytes with line feeds alone as line ends."""
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def divided(mail: bytes) -> tuple[Group, bytes]:
    """Return the header and the body. A line that is no field ends the header too, unless fields follow."""
    fields: list[list[str]] = []
    place = 0
    while place < len(mail):
        end = mail.find(b"\n", place)
        end = len(mail) if end < 0 else end
        line = mail[place:end].decode("utf-8", "surrogateescape")
        if not line.strip():
            place = end + 1
            break
        if line[0] in " \t" and fields:
            fields[-1].append(line.strip())
        elif FIELD.match(line) and len(fields) < MOST_FIELDS:
            fields.append([line])
        elif fields and _goes_on(mail, end + 1):
            fields[-1].append(line.strip())
        elif len(fields) < MOST_FIELDS:
            break
        place = end + 1
    return grouped(" ".join(lines) for lines in fields), mail[place:]


def _goes_on(mail: bytes, place: int) -> bool:
    """Return whether the next line is a field, so that the one before is only folded wrongly."""
    return FIELD.match(mail[place : place + 80].decode("utf-8", "surrogateescape")) is not None


def grouped(lines: Iterator[str]) -> Group:
    """Return the first value of each field, by its name in lower case."""
    group: Group = {}
    for line in lines:
        name, _colon, value = line[: LONGEST_VALUE + 80].partition(":")
        group.setdefault(name.strip().lower(), _plain(" ".join(value.split())[:LONGEST_VALUE]))
    return group


def decoded(raw: bytes, content_type: str) -> str:
    """Return the text of bytes, by their declared charset, or by what they look like."""
    declared = CHARSET.search(content_type)
    for charset in (declared[1] if declared else "", "iso-2022-jp" if b"\x1b$" in raw else "", "utf-8"):
        if charset and (text := _decoded(raw, charset)) is not None:
            return text
    for charset in ("cp932", "euc_jp"):
        text = _decoded(raw, charset)
        if text and KANA.search(text):
            return text
    return raw.decode("latin-1") if not declared else raw.decode("utf-8", "replace")


def untagged(text: str) -> str:
    """Return what HTML says to a reader, line by line."""
    for name in ("style", "script", "title"):
        text = _without(text, name)
    lines = html.unescape(TAG.sub(" ", LINE_TAG.sub("\n", text))).split("\n")
    return "\n".join(line for raw in lines if (line := " ".join(raw.split())))


# -- inside ------------------------------------------------------------------------------------


def _parts(header: Group, body: bytes, depth: int) -> Iterator[Part]:
    declared = header.get("content-type", "")
    content_type = declared.partition(";")[0].strip().lower() or "text/plain"
    boundary = _boundary(declared, content_type, body) if depth < DEEPEST else b""
    if not boundary:
        yield Part(header, content_type, body)
        return
    before, *pieces = _pieces(body, boundary)
    if before.strip() and not content_type.startswith("multipart/"):
        yield Part({}, "text/plain", before)
    for piece in pieces:
        yield from _parts(*divided(piece), depth + 1)


def _boundary(declared: str, content_type: str, body: bytes) -> bytes:
    """Return what divides the body into parts, or nothing."""
    if content_type.startswith("multipart/"):
        found = BOUNDARY.search(declared)
        name = (found[1] or found[2]).strip().encode("utf-8", "surrogateescape") if found else b""
        if name and (b"\n--" + name in body or body.startswith(b"--" + name)):
            return name
    elif content_type != "text/plain" or (body.lstrip()[:2] != b"--" and b"MIME-encapsulated" not in body[:200]):
        return b""
    guessed = UNDECLARED.search(body[:100_000])
    return guessed[1] if guessed else b""


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Return what stands before the first boundary, then the parts."""
    mark = b"\n--" + boundary
    text = b"\n" + body
    pieces, start, place = list[bytes](), 0, 0
    while len(pieces) <= MOST_PARTS and (found := text.find(mark, place)) >= 0:
        end = text.find(b"\n", found + len(mark))
        end = len(text) if end < 0 else end
        rest = text[found + len(mark) : end].strip()
        place = end
        if rest and not rest.startswith(b"--"):  # another boundary that begins as this one does
            continue
        pieces.append(text[start:found])
        start = end + 1
        if rest:
            return pieces
    return [*pieces, text[start:]]


def _decoded(raw: bytes, charset: str) -> str | None:
    name = {"unicode-1-1-utf-7": "utf-7", "iso-8859-8-i": "iso-8859-8", "shift_jis": "cp932"}.get(
        charset.lower(), charset
    )
    try:
        if not codecs.lookup(name)._is_text_encoding:
            return None
        return raw.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None


def _plain(value: str) -> str:
    """Return a value with its encoded words decoded (RFC 2047), and nothing in it that cannot be printed."""
    if "=?" in value:
        try:
            pieces = decode_header(value)
        except (HeaderParseError, ValueError, binascii.Error):
            pieces = [(value, None)]
        value = "".join(
            piece if isinstance(piece, str) else decoded(piece, f"charset={charset}" if charset else "")
            for piece, charset in pieces
        )
    elif not value.isascii():
        value = decoded(value.encode("utf-8", "surrogateescape"), "")
    elif "\x1b" in value:
        value = decoded(value.encode(), "")
    return printable(value)


def printable(text: str) -> str:
    """Return the text fit for one line of a page or a database."""
    if text.isprintable():
        return text
    text = " ".join(text.split())
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _without(text: str, name: str) -> str:
    """Return HTML without the elements of this name, in one pass."""
    low, pieces, place = text.lower(), [], 0
    if len(low) != len(text):  # letters whose lower case is longer
        return text
    while (start := low.find(f"<{name}", place)) >= 0:
        end = low.find(f"</{name}", start)
        if end < 0:
            break
        pieces.append(text[place:start])
        place = end
    return "".join([*pieces, text[place:]])
