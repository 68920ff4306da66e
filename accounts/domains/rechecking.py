"""Which domains are looked at again, and when: so that a page shows what was pasted soon, and nobody finds out too late."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts.domains.checking import recheck
from accounts.models import Domain

DAILY, HOURLY, OFTEN = timedelta(days=1), timedelta(hours=1), timedelta(minutes=10)
YOUNG = timedelta(days=14)  # how long an unproven domain is looked at without being asked
SLICE = 30  # domains
MOST_SECONDS = 40.0  # for a slice: the next one comes in a minute

logger = logging.getLogger(__name__)


def due() -> Q:
    """Return which domains are due: a proven one daily, a broken one hourly, a new one more often for two weeks.

    Those of the demo are in no DNS, and nobody outside is to be asked for them.
    """
    at = now()
    proven = Q(proven_at__isnull=False, checked_at__lt=at - DAILY)
    broken = Q(state=Domain.State.BROKEN, checked_at__lt=at - HOURLY)
    fresh = Q(proven_at=None, created_at__gt=at - HOURLY, checked_at__lt=at - OFTEN)
    young = Q(proven_at=None, created_at__gt=at - YOUNG, checked_at__lt=at - HOURLY)
    return Q(account__is_demo=False) & (Q(checked_at=None) | proven | broken | fresh | young)


def recheck_due() -> int:
    """Check what has been due the longest, until the time of a slice is up; return how many.

    Domains were first checked at different times, and so the daily checks are spread over the day.
    """
    until, checked = time.monotonic() + MOST_SECONDS, 0
    domains = Domain.objects.filter(due()).select_related("account")
    for domain in domains.order_by(F("checked_at").asc(nulls_first=True), "pk")[:SLICE]:
        if time.monotonic() > until:
            break
        try:
            recheck(domain)
        except Exception:  # one domain that breaks something must not stop all others
            logger.exception("The domain %s could not be checked.", domain)
            Domain.objects.filter(pk=domain.pk).update(checked_at=Now())
        checked += 1
    return checked
