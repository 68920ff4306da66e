"""`bench send`: a campaign to many recipients through the real workers and the real ledger, into a sink of its own."""

from __future__ import annotations

from typing import Any

from django.db import connection

from campaigns.models import Campaign
from mailsales import ledger
from mailsales.dkim_keys import ED25519, RSA
from mailsales.management.bench import cpu, signing
from mailsales.management.bench.mailing import make_campaign, remove, send
from mailsales.management.bench.sink import Received
from mailsales.management.bench.sink_process import BenchFailed, Sink, sink
from mailsales.management.bench.steps import steps_of
from mailsales.management.bench.workers import Processes, workers

SIGNATURES = {"rsa": (RSA,), "both": (RSA, ED25519)}


def measure(
    recipients: int, sink_address: str | None, *, signatures: str = "rsa", keeps: bool = False
) -> dict[str, Any]:
    """Send to so many recipients and return the figures. Raise BenchFailed when anything was lost or doubled.

    With `keeps` the campaign and its account stay, whatever happens: for others who compare ledger and receiver.
    """
    bound = signing.rsa_bound()
    with sink(sink_address) as receiver, workers() as running:
        route = f"smtp://{receiver.host}:{receiver.port}"
        campaign = make_campaign(route, recipients, algorithms=SIGNATURES[signatures])
        try:
            found = _figures_of(campaign, recipients, receiver, running)
        except BenchFailed as error:
            if not keeps:
                raise
            raise BenchFailed(f"{error} Campaign {campaign.pk} is kept.") from error
        finally:
            if not keeps:
                remove(campaign.account)
        ratio = {
            "rsa_bound_per_second": round(bound, 1),
            "rsa_ratio": round(found["messages_per_second"] / bound, 3),
            "signatures": signatures,
        }
        return found | ratio | ({"campaign": campaign.pk} if keeps else {})


def compare(campaign: Campaign, received: Received | None, recipients: int) -> None:
    """Raise BenchFailed unless ledger, tally and sink tell the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM message WHERE campaign_id = %s GROUP BY 1", [campaign.pk])
        rows = dict(cursor.fetchall())
    tally: dict[str, int] = {}
    for _destination, status, n in ledger.execute("progress", campaign=campaign.pk):
        tally[status] = tally.get(status, 0) + int(n)
    if rows != {"sent": recipients}:
        raise BenchFailed(f"The ledger has {rows}, {recipients} were to be sent.")
    if tally.get("sent") != recipients or tally.get("all") != recipients:
        raise BenchFailed(f"The tally says {tally}.")
    if received and not len(received.recipients) == len(set(received.recipients)) == recipients:
        raise BenchFailed(
            f"The sink took {len(received.recipients)} messages for {len(set(received.recipients))} recipients."
        )


def _figures_of(campaign: Campaign, recipients: int, receiver: Sink, running: Processes) -> dict[str, Any]:
    used = [cpu.seconds(running.workers), cpu.seconds(running.postgres)]
    took = send(campaign)
    used = [cpu.seconds(running.workers) - used[0], cpu.seconds(running.postgres) - used[1]]
    received = receiver.finish()
    compare(campaign, received, recipients)
    microseconds = steps_of(campaign.pk, campaign.account_id)
    return {
        **figures(received, took, recipients),
        "worker_cpu_seconds_per_1000": round(1_000 * used[0] / recipients, 3) if running.workers else None,
        "postgres_cpu_seconds_per_1000": round(1_000 * used[1] / recipients, 3) if running.postgres else None,
        "worker_peak_rss_mb": round(cpu.peak_rss_mb(running.workers), 1),
        "microseconds": {
            **microseconds,
            "database": round(1e6 * used[1] / recipients, 1) if running.postgres else None,
        },
    }


def figures(received: Received | None, seconds: float, recipients: int) -> dict[str, Any]:
    """Return the rate, first to last message at the sink where that is ours, else from button to end."""
    span = received.last_at - received.first_at if received else seconds
    return {
        "recipients": recipients,
        "messages_per_second": round(recipients / span, 1),
        "seconds_in_all": round(seconds, 2),
        "mean_message_bytes": round(received.bytes / received.messages) if received else None,
        "encrypted_sessions": received.encrypted if received else None,
    }
