"""From checked columns to contacts: rows are staged by COPY, then merged set by set. Nothing is seen before all is staged.

A unit of work is a slice of some seconds in one transaction: killed, it is repeated, and nothing is counted twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from campaigns.imports.mapping import LABELS, used_fields
from campaigns.imports.reading import BadFile, Shape, rows_of
from campaigns.models import ContactField, ContactImport, ImportRefusal
from mailsales.addresses import BadAddress, clean_address

Status = ContactImport.Status
RUNNING = (Status.QUEUED, Status.READING, Status.LOADING)
SLICE_SECONDS = 6.0
BATCH = 5_000  # rows between two looks at the clock
MERGE_ROWS = 4_000  # of one merging slice
LONGEST_NAME = 200
STAGE = "COPY import_row (account_id, import_id, line, address, domain, name, fields) FROM STDIN"
REFUSE = "COPY import_refusal (account_id, contact_import_id, line, reason, detail, address, row) FROM STDIN"
REPEATED = """
WITH repeated AS (
  SELECT line, address, first FROM (SELECT line, address, min(line) OVER (PARTITION BY address) AS first FROM import_row WHERE import_id = %(i)s) r
  WHERE line > first
), gone AS (
  DELETE FROM import_row s USING repeated r WHERE s.import_id = %(i)s AND s.line = r.line
)
INSERT INTO import_refusal (account_id, contact_import_id, line, reason, detail, address, row)
SELECT %(a)s, %(i)s, line, 'repeated', first::text, address, '[]' FROM repeated ON CONFLICT DO NOTHING
"""
DESTINATIONS = """
INSERT INTO destination (name) SELECT DISTINCT domain FROM import_row WHERE import_id = %(i)s ORDER BY domain ON CONFLICT (name) DO NOTHING
"""
# Two files with the same people in another order would wait for each other for ever.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext(%s))"
# What the file leaves empty stays as it was; what it says wins. OFFSET 0 keeps the planner at looking contacts up one by one:
# what it would rather read whole grows with every slice. The account comes from the row, not as a constant: of a new one the
# statistics say that it has nobody, and then the index of all its contacts looks as good as that of the address.
MERGE = """
WITH slice AS (
  SELECT s.*, d.id AS destination_id, c.id AS contact_id,
    c.fields || s.fields <> c.fields OR (s.name <> '' AND s.name <> c.name) AS is_changed
  FROM (SELECT * FROM import_row WHERE import_id = %(i)s AND line > %(after)s ORDER BY line LIMIT %(limit)s) s
  JOIN destination d ON d.name = s.domain
  LEFT JOIN LATERAL (SELECT id, name, fields FROM contact WHERE account_id = s.account_id AND address = s.address OFFSET 0) c ON true
), updated AS (
  UPDATE contact c SET name = CASE s.name WHEN '' THEN c.name ELSE s.name END, fields = c.fields || s.fields, updated_at = now()
  FROM slice s WHERE c.id = s.contact_id AND s.is_changed RETURNING c.id
), made AS (
  INSERT INTO contact (account_id, address, destination_id, name, fields)
  SELECT %(a)s, address, destination_id, name, fields FROM slice WHERE contact_id IS NULL
  ON CONFLICT (account_id, address) DO NOTHING RETURNING id
), joined AS (
  INSERT INTO subscription (account_id, list_id, contact_id, status, basis, source)
  SELECT %(a)s, %(list)s, id, 'confirmed', %(basis)s, %(source)s
  FROM (SELECT contact_id AS id FROM slice WHERE contact_id IS NOT NULL UNION ALL SELECT id FROM made) everybody
  ON CONFLICT (list_id, contact_id) DO NOTHING RETURNING contact_id
), gone AS (
  DELETE FROM import_row WHERE import_id = %(i)s AND line > %(after)s AND line <= (SELECT max(line) FROM slice)
)
SELECT count(*), (SELECT count(*) FROM made),
  count(*) FILTER (WHERE contact_id IN (SELECT id FROM updated UNION ALL SELECT contact_id FROM joined)), max(line),
  count(*) FILTER (WHERE contact_id IS NULL)
FROM slice
"""


def run_next(seconds: float = SLICE_SECONDS) -> bool:
    """Do a slice of the oldest import that waits; return whether there was one. Others may do the same beside."""
    with transaction.atomic():
        waiting = ContactImport.objects.filter(status__in=RUNNING)
        job = (
            waiting.select_for_update(skip_locked=True, of=("self",))
            .select_related("account", "list")
            .order_by("pk")
            .first()
        )
        if job is None:
            return False
        work(job, seconds)
    return True


def run_whole(job: ContactImport) -> ContactImport:
    """Do all of an import at once, for the command line; workers that find it first only help."""
    while job.status in RUNNING:
        job = run_slice(job)
    return job


def run_slice(job: ContactImport) -> ContactImport:
    """Do a slice of this import as soon as nobody else does one; return how it stands then."""
    with transaction.atomic():
        job = ContactImport.objects.select_for_update(of=("self",)).select_related("account", "list").get(pk=job.pk)
        if job.status in RUNNING:
            work(job, SLICE_SECONDS)
    return job


def work(job: ContactImport, seconds: float) -> None:
    """Do a slice of this import; the caller holds its row and the transaction."""
    job.started_at = job.started_at or now()
    job.touched_at = now()
    if job.status == Status.LOADING:
        _merge(job, seconds)
    else:
        job.status = Status.READING
        try:
            with transaction.atomic():
                _read(job, seconds)
        except BadFile as fault:
            _refuse_file(job, fault)
    job.save()


def stop(job: ContactImport) -> bool:
    """Take no further row; those merged already stay. Return whether it was still running."""
    stopped = ContactImport.objects.filter(pk=job.pk, status__in=RUNNING).update(
        status=Status.STOPPED, finished_at=now()
    )
    if stopped:
        _clear(job)
    return bool(stopped)


# -- reading -----------------------------------------------------------------------------------


def _read(job: ContactImport, seconds: float) -> None:
    """Stage rows until the time is over; at the end of the file find repetitions and go on to merging."""
    until = time.monotonic() + seconds
    with job.file.open("rb") as file, closing(rows_of(file.file, Shape(job.encoding, job.delimiter))) as rows:
        people = islice(rows, job.heading_rows + job.rows, None)
        while batch := list(islice(people, BATCH)):
            _stage(job, batch)
            if time.monotonic() > until:
                return
    if not job.rows:
        raise BadFile("empty", _("There is nobody in the file."))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE import_row")
        cursor.execute(REPEATED, {"i": job.pk, "a": job.account_id})
        job.refused += cursor.rowcount
        cursor.execute(DESTINATIONS, {"i": job.pk})
    _make_fields(job)
    job.done = job.refused
    job.status = Status.LOADING


def _stage(job: ContactImport, batch: list[tuple[int, list[str]]]) -> None:
    refusals: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        with cursor.copy(STAGE) as copy:
            for values in _cleaned(job, batch, refusals):
                copy.write_row(values)
        with cursor.copy(REFUSE) as copy:
            for refusal in refusals:
                copy.write_row(refusal)
    job.rows += len(batch)
    job.refused += len(refusals)


def _cleaned(
    job: ContactImport, batch: list[tuple[int, list[str]]], refusals: list[tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Yield what is staged of each row; rows without a good address go into `refusals`."""
    targets = {int(column): target for column, target in job.columns["targets"].items()}
    place = {target: column for column, target in targets.items()}
    address_at = place["address"]
    name_at = [place[target] for target in ("name", "family_name", "given_name") if target in place]
    fields = [
        (column, target.removeprefix("field:")) for column, target in targets.items() if target.startswith("field:")
    ]
    account, pk, dumps = job.account_id, job.pk, json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for line, row in batch:
        width = len(row)
        typed = row[address_at] if address_at < width else ""
        try:
            address = clean_address(typed)
        except BadAddress as fault:
            refusals.append((account, pk, line, fault.reason, "", typed[:300], dumps([cell[:1_000] for cell in row])))
            continue
        name = " ".join([cell for at in name_at if at < width and (cell := row[at].strip())])[:LONGEST_NAME]
        known = {key: cell for at, key in fields if at < width and (cell := row[at].strip())}
        yield account, pk, line, address, address.rpartition("@")[2], name, dumps(known) if known else "{}"


def _make_fields(job: ContactImport) -> None:
    """Make the account's own fields that the file brings."""
    headings = {target: job.columns["headings"][int(at)] for at, target in job.columns["targets"].items()}
    for position, key in enumerate(used_fields(job.columns["targets"].values()), 1):
        label = headings.get(f"field:{key}") or str(LABELS.get(key, key))
        ContactField.objects.get_or_create(
            account=job.account, key=key, defaults={"label": label[:100], "position": position}
        )


def _refuse_file(job: ContactImport, fault: BadFile) -> None:
    """Keep nothing of a file that cannot be read to its end."""
    _clear(job)
    ImportRefusal.objects.filter(contact_import=job).delete()
    job.status, job.finished_at = Status.REFUSED, now()
    job.rows = job.done = job.refused = 0
    job.error = {"reason": fault.reason, "advice": str(fault.advice), "line": fault.line}


# -- merging -----------------------------------------------------------------------------------


def _merge(job: ContactImport, seconds: float) -> None:
    until = time.monotonic() + seconds
    values: dict[str, Any] = {
        "i": job.pk,
        "a": job.account_id,
        "list": job.list_id,
        "basis": job.basis,
        "source": job.file_name,
        "limit": MERGE_ROWS,
        "after": -1,
    }
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [f"import {job.account_id}"])
    while True:  # however little time there is, so that a slice always gets on
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(MERGE, values)
            count, made, updated, last, unknown = cursor.fetchone()
            if made < unknown:  # somebody else made one of them meanwhile, who must be on this list, too: look again
                transaction.set_rollback(True)
                continue
        if not count and job.done < job.rows:
            _read_again(job)
            return
        if not count:
            job.status, job.finished_at = Status.DONE, now()
            _clear(job)
            return
        values["after"] = last  # rows gone before stay in the index until this transaction ends
        job.done += count
        job.new += made
        job.updated += updated
        job.unchanged = max(0, job.done - job.refused - job.new - job.updated)
        if time.monotonic() > until:
            return


def _read_again(job: ContactImport) -> None:
    """Begin anew: PostgreSQL crashed and emptied the staging, which is unlogged. Whom it merged before is not counted twice."""
    ImportRefusal.objects.filter(contact_import=job).delete()
    job.status = Status.QUEUED
    job.rows = job.done = job.refused = 0


def _clear(job: ContactImport) -> None:
    """Forget the staged rows and the uploaded file, which holds people's data that nobody needs any more."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM import_row WHERE import_id = %s", [job.pk])
    transaction.on_commit(lambda: job.file.delete(save=False))


def forget_abandoned(days: int = 2) -> int:
    """Delete uploads that nobody went on with; return how many."""
    abandoned = ContactImport.objects.filter(status=Status.UPLOADED, created_at__lt=now() - timedelta(days=days))
    for job in abandoned:
        job.file.delete(save=False)
    return abandoned.delete()[0]
