"""The tick and its helpers: what happens to campaigns without anybody pressing a button (docs/ledger.md §6).

Everything here is guarded by the ledger's statements: two beats, late beats and no beat for a while are the same to it.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from campaigns import merge
from campaigns.models import Campaign
from delivery import compose, domain_holds, renditions, throttles
from delivery.routes import read_route
from mailsales import doorbell, ledger

logger = logging.getLogger(__name__)

FAN_OUT_SLICE = 5_000
CLOSE_SLICE = 10_000
LANES = 4  # of a campaign: how many of its batches may be worked on at once
LANE_TASK = "delivery.run_lane"
FAN_OUT_TASK = "delivery.fan_out"
OPEN = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.CANCELLED)
RESENDABLE = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.SENT)  # as the statement has it


def tick() -> None:
    """Do what is due now: hold what is late, start what is due, ring what is silent, close what has ended."""
    ledger.change("hold_after_outage")
    ledger.change("hold_late")
    domain_holds.pause_broken()
    for campaign in Campaign.objects.due().select_related("account", "sender__domain"):
        try:
            start(campaign)
        except DatabaseError:
            raise
        except Exception:  # one campaign that breaks something must not stop all others, nor do it every second
            logger.exception("Campaign %s could not be started.", campaign.pk)
            hold(campaign, _("The campaign could not be started because of an error in Mailsales."))
    unfinished = Campaign.objects.filter(status__in=OPEN, closed_at=None)
    for pk, status in unfinished.values_list("pk", "status"):
        advance(pk, status)
    for lane in ledger.execute("ring"):
        doorbell.ring(LANE_TASK, *lane)


def start(campaign: Campaign) -> bool:
    """Freeze the campaign and let its lanes run; return False when somebody else did, or it has changed meanwhile.

    A campaign that cannot be rendered, or whose domain is broken, is put on hold, with the fault for its writers to read.
    """
    gate = domain_holds.gate(campaign)
    if gate.fault:
        hold(campaign, gate.fault)
    if not gate.is_open:
        return False
    try:
        frozen = compose.freeze(renditions.content_of(campaign))
        read_route(campaign.account.route)
    except (merge.MergeError, ValueError) as error:
        logger.warning("Campaign %s is on hold: %s", campaign.pk, error)
        hold(campaign, str(error))
        return False
    links = compose.Rendition.load(frozen).links
    lanes = ledger.execute(
        "start",
        campaign=campaign.pk,
        revision=campaign.revision,
        expiry=f"{campaign.expiry_hours + 24 * renditions.warmup_days(campaign)} hours",
        content=frozen,
        lanes=LANES,
        numbers=[link.number for link in links],
        urls=[link.url for link in links],
        labels=[link.label[:200] for link in links],
    )
    if lanes:
        doorbell.ring(FAN_OUT_TASK, campaign.pk)
    return bool(lanes)


def hold(campaign: Campaign, fault: str) -> bool:
    """Put a campaign that cannot start on hold; return False when it changed meanwhile."""
    waiting = Campaign.objects.filter(pk=campaign.pk, status=Campaign.Status.SCHEDULED, revision=campaign.revision)
    return waiting.update(status=Campaign.Status.HELD, fault=fault[:500]) == 1


def advance(campaign_id: int, status: str) -> None:
    """Bring one unfinished campaign a step on: fan out, close what expired or was cancelled, and end it."""
    if status != Campaign.Status.CANCELLED and ledger.execute("fan_out_turn", campaign=campaign_id):
        doorbell.ring(FAN_OUT_TASK, campaign_id)
    while ledger.execute("close_due", campaign=campaign_id, limit=CLOSE_SLICE):
        pass
    if status != Campaign.Status.PAUSED:
        finish(campaign_id)


def fan_out(campaign_id: int) -> bool:
    """Queue the next slice of the list and ring the lanes; return whether there is more to queue.

    Lanes are rung with the epoch that they have: a task that waits already makes this one superfluous, and it is dropped.
    """
    turn = ledger.execute("fan_out_turn", campaign=campaign_id)
    if not turn:
        return False
    ((after, list_id),) = turn
    moved = ledger.execute("fan_out", campaign=campaign_id, after=after, list=list_id, limit=FAN_OUT_SLICE)
    if moved:
        for lane in lanes_of(campaign_id):
            doorbell.ring(LANE_TASK, *lane)
    return any(done_at is None for _after, done_at in moved)


def lanes_of(campaign_id: int) -> list[ledger.Row]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign_id, slot, epoch FROM lane WHERE campaign_id = %s", [campaign_id])
        return list(cursor.fetchall())


def finish(campaign_id: int) -> bool:
    """End a campaign with nothing left to do. Lock first, look in a later statement (docs/ledger.md §3)."""
    with transaction.atomic():
        if not ledger.execute("finish_lock", campaign=campaign_id):
            return False
        ledger.execute("finish_lock_fanout", campaign=campaign_id)
        return ledger.change("finish", campaign=campaign_id) == 1


def sweep() -> None:
    """Settle what workers left behind that are lost for good (docs/ledger.md §5)."""
    ledger.change("close_lost")
    ledger.change("suspect")
    while ledger.execute("settle_lost"):
        pass
    ledger.change("forget")
    with connection.cursor() as cursor:
        cursor.execute(throttles.FORGET)


def fold() -> None:
    """Compact the tallies of campaigns that send."""
    for pk in Campaign.objects.filter(status=Campaign.Status.SENDING).values_list("pk", flat=True):
        ledger.change("fold", campaign=pk)


def resend(campaign: Campaign, seen_at: datetime) -> int:
    """Send the messages again that the page of `seen_at` showed as unknown; return how many."""
    rows = ledger.execute("resend", campaign=campaign.pk, seen_at=seen_at)
    return -sum(int(n) for (n,) in rows if n < 0)
