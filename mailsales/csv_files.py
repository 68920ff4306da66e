"""CSV files to download, streamed, in the encodings that Japanese offices use."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice

from django.http import StreamingHttpResponse

ENCODINGS = ("cp932", "utf-8")  # the second with a byte order mark, without which Excel shows garbage
CHUNK = 2_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets would run
UNSAYABLE = "〓"


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_response(rows: Iterator[list[object]], encoding: str, name: str) -> StreamingHttpResponse:
    """Return the rows as a file. What CP932 cannot hold becomes 〓, which `unsayable` tells beforehand."""
    response = StreamingHttpResponse(_encoded(rows, encoding), content_type=f"text/csv; charset={encoding}")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def unsayable(texts: Iterable[str], encoding: str) -> list[str]:
    """Return the characters that the encoding cannot hold, each once."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            found |= dict.fromkeys(letter for letter in text if not _holds(encoding, letter))
    return list(found)


def _encoded(rows: Iterator[list[object]], encoding: str) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    is_first = True
    while part := "".join(writer.writerow([_plain(cell) for cell in row]) for row in islice(rows, CHUNK)):
        if encoding == "cp932":
            yield _cp932(part)
        else:
            yield part.encode("utf-8-sig" if is_first else "utf-8")
        is_first = False


def _plain(cell: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    said = str(cell)
    return f"'{said}" if said.startswith(FORMULA) else said


def _cp932(text: str) -> bytes:
    try:
        return text.encode("cp932")
    except UnicodeEncodeError:
        return "".join(letter if _holds("cp932", letter) else UNSAYABLE for letter in text).encode("cp932")


def _holds(encoding: str, letter: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
