"""An import in the browser: file, columns, progress, result."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.decorators import WRITERS, member_required, polled
from accounts.http import AccountRequest
from campaigns.forms.imports import ColumnsForm, ImportForm, ShapeForm
from campaigns.imports import loading, starting
from campaigns.imports.reading import BadFile
from campaigns.imports.refusals import refused_csv, words_of
from campaigns.models import ContactImport, ImportRefusal
from mailsales.doorbell import ring
from mailsales.paging import page_of

Status = ContactImport.Status
SHOWN_ROWS = 5
STEPS: list[tuple[str | Promise, str | Promise]] = [
    (gettext_lazy("File"), "CSV"),
    (gettext_lazy("Check columns"), gettext_lazy("Encoding and fields")),
    (gettext_lazy("Import"), gettext_lazy("Watch it as it runs")),
    (gettext_lazy("Result"), gettext_lazy("Rows to correct")),
]


@dataclass(frozen=True)
class Step:
    name: str | Promise
    text: str | Promise
    mark: str


def _steps(now: int) -> list[Step]:
    marks = ["done" if at < now else "now" if at == now else "" for at in range(len(STEPS))]
    return [Step(name, text, mark) for (name, text), mark in zip(STEPS, marks, strict=True)]


# -- /imports/ ---------------------------------------------------------------------------------


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
def import_create(request: AccountRequest) -> HttpResponse:
    form = ImportForm(request.POST or None, request.FILES or None, account=request.account)
    if form.is_valid():
        try:
            return redirect("campaigns:import_map", _keep(request, form).pk)
        except BadFile as fault:
            form.add_error("file", _at_line(fault))
    context = {"form": form, "steps": _steps(0)}
    return render(request, "campaigns/import_create.html", context, status=422 if form.is_bound else 200)


def _keep(request: AccountRequest, form: ImportForm) -> ContactImport:
    """Keep the uploaded file with what a first look found in it. Raise BadFile, and keep nothing."""
    file = form.cleaned_data["file"]
    found = starting.look(file.file, request.account)
    with transaction.atomic():
        job = ContactImport(
            account=request.account, list=form.chosen_list(), created_by=request.user, file_name=file.name[:200]
        )
        job.basis = form.cleaned_data["basis"]
        starting.prepare(job, found, found.columns)
        file.seek(0)
        job.file.save(file.name[-80:], file, save=False)
        job.save()
    return job


def _at_line(fault: BadFile) -> str:
    return (
        _("Line %(line)s: %(advice)s") % {"line": fault.line, "advice": fault.advice}
        if fault.line
        else str(fault.advice)
    )


# -- /imports/<id>/ ----------------------------------------------------------------------------


@member_required(*WRITERS)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def import_map(request: AccountRequest, pk: int) -> HttpResponse:
    """Show the first rows and what each column is taken for; another encoding or delimiter is tried at once."""
    job: ContactImport = get_object_or_404(ContactImport.objects.of(request.account), pk=pk)
    if job.status != Status.UPLOADED:
        return redirect(job)
    shape = ShapeForm(
        {"encoding": job.encoding, "delimiter": job.delimiter}
        | {key: request.GET[key] for key in ("encoding", "delimiter", "heading_rows") if key in request.GET}
    )
    template = "campaigns/_import_map.html" if request.htmx else "campaigns/import_map.html"
    try:
        with job.file.open("rb") as file:
            found = starting.look(file.file, request.account, **(shape.cleaned_data if shape.is_valid() else {}))
    except BadFile as fault:
        shape.add_error(None, _at_line(fault))
        return render(request, template, {"import": job, "shape": shape, "steps": _steps(1)}, status=422)
    headings = found.columns.headings
    form = ColumnsForm(request.POST or None, account=request.account, headings=headings, targets=found.columns.targets)
    if form.is_valid():
        return _begin(job, found, form)
    context = {"import": job, "shape": shape, "form": form, "columns": _columns(form, found), "steps": _steps(1)}
    return render(request, template, context, status=422 if form.is_bound else 200)


def _begin(job: ContactImport, found: starting.Look, form: ColumnsForm) -> HttpResponse:
    starting.prepare(job, found, replace(found.columns, targets=form.targets()))
    job.status = Status.QUEUED
    job.save()
    ring("campaigns.run_imports")
    return redirect(job)


def _columns(form: ColumnsForm, found: starting.Look) -> list[dict[str, Any]]:
    """Return each column with its choice and what the first people have in it."""
    people = found.rows[found.columns.heading_rows :][:SHOWN_ROWS]
    return [
        {
            "field": form[f"column_{at}"],
            "name": heading,
            "cells": [row[at] if at < len(row) else "" for _line, row in people],
        }
        for at, heading in enumerate(form.headings)
    ]


@polled
@member_required()
@require_GET
@vary_on_headers("HX-Request", "HX-Target")
def import_detail(request: AccountRequest, pk: int) -> HttpResponse:
    job: ContactImport = get_object_or_404(ContactImport.objects.of(request.account).select_related("list"), pk=pk)
    if job.status == Status.UPLOADED:
        return redirect("campaigns:import_map", pk)
    is_over = job.status in (Status.DONE, Status.REFUSED, Status.STOPPED)
    page = page_of(
        ImportRefusal.objects.of(request.account).filter(contact_import=job),
        request.GET,
        target="import-refused",
        total=job.refused,
    )
    context = {
        "import": job,
        "is_over": is_over,
        "done_share": round(100 * job.done / job.rows, 1) if job.rows and job.status == Status.LOADING else 0,
        "seconds": (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None,
        "page": page,
        "refused": [words_of(refusal) for refusal in page.rows],
        "steps": _steps(3 if is_over else 2),
    }
    if request.htmx and request.htmx.target == "import-refused":
        return render(request, "campaigns/_import_refused.html", context)
    if request.htmx:
        return (
            HttpResponse(headers={"HX-Refresh": "true"})
            if is_over
            else render(request, "campaigns/_import_progress.html", context)
        )
    return render(request, "campaigns/import_detail.html", context)


@member_required(*WRITERS)
@require_POST
def import_stop(request: AccountRequest, pk: int) -> HttpResponse:
    job: ContactImport = get_object_or_404(ContactImport.objects.of(request.account), pk=pk)
    if loading.stop(job):
        messages.info(request, _("The import was stopped. The people imported so far stay."))
    return redirect(job)


@member_required(*WRITERS)
@require_GET
def import_refused(request: AccountRequest, pk: int) -> HttpResponseBase:
    """Download the rows that were not imported, in the file's own encoding, ready to be corrected and imported again."""
    job: ContactImport = get_object_or_404(ContactImport.objects.of(request.account), pk=pk)
    return refused_csv(job)
