"""Addresses and domains to leave out, from a file as people have it: CSV or one to a line, in any encoding of `imports`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.imports.reading import BadFile, rows_of, shape_of
from campaigns.suppressions.entries import clean_entry, is_entry
from mailsales.addresses import BadAddress

MOST = 200_000  # rows of one file
LOOKED_AT = 200  # rows by which the column is chosen
ESCAPED = ("'=", "'+", "'-", "'@")  # what our own exports keep spreadsheets from running


@dataclass(frozen=True)
class Refused:
    """A line that is neither an address nor a domain."""

    line: int
    text: str
    advice: str | Promise


@dataclass(frozen=True)
class Read:
    """What stands in a file: `entries` each once, in its order."""

    entries: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def read(file: BinaryIO) -> Read:
    """Return the addresses and patterns of the file. Raise BadFile when nothing of it can be read."""
    rows = list(islice(rows_of(file, shape_of(file)), MOST + 1))
    if len(rows) > MOST:
        raise BadFile("rows", _("There are more than 200,000 rows. Split the file."))
    column = _column(row for _line, row in rows[:LOOKED_AT])
    found: dict[str, None] = {}
    refused = []
    for number, (line, row) in enumerate(rows):
        text = _cell(row, column)
        try:
            found[clean_entry(text)] = None
        except BadAddress as error:
            if number or "@" in text:  # the first row may be a heading
                refused.append(Refused(line, text[:200], error.advice))
    if not found and not refused:
        raise BadFile("empty", _("There is no address and no domain in the file."))
    return Read(list(found), refused)


def _column(rows: Iterable[list[str]]) -> int:
    """Return the column in which most addresses stand; without any, most domains."""
    scores: dict[int, tuple[int, int]] = {}
    for row in rows:
        for at, cell in enumerate(row):
            addresses, entries = scores.get(at, (0, 0))
            scores[at] = (addresses + ("@" in cell), entries + is_entry(cell))
    return max(scores, key=lambda at: (scores[at], -at), default=0)


def _cell(row: list[str], column: int) -> str:
    text = row[column].strip() if column < len(row) else ""
    return text[1:] if text.startswith(ESCAPED) else text
