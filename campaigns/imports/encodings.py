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
# What people call them, as Python knows the names.
ALIASES = {
    "shift_jis": "cp932",
    "shift_jisx0213": "cp932",
    "euc_jp": "euc-jp",
    "iso2022_jp": "iso-2022-jp",
    "ascii": "utf-8",
}
# EUC-JP as Python knows it has no ① and ㈱; its successor has, at the same places.
CODECS = {"euc-jp": ("euc_jp", "euc_jis_2004")}
JIS_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJI])")
KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
HALF_KANA = re.compile("[\uff61-\uff9f]")
UNASSIGNED = re.compile("[\x80\xa0\uf8f0-\uf8f3]")  # what Python makes of bytes that mean nothing in CP932
RARE_KANJI = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xcf][\xa1-\xfe])*?([\xd0-\xf4][\xa1-\xfe])")  # JIS level 2 in EUC


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
        fault = _fault(file, utf16)
        if fault is None:
            return Decoded(utf16, utf16)
        if fault.is_cut:
            raise fault
    if (fault := _fault(file, "utf-8")) is None:
        return Decoded("utf-8", "utf-8")
    return _legacy(file, fault)


def check(file: BinaryIO, encoding: str) -> Decoded:
    """Return how to read the file in this encoding. Raise Undecodable when it is in another, LookupError for unknown names."""
    encoding = known_as(encoding)
    file.seek(0)
    head = file.read(4)
    encoding = next((own for bom, own in BOMS if head.startswith(bom) and own.startswith(encoding[:6])), encoding)
    faults = []
    for codec in CODECS.get(encoding, (encoding,)):
        if encoding == "iso-2022-jp":
            codec = "cp932"  # what `open_text` turns it into
        fault = _fault(plain(file, encoding), codec)
        if fault is None:
            return Decoded(encoding, codec)
        faults.append(fault)
    raise max(faults, key=lambda fault: fault.line)


def known_as(name: str) -> str:
    """Return the encoding that people mean by a name, such as cp932 for "Shift_JIS". Raise LookupError."""
    found = codecs.lookup(name).name
    encoding = ALIASES.get(found, found)
    if encoding not in ENCODINGS:
        raise LookupError(name)
    return encoding


def plain(file: BinaryIO, encoding: str) -> BinaryIO:
    """Return the file to decode: ISO-2022-JP turned into CP932, which has the characters that Windows adds to JIS."""
    file.seek(0)
    return BytesIO(_to_cp932(file.read())) if encoding == "iso-2022-jp" else file


def _legacy(file: BinaryIO, utf8_fault: Undecodable) -> Decoded:
    """Return CP932 or EUC-JP: the one that decodes, or where both do, the one that reads like Japanese.

    A file in EUC that ends within a character is a faultless row of half-width kana in CP932, so a cut counts as decoded
    until that is settled.
    """
    found: list[tuple[float, Decoded, Undecodable | None]] = []
    faults = [utf8_fault]
    for encoding in ("cp932", "euc-jp"):
        try:
            decoded, cut = check(file, encoding), None
        except Undecodable as fault:
            faults.append(fault)
            if not fault.is_cut:
                continue
            decoded, cut = Decoded(encoding, CODECS.get(encoding, (encoding,))[0]), fault
        found.append((_likeness(file, decoded), decoded, cut))
    if not found or (utf8_fault.is_cut and not _is_ascii_before(file, 4)):
        raise max(faults, key=lambda fault: (fault.is_cut, fault.line))
    _score, decoded, cut = max(found, key=lambda each: each[0])
    if cut:
        raise cut
    return decoded


def _likeness(file: BinaryIO, decoded: Decoded) -> float:
    """Return how Japanese a text reads: full-width kana speak for it, half-width ones are what EUC looks like in CP932,
    and rare kanji what half-width kana look like in EUC."""
    file.seek(0)
    data = file.read(1 << 16)
    text = data.decode(decoded.codec, "ignore")
    rare = len(RARE_KANJI.findall(data)) if decoded.encoding == "euc-jp" else 0
    return len(KANA.findall(text)) - 2.0 * len(HALF_KANA.findall(text)) - 12.0 * rare


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
        if codec == "cp932" and (odd := UNASSIGNED.search(text)):
            return Undecodable(lines + _line_ends(text[: odd.start()]))
        lines += _line_ends(text)
    return None


def _is_ascii_before(file: BinaryIO, end: int) -> bool:
    """Return whether nothing but the last bytes needs an encoding."""
    file.seek(0)
    return all((chunk[:-end] if is_last else chunk).isascii() for chunk, is_last in _chunks(file))


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
