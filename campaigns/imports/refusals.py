"""Rows that were not imported: why, in words, and as a file to correct."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import ContactImport, ImportRefusal

WORDS: dict[str, tuple[str | Promise, str | Promise]] = {
    "empty": (gettext_lazy("The address is empty"), gettext_lazy("It was not imported.")),
    "no_at": (gettext_lazy("There is no “@”"), gettext_lazy("Please check your original file.")),
    "cut_off": (gettext_lazy("Not the form of an address"), gettext_lazy("It breaks off after the “@”.")),
    "not_an_address": (gettext_lazy("Not the form of an address"), gettext_lazy("Please check your original file.")),
    "repeated": (gettext_lazy("The same address stands in the file before"), ""),
}


def words_of(refusal: ImportRefusal) -> dict[str, Any]:
    """Return a refusal as the page shows it."""
    reason, advice = WORDS[refusal.reason]
    if refusal.reason == "repeated":
        advice = _("The first of them, line %(number)s, was used.") % {"number": refusal.detail}
    return {"line": refusal.line, "address": refusal.address or _("(empty)"), "reason": reason, "advice": advice}


def refused_csv(job: ContactImport) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(job), content_type=f"text/csv; charset={job.encoding}")
    response.headers["Content-Disposition"] = f'attachment; filename="refused-{job.pk}.csv"'
    return response


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(job: ContactImport) -> Iterator[bytes]:
    """Yield the file's own headings and rows, each with its reason at the end."""
    writer = csv.writer(_Echo(), delimiter=job.delimiter)
    codec = {"utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be", "utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(
        job.encoding, job.encoding
    )
    if job.encoding in ("utf-16", "utf-8-sig"):
        yield "\ufeff".encode(codec)
    headings = job.columns["headings"]
    rows: Iterator[list[object]] = iter([[*headings, _("Reason")]] if any(headings) else [])
    address_at = next(int(at) for at, target in job.columns["targets"].items() if target == "address")
    for row in rows:
        yield writer.writerow(row).encode(codec, "replace")
    for refusal in ImportRefusal.objects.filter(account=job.account, contact_import=job).order_by("line").iterator():
        cells = refusal.row or [
            "" if at != address_at else refusal.address for at in range(max(len(headings), address_at + 1))
        ]
        reason = words_of(refusal)["reason"]
        yield writer.writerow([*cells, *[""] * (len(headings) - len(cells)), reason]).encode(codec, "replace")
