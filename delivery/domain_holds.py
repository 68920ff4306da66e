"""Campaigns whose sending domain broke: they wait, with the reason for people to read, until its DNS is right again.

A domain is checked before each campaign. The check is a task of its own, so that the tick waits for no name server; one
that does not come back in two minutes holds nothing up, since trouble with DNS is no fault of the domain's.
"""

from __future__ import annotations

from accounts.models import Domain
from campaigns.models import Campaign

WAITING = (Campaign.Status.SCHEDULED, Campaign.Status.HELD, Campaign.Status.SENDING, Campaign.Status.PAUSED)


def waiting_for(domain: Domain) -> list[str]:
    """Return the names of the campaigns that the domain is to send."""
    waiting = Campaign.objects.of(domain.account).filter(sender__domain=domain, status__in=WAITING)
    return list(waiting.order_by("send_at", "pk").values_list("name", flat=True)[:20])
