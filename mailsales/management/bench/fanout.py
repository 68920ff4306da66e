"""`bench fanout`: a long list becomes messages while a page changes the campaign and shows how far it is."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from campaigns.models import Campaign
from mailsales import ledger
from mailsales.management.bench import cpu
from mailsales.management.bench.mailing import cancel, count_of, make_campaign, remove, start, status_of, wait
from mailsales.management.bench.sink_process import BenchFailed, sink
from mailsales.management.bench.workers import Processes, workers

PAGE_SECONDS = 0.02  # between two changes by the page


@dataclass
class Page:
    """Somebody at the campaign's page: what his changes took, in seconds, and the progress that he saw."""

    waits: list[float] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)


def measure(recipients: int, *, sends: bool) -> dict[str, Any]:
    """Fan a campaign out to so many recipients. Without `sends` it is paused meanwhile, so that this alone is measured."""
    with sink(None) as receiver, workers() as running:
        campaign = make_campaign(f"smtp://{receiver.host}:{receiver.port}", recipients)
        try:
            return _fan_out(campaign, recipients, running, sends=sends)
        finally:
            cancel(campaign)
            remove(campaign.account)


# -- inside ------------------------------------------------------------------------------------


def _fan_out(campaign: Campaign, recipients: int, running: Processes, *, sends: bool) -> dict[str, Any]:
    used, began = cpu.seconds(running.postgres), time.monotonic()
    start(campaign)
    wait(lambda: status_of(campaign) == Campaign.Status.SENDING, "start the campaign", look=0.01)
    if not sends and not campaign.pause():
        raise BenchFailed("The campaign could not be paused.")
    page, is_over = Page(), threading.Event()
    visitor = threading.Thread(target=_visit, args=(campaign.pk, page, is_over))
    visitor.start()
    try:
        wait(lambda: _is_fanned_out(campaign), "fan the campaign out")
    finally:
        took = time.monotonic() - began
        is_over.set()
        visitor.join()
    if count_of(campaign, "all") != recipients:
        raise BenchFailed(f"Of {recipients} recipients {count_of(campaign, 'all')} have a message.")
    return _figures(page, took, recipients) | {
        "postgres_cpu_seconds": round(cpu.seconds(running.postgres) - used, 1) if running.postgres else None,
        "sent_meanwhile": count_of(campaign, "sent"),
    }


def _figures(page: Page, seconds: float, recipients: int) -> dict[str, Any]:
    waits = sorted(page.waits)
    return {
        "recipients": recipients,
        "seconds": round(seconds, 2),
        "page_updates": len(waits),
        "page_wait_ms_p99": round(1e3 * waits[len(waits) * 99 // 100], 1),
        "page_wait_ms_longest": round(1e3 * waits[-1], 1),
        "progress_steps_seen": len(set(page.seen)),
    }


def _visit(campaign_id: int, page: Page, is_over: threading.Event) -> None:
    """Change the campaign's row again and again, and look at its progress."""
    try:
        while True:
            began = time.monotonic()
            Campaign.objects.filter(pk=campaign_id).update(name="bench")
            page.waits.append(time.monotonic() - began)
            rows = ledger.execute("progress", campaign=campaign_id)
            page.seen.append(sum(int(n) for _to, status, n in rows if status == "all"))
            if is_over.wait(PAGE_SECONDS):
                return
    finally:
        connection.close()


def _is_fanned_out(campaign: Campaign) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT done_at IS NOT NULL FROM fanout WHERE campaign_id = %s", [campaign.pk])
        found = cursor.fetchone()
    return bool(found and found[0])
