"""Celery tasks: shells around functions elsewhere, safe to run twice and beside themselves."""

from __future__ import annotations

from celery import shared_task

from accounts.domains import blocklisting, rechecking, rotation


@shared_task(name="accounts.recheck_domains")
def recheck_domains() -> None:
    rechecking.recheck_due()


@shared_task(name="accounts.rotate_keys")
def rotate_keys() -> None:
    rotation.rotate_due()


@shared_task(name="accounts.check_blocklists")
def check_blocklists() -> None:
    blocklisting.check_due()
