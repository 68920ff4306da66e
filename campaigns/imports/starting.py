"""An import at its beginning: the file is looked into, its columns are mapped, and somebody may change that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.core.files import File

from accounts.models import Account
from campaigns.imports.mapping import ColumnMap, map_columns, override
from campaigns.imports.reading import Shape, rows_of, shape_of
from campaigns.models import ContactField, ContactImport, MailingList

LOOKED_AT = 60


@dataclass(frozen=True)
class Look:
    """What a first look into a file found."""

    shape: Shape
    columns: ColumnMap
    rows: list[tuple[int, list[str]]]


def look(
    file: BinaryIO, account: Account, *, encoding: str = "", delimiter: str = "", heading_rows: int | None = None
) -> Look:
    """Return encoding, delimiter, first rows and mapping; what is not told is found out. Raise BadFile."""
    shape = shape_of(file, encoding=encoding, delimiter=delimiter)
    rows = list(islice(rows_of(file, shape), LOOKED_AT))
    labels = {field.label: field.key for field in ContactField.objects.of(account)}
    return Look(shape, map_columns([row for _line, row in rows], labels, heading_rows), rows)


def prepare(job: ContactImport, found: Look, columns: ColumnMap) -> None:
    """Put what was found into the import, to be saved by the caller."""
    job.encoding, job.delimiter = found.shape.encoding, found.shape.delimiter
    job.heading_rows = columns.heading_rows
    job.columns = {"targets": {str(at): target for at, target in columns.targets.items()}, "headings": columns.headings}


def queue(
    account: Account,
    mailing_list: MailingList,
    path: Path,
    *,
    basis: str,
    encoding: str = "",
    wishes: Mapping[str, str] | None = None,
) -> ContactImport:
    """Return an import of a file of this machine, ready to run; `wishes` puts columns elsewhere. Raise BadFile, OSError."""
    with path.open("rb") as file:
        found = look(file, account, encoding=encoding)
        columns = override(found.columns, wishes) if wishes else found.columns
        job = ContactImport(account=account, list=mailing_list, file_name=path.name[:200], basis=basis)
        prepare(job, found, columns)
        job.status = ContactImport.Status.QUEUED
        file.seek(0)
        job.file.save(path.name[-80:], File(file), save=False)
        job.save()
    return job
