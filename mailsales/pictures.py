"""What a picture really is, by its own bytes: PNG, JPEG, GIF or WebP, and how large.

Only headers are read, none of the pixels: nothing is unpacked, so nothing can be a bomb, and no library is needed that
would. SVG is no picture here, for it can hold script.
PNG: W3C PNG §5, §11.2.1. JPEG: ITU-T T.81 Annex B. GIF: GIF89a §17, §18. WebP: RFC 9649 §2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


class NoPicture(ValueError):
    """The bytes are none of the kinds that are known, or end too early."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`kind` is the media type; sizes in pixels."""

    kind: str
    width: int
    height: int


def look(data: bytes) -> Picture:
    """Return what the bytes are. Raise NoPicture."""
    try:
        for starts, read in READERS:
            if data.startswith(starts):
                return read(data)
    except (struct.error, IndexError) as error:
        raise NoPicture from error
    raise NoPicture


def _png(data: bytes) -> Picture:
    if data[12:16] != b"IHDR" or b"IEND" not in data[-12:]:
        raise NoPicture
    return _picture("image/png", *struct.unpack_from(">II", data, 16))


def _gif(data: bytes) -> Picture:
    return _picture("image/gif", *struct.unpack_from("<HH", data, 6))


def _jpeg(data: bytes) -> Picture:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return _picture("image/jpeg", width, height)
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    raise NoPicture


def _webp(data: bytes) -> Picture:
    if data[8:12] != b"WEBP":
        raise NoPicture
    if data[12:16] == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return _picture("image/webp", width & 0x3FFF, height & 0x3FFF)
    if data[12:16] == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack_from("<I", data, 21)[0]
        return _picture("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if data[12:16] == b"VP8X":
        return _picture("image/webp", *(int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27)))
    raise NoPicture


def _picture(kind: str, width: int, height: int) -> Picture:
    if not width or not height:
        raise NoPicture
    return Picture(kind, width, height)


READERS = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
    ((b"GIF87a", b"GIF89a"), _gif),
    (b"RIFF", _webp),
)
