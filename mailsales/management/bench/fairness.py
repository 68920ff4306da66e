"""`bench fairness`: how long a small campaign waits for its first message behind a large one."""

from __future__ import annotations

import time
from typing import Any

from campaigns.models import Campaign
from mailsales.management.bench.mailing import cancel, count_of, make_campaign, remove, start, status_of, wait
from mailsales.management.bench.sink_process import BenchFailed, sink
from mailsales.management.bench.workers import workers

BEGUN = 2_000  # messages of the large campaign that are sent before the small one starts


def measure(recipients: int, small: int) -> dict[str, Any]:
    """Start a campaign to `small` recipients in the midst of one to `recipients`, of another account."""
    with sink(None) as many, sink(None) as few, workers():
        campaigns = [make_campaign(f"smtp://{at.host}:{at.port}", n) for at, n in ((many, recipients), (few, small))]
        large, little = campaigns
        try:
            start(large)
            wait(lambda: count_of(large, "sent") >= min(BEGUN, recipients // 2), "begin the large campaign")
            pressed_at = time.time()
            start(little)
            wait(lambda: status_of(little) == Campaign.Status.SENT, "send the small campaign", look=0.05)
            left = recipients - count_of(large, "sent")
            received = few.finish()
        finally:
            for campaign in campaigns:
                cancel(campaign)
                remove(campaign.account)
    if received is None or len(set(received.recipients)) != small:
        raise BenchFailed("The small campaign did not reach everybody.")
    return {
        "recipients": recipients,
        "small": small,
        "seconds_to_first": round(received.first_at - pressed_at, 2),
        "seconds_to_last": round(received.last_at - pressed_at, 2),
        "left_of_the_large": left,
    }
