"""`bench send`: a campaign to many recipients through the real workers and the real ledger, into a sink of its own."""

from __future__ import annotations

import time
from typing import Any

from django.db import connection

from accounts.domains import make_domain
from accounts.models import Account, Sender
from campaigns.models import Campaign, MailingList
from mailsales import doorbell, ledger, vault
from mailsales.management.bench import content, cpu, signing
from mailsales.management.bench.sink import Received
from mailsales.management.bench.sink_process import BenchFailed, sink
from mailsales.management.bench.steps import steps_of
from mailsales.management.bench.workers import workers
from mailsales.management.erasing import erase

PATIENCE = 600  # seconds without an end after which the bench gives up


def measure(recipients: int, sink_address: str | None) -> dict[str, Any]:
    """Send to so many recipients and return the figures. Raise BenchFailed when anything was lost or doubled."""
    bound = signing.rsa_bound()
    with sink(sink_address) as receiver, workers() as running:
        campaign = make_campaign(f"smtp://{receiver.host}:{receiver.port}", recipients)
        try:
            used = [cpu.seconds(running.workers), cpu.seconds(running.postgres)]
            took = send(campaign)
            used = [cpu.seconds(running.workers) - used[0], cpu.seconds(running.postgres) - used[1]]
            received = receiver.finish()
            compare(campaign, received, recipients)
            microseconds = steps_of(campaign.pk, campaign.account_id)
        finally:
            remove(campaign.account)
        found = figures(received, took, recipients)
        return {
            **found,
            "rsa_bound_per_second": round(bound, 1),
            "rsa_ratio": round(found["messages_per_second"] / bound, 3),
            "worker_cpu_seconds_per_1000": round(1_000 * used[0] / recipients, 3) if running.workers else None,
            "postgres_cpu_seconds_per_1000": round(1_000 * used[1] / recipients, 3) if running.postgres else None,
            "worker_peak_rss_mb": round(cpu.peak_rss_mb(running.workers), 1),
            "microseconds": {
                **microseconds,
                "database": round(1e6 * used[1] / recipients, 1) if running.postgres else None,
            },
        }


def make_campaign(route: str, recipients: int, destinations: int = 40) -> Campaign:
    """Make an account with a domain, a list of contacts at so many destinations, and a draft to them.

    The destinations are host0.bench.example, host1.bench.example and so on, each with as many contacts.
    """
    account = Account.objects.create(
        name=f"bench {time.time_ns()}",
        postal_address="〒100-0001 東京都千代田区1-1",
        complaint_address="info@bench.example",
        sealed_route=vault.seal(route),
    )
    domain = make_domain(account, "bench.example")
    sender = Sender.objects.create(account=account, domain=domain, name="ベンチ商店", address="news@bench.example")
    mailing_list = MailingList.objects.create(account=account, name="bench")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO destination (name) SELECT 'host' || g || '.bench.example' FROM generate_series(0, %s - 1) g ON CONFLICT (name) DO NOTHING",
            [destinations],
        )
        cursor.execute(
            """WITH made AS (
              INSERT INTO contact (account_id, address, destination_id, name, fields)
              SELECT %(account)s, 'reader' || g || '@' || d.name, d.id, '山田 太郎' || g,
                jsonb_build_object('company', '株式会社みどり' || g %% 97, 'member_no', 'A-' || g, 'points', (g * 7 %% 10000)::text, 'city', '京都市')
              FROM generate_series(1, %(n)s) g JOIN destination d ON d.name = 'host' || g %% %(destinations)s || '.bench.example'
              RETURNING id
            )
            INSERT INTO subscription (account_id, list_id, contact_id, status, basis) SELECT %(account)s, %(list)s, id, 'confirmed', 'consent' FROM made""",
            {"account": account.pk, "list": mailing_list.pk, "n": recipients, "destinations": destinations},
        )
        cursor.execute("ANALYZE contact, subscription")
    return Campaign.objects.create(
        account=account, name="bench", list=mailing_list, sender=sender, subject="{{ name }}様へ、季節のお知らせ", preheader="送料無料は月末まで",
        editor=Campaign.Editor.CODE, html=content.html(), text=content.text(), has_own_text=True,
    )  # fmt: skip


def remove(account: Account) -> None:
    erase(account.pk)


def send(campaign: Campaign) -> float:
    """Send the campaign and wait for its end; return the seconds from the button to the last record."""
    began = time.monotonic()
    if not campaign.schedule(None):
        raise BenchFailed("The campaign could not be scheduled.")
    doorbell.ring("delivery.tick")
    while time.monotonic() - began < PATIENCE:
        campaign.refresh_from_db(fields=["status", "fault"])
        if campaign.status == Campaign.Status.SENT:
            return time.monotonic() - began
        if campaign.status == Campaign.Status.HELD:
            raise BenchFailed(f"The campaign is on hold: {campaign.fault}")
        time.sleep(0.05)
    raise BenchFailed(f"The campaign did not end within {PATIENCE} s; it is {campaign.status}.")


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
