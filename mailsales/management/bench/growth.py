"""`bench growth`: whether ten times the recipients cost more than ten times as much, and whether memory stays flat."""

from __future__ import annotations

from typing import Any

from mailsales.celery import app
from mailsales.management.bench import sending, workers

FEWER = 10


def measure(recipients: int) -> dict[str, Any]:
    """Send to a tenth of the recipients, to all of them, and to a tenth again, by fresh processes each time.

    A machine that grows slower or faster meanwhile does so for the tenths on both sides, whose mean is compared.
    """
    if app.control.ping(timeout=1):
        raise workers.NotStarted(
            "Workers are running already. Stop them (Ctrl-C of make run): this bench needs its own."
        )
    runs = [sending.measure(n, None) for n in (recipients // FEWER, recipients, recipients // FEWER)]
    shown = ("recipients", "messages_per_second", "rsa_ratio", "worker_peak_rss_mb")
    return {name: [run[name] for run in runs] for name in shown} | {
        "rate_ratio": _ratio(runs, "messages_per_second"),
        "memory_ratio": _ratio(runs, "worker_peak_rss_mb"),
    }


def _ratio(runs: list[dict[str, Any]], name: str) -> float:
    before, large, after = (run[name] for run in runs)
    return float(round(2 * large / (before + after), 3))
