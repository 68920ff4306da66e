"""Which encoding a file is in, by decoding all of it strictly in an order that leaves no guess (docs/decisions.md).

BOM → ISO-2022-JP → UTF-16 without a BOM → UTF-8 → CP932 against EUC-JP. Excel in Japan saves CP932 ("Shift_JIS").
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

CHUNK = 1 << 20
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = ("cp932", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "iso-2022-jp", "euc-jp")
# EUC-JP as Python knows it has no ① and ㈱; its successor has, at the same places.
CODECS = {"euc-jp": ("euc_jp", "euc_jis_2004")}
JIS_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJI])")
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
HALF_KANA = re.compile("[\uff61-\uff9f]")


class Undecodable(Exception):
    """Some bytes are in no encoding that is known here. `line` is where; `is_cut` that the file ends within a character."""

    def __init__(self, line: int, *, is_cut: bool = False) -> None:
        super().__init__(line)
        self.line = line
        self.is_cut = is_cut


@dataclass(frozen=True)
class Decoded:
    """An encoding, under the name that people know, and the codec that reads it."""

    encoding: str
    codec: str


def detect(file: BinaryIO) -> Decoded:
    """Return the file's encoding. Raise Undecodable."""
    file.seek(0)
    head = file.read(4096)
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return check(file, encoding)
    if JIS_ESCAPE.search(head) or _is_jis(file):
        return check(file, "iso-2022-jp")
    if b"\0" in head and (utf16 := _utf16_order(head)):
        return check(file, utf16)
    if (fault := _fault(file, "utf-8")) is None:
        return Decoded("utf-8", "utf-8")
    return _legacy(file, fault)


def check(file: BinaryIO, encoding: str) -> Decoded:
    """Return how to read the file in this encoding. Raise Undecodable when it is in another."""
    faults = []
    for codec in CODECS.get(encoding, (encoding,)):
        if encoding == "iso-2022-jp":
            codec = "cp932"  # what `open_text` turns it into
        fault = _fault(plain(file, encoding), codec)
        if fault is None:
            return Decoded(encoding, codec)
        faults.append(fault)
    raise max(faults, key=lambda fault: fault.line)


def plain(file: BinaryIO, encoding: str) -> BinaryIO:
    """Return the file to decode: ISO-2022-JP turned into CP932, which has the characters that Windows adds to JIS."""
    file.seek(0)
    return BytesIO(_to_cp932(file.read())) if encoding == "iso-2022-jp" else file


def _legacy(file: BinaryIO, utf8_fault: Undecodable) -> Decoded:
    """Return CP932 or EUC-JP: the one that decodes, or where both do, the one that reads like Japanese."""
    found = []
    faults = [utf8_fault]
    for encoding in ("cp932", "euc-jp"):
        try:
            found.append(check(file, encoding))
        except Undecodable as fault:
            faults.append(fault)
    if not found:
        raise max(faults, key=lambda fault: (fault.is_cut, fault.line))
    return max(found, key=lambda decoded: _likeness(file, decoded.codec))


def _likeness(file: BinaryIO, codec: str) -> float:
    """Return how Japanese a text reads: full-width kana speak for it, half-width ones are what EUC looks like in CP932."""
    file.seek(0)
    text = file.read(1 << 16).decode(codec, "replace")
    return len(KANA.findall(text)) - 2.0 * len(HALF_KANA.findall(text)) - 10.0 * text.count("\ufffd")


def _fault(file: BinaryIO, codec: str) -> Undecodable | None:
    """Return where strict decoding fails, or None."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    lines = 1
    for chunk, is_last in _chunks(file):
        try:
            text = decoder.decode(chunk, is_last)
        except UnicodeDecodeError as error:
            before = chunk[: max(error.start, 0)]
            is_cut = is_last and error.end >= len(error.object) and len(error.object) - error.start < 4
            return Undecodable(lines + _line_ends(before.decode("latin-1")), is_cut=is_cut)
        lines += _line_ends(text)
    return None


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    chunk = file.read(CHUNK)
    while chunk:
        following = file.read(CHUNK)
        yield chunk, not following
        chunk = following


def _line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")


def _is_jis(file: BinaryIO) -> bool:
    """Return whether escapes of ISO-2022-JP come later in a file that begins in ASCII."""
    file.seek(0)
    has_escape = False
    for chunk, _is_last in _chunks(file):
        if not chunk.isascii():
            return False
        has_escape = has_escape or JIS_ESCAPE.search(chunk) is not None
    return has_escape


def _utf16_order(head: bytes) -> str:
    """Return the byte order of UTF-16 without a BOM: in mostly Western text every other byte is zero."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) < 4 or even + odd < len(head) // 10:
        return ""
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else ""


def _to_cp932(data: bytes) -> bytes:
    """Turn ISO-2022-JP (RFC 1468) into CP932: JIS X 0208 by its rows, half-width kana by their eighth bit."""
    out, mode, at = bytearray(), b"(B", 0
    for escape in JIS_ESCAPE.finditer(data):
        out += _segment(data[at : escape.start()], mode)
        mode, at = escape[1], escape.end()
    return bytes(out + _segment(data[at:], mode))


def _segment(data: bytes, mode: bytes) -> bytes:
    if mode == b"(I":
        return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in data)
    if not mode.startswith(b"$"):
        return data
    out, at = bytearray(), 0
    while at < len(data):
        row = data[at]
        if row < 0x21 or at + 1 >= len(data):  # a line end within the segment, or a character cut off
            out.append(row if row < 0x21 else 0x81)
            at += 1
            continue
        cell = data[at + 1]
        lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
        trail = cell + 0x7E if row % 2 == 0 else cell + (0x20 if cell >= 0x60 else 0x1F)
        out += bytes((lead & 0xFF, trail & 0xFF))
        at += 2
    return bytes(out)
