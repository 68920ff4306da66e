"""`bench growth`: whether ten times the recipients cost more than ten times as much, and whether memory stays flat."""

from __future__ import annotations

from typing import Any

from mailsales.celery import app
from mailsales.management.bench import sending, workers

FEWER = 10


def measure(recipients: int) -> dict[str, Any]:
    """Send to a tenth of the recipients and to all of them, by fresh processes each time, and compare."""
    if app.control.ping(timeout=1):
        raise workers.NotStarted(
            "Workers are running already. Stop them (Ctrl-C of make run): this bench needs its own."
        )
    small, large = (sending.measure(n, None) for n in (recipients // FEWER, recipients))
    return {
        "recipients": [small["recipients"], large["recipients"]],
        "messages_per_second": [small["messages_per_second"], large["messages_per_second"]],
        "rsa_ratio": [small["rsa_ratio"], large["rsa_ratio"]],
        "worker_peak_rss_mb": [small["worker_peak_rss_mb"], large["worker_peak_rss_mb"]],
        "rate_ratio": round(large["messages_per_second"] / small["messages_per_second"], 3),
        "memory_ratio": round(large["worker_peak_rss_mb"] / small["worker_peak_rss_mb"], 3),
    }
