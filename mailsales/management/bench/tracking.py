"""`bench track`: clicks and opens against a running web process."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from campaigns.models import Campaign
from delivery.models import Link
from mailsales import tokens
from mailsales.management.bench import content, http_load
from mailsales.management.bench.mailing import make_campaign, remove
from mailsales.management.bench.sink_process import BenchFailed
from mailsales.management.bench.workers import web

CONNECTIONS = 8


def measure(requests: int) -> dict[str, Any]:
    campaign = make_campaign("", requests)
    try:
        with web():
            return track(campaign, make_sent(campaign))
    finally:
        remove(campaign.account)


def make_sent(campaign: Campaign) -> list[int]:
    """Pretend that the campaign was sent; return the ids of its messages."""
    Link.objects.bulk_create(
        Link(account=campaign.account, campaign=campaign, number=n, url=content.link(n))
        for n in range(1, content.LINKS + 1)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO message (account_id, campaign_id, contact_id, destination_id, address, status, closed_at)
            SELECT k.account_id, %s, k.id, k.destination_id, k.address, 'sent', now() - interval '1 hour' FROM contact k WHERE k.account_id = %s
            RETURNING id""",
            [campaign.pk, campaign.account_id],
        )
        ids = [row[0] for row in cursor.fetchall()]
    Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.SENT, send_at=now(), closed_at=now())
    return ids


def track(campaign: Campaign, message_ids: list[int]) -> dict[str, Any]:
    """Follow one link and fetch one pixel of each message; compare what was counted with what was asked."""
    order = random.Random(7)  # noqa: S311 -- the same order each time
    account = campaign.account_id
    clicks = [f"/c/{tokens.link_token(account, pk, order.randint(1, content.LINKS))}" for pk in message_ids]
    opens = [f"/o/{tokens.open_token(account, pk)}" for pk in message_ids]
    asyncio.run(http_load.load(settings.TRACKING_URL, clicks[:200] + opens[:200], connections=CONNECTIONS))
    clicked = asyncio.run(http_load.load(settings.TRACKING_URL, clicks, connections=CONNECTIONS))
    opened = asyncio.run(http_load.load(settings.TRACKING_URL, opens, connections=CONNECTIONS))
    if set(clicked.statuses) != {302} or set(opened.statuses) != {200}:
        raise BenchFailed(f"The web process answered clicks with {clicked.statuses}, opens with {opened.statuses}.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM click WHERE campaign_id = %(c)s), (SELECT count(*) FROM open WHERE campaign_id = %(c)s)",
            {"c": campaign.pk},
        )
        counted = cursor.fetchone()
    asked = (len(clicks) + min(200, len(clicks)), len(opens) + min(200, len(opens)))
    if counted != asked:
        raise BenchFailed(f"{counted} events were counted, {asked} were made.")
    return {
        "requests": len(clicks) + len(opens),
        "clicks_per_second": round(clicked.per_second, 1),
        "opens_per_second": round(opened.per_second, 1),
        "p99_ms": round(max(clicked.p99_ms, opened.p99_ms), 2),
    }
