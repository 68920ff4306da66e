"""An import at its beginning: the file is looked into, its columns are mapped, and somebody may change that."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from accounts.models import Account
from campaigns.imports.mapping import ColumnMap, map_columns
from campaigns.imports.reading import Shape, rows_of, shape_of
from campaigns.models import ContactField, ContactImport

LOOKED_AT = 60


@dataclass(frozen=True)
class Look:
    """What a first look into a file found."""

    shape: Shape
    columns: ColumnMap
    rows: list[tuple[int, list[str]]]


def look(file: BinaryIO, account: Account, *, encoding: str = "", delimiter: str = "") -> Look:
    """Return encoding, delimiter, first rows and mapping. Raise BadFile."""
    shape = shape_of(file, encoding=encoding, delimiter=delimiter)
    rows = list(islice(rows_of(file, shape), LOOKED_AT))
    labels = {field.label: field.key for field in ContactField.objects.of(account)}
    return Look(shape, map_columns([row for _line, row in rows], labels), rows)


def prepare(job: ContactImport, found: Look, columns: ColumnMap) -> None:
    """Put what was found into the import, to be saved by the caller."""
    job.encoding, job.delimiter = found.shape.encoding, found.shape.delimiter
    job.heading_rows = columns.heading_rows
    job.columns = {"targets": {str(at): target for at, target in columns.targets.items()}, "headings": columns.headings}
