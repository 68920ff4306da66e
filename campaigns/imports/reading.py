"""Rows out of a CSV file as people really have it: any line ends, line breaks and quotes where they should not be, NULs."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.imports import encodings

DELIMITERS = (",", "\t", ";")
SAMPLE_ROWS = 50
MOST_COLUMNS = 1_000
MOST_LINES = 60  # of one row: beyond that a quotation mark was never closed
LONGEST_CELL = 200_000
csv.field_size_limit(LONGEST_CELL)


class BadFile(Exception):
    """The file cannot be imported, and nothing of it was. `reason` is a code, `advice` a sentence for people."""

    def __init__(self, reason: str, advice: str | Promise, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.line = line


@dataclass(frozen=True)
class Shape:
    """How a file is to be read."""

    encoding: str
    delimiter: str
    codec: str = ""  # found out again where it is not known


def shape_of(file: BinaryIO, *, encoding: str = "", delimiter: str = "") -> Shape:
    """Return the file's encoding and delimiter, found out where they are not given. Raise BadFile."""
    try:
        decoded = encodings.check(file, encoding) if encoding else encodings.detect(file)
    except encodings.Undecodable as fault:
        raise _undecodable(fault) from fault
    except LookupError as error:
        raise BadFile(
            "encoding", _("This encoding is not known. Use cp932, utf-8, utf-16, iso-2022-jp or euc-jp.")
        ) from error
    delimiter = delimiter or _delimiter(file, decoded)
    return Shape(decoded.encoding, delimiter, decoded.codec)


def rows_of(file: BinaryIO, shape: Shape) -> Generator[tuple[int, list[str]], None, None]:
    """Yield each row with the line on which it begins; empty rows are skipped. Raise BadFile."""
    try:
        codec = shape.codec or encodings.check(file, shape.encoding).codec
    except encodings.Undecodable as fault:
        raise _undecodable(fault) from fault
    yield from _rows(_text(file, shape.encoding, codec), shape.delimiter)


def _undecodable(fault: encodings.Undecodable) -> BadFile:
    if fault.is_cut:
        advice = _("The file breaks off within a character. Save it again, and copy it whole.")
        return BadFile("cut_off", advice, fault.line)
    advice = _(
        "Some characters are in no encoding that is known here. Save the file as CSV UTF-8, or choose the encoding."
    )
    return BadFile("encoding", advice, fault.line)


def _text(file: BinaryIO, encoding: str, codec: str) -> TextIOWrapper:
    plain = encodings.plain(file, encoding)
    plain.seek(0)
    return TextIOWrapper(plain, encoding=codec, newline="")


def _rows(text: TextIOWrapper, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    pending: list[str] = []  # the lines of the row being read

    def lines() -> Iterator[str]:
        for line in text:
            clean = line.replace("\0", "") if "\0" in line else line
            pending.append(clean)
            if len(pending) > MOST_LINES:
                raise _unclosed(start)
            yield clean

    source = lines()
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)
    start = 1
    try:
        while True:
            try:
                row = next(reader, None)
            except csv.Error:
                row = _mended(pending, source, delimiter, start)
            if row is None:
                return
            if len(row) > MOST_COLUMNS:
                raise BadFile("columns", _("There are more than 1,000 columns in a row."), start)
            if any(cell and not cell.isspace() for cell in row):
                yield start, row
            start += len(pending)
            pending.clear()
    finally:
        text.detach()


def _mended(pending: list[str], source: Iterator[str], delimiter: str, start: int) -> list[str]:
    """Return a row whose quotation marks are broken, reading on where it goes on. Raise BadFile when none closes it."""
    closing = re.compile(rf'"[ \u3000]*({re.escape(delimiter)}|[\r\n]*\Z)')
    while (row := _loosely("".join(pending), delimiter, closing)) is None:
        if next(source, None) is None:
            raise _unclosed(start)
    if any(len(cell) > LONGEST_CELL for cell in row):
        raise BadFile("too_long", _("A cell holds more than 200,000 characters."), start)
    return row


def _loosely(text: str, delimiter: str, closing: re.Pattern[str]) -> list[str] | None:
    """Return the cells of a row in which a quotation mark closes a cell only before a delimiter or the end.

    None: the last cell is still open.
    """
    cells, at = [], 0
    while True:
        opened = re.compile(r' *"').match(text, at) if delimiter != "\t" else re.compile('"').match(text, at)
        if opened:
            end = closing.search(text, opened.end())
            while end and _is_doubled(text, end.start(), opened.end()):
                end = closing.search(text, end.start() + 1)
            if end is None:
                return None
            cells.append(text[opened.end() : end.start()].replace('""', '"'))
            if end[1] != delimiter:
                return cells
            at = end.end()
        else:
            cell, found, _rest = text[at:].partition(delimiter)
            if not found:
                return [*cells, cell.rstrip("\r\n")]
            cells.append(cell)
            at += len(cell) + len(delimiter)


def _is_doubled(text: str, at: int, start: int) -> bool:
    """Return whether the quotation mark is the second of a pair that stands for one within the cell."""
    before = at
    while before > start and text[before - 1] == '"':
        before -= 1
    return (at - before) % 2 == 1


def _unclosed(line: int) -> BadFile:
    return BadFile("quotes", _("A quotation mark is opened here and never closed. Remove it, or close it."), line)


def _delimiter(file: BinaryIO, decoded: encodings.Decoded) -> str:
    """Return the delimiter that makes most rows equally wide, and wider than one column."""

    def score(delimiter: str) -> tuple[float, int]:
        widths: Counter[int] = Counter()
        with suppress(BadFile):  # what comes before the fault tells enough
            shape = Shape(decoded.encoding, delimiter, decoded.codec)
            for _line, row in islice(rows_of(file, shape), SAMPLE_ROWS):
                widths[len(row)] += 1
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]), default=(1, 0))
        return (count / widths.total(), width) if width > 1 else (0.0, 0)

    return max(DELIMITERS, key=lambda delimiter: (score(delimiter), -DELIMITERS.index(delimiter)))
