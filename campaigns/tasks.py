"""Celery tasks: shells around functions elsewhere, safe to run twice and beside themselves."""

from __future__ import annotations

from celery import shared_task

from campaigns.imports import loading
from mailsales.doorbell import ring


@shared_task(name="campaigns.run_imports")
def run_imports() -> None:
    if loading.run_next():
        ring("campaigns.run_imports")
    else:
        loading.forget_abandoned()
