"""Campaigns whose sending domain broke: they wait, with the reason for people to read, until its DNS is right again.

A domain is checked before each campaign. The check is a task of its own, so that the tick waits for no name server; one
that does not come back in two minutes holds nothing up, since trouble with DNS is no fault of the domain's.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from redis.exceptions import RedisError

from accounts.domains import checking
from accounts.domains.findings import findings_of
from accounts.models import Account, Domain
from campaigns.models import Campaign
from delivery.routes import read_route
from mailsales import doorbell
from mailsales.routes import RouteKind

TASK = "delivery.check_domain"
FRESH, FRESH_BROKEN = timedelta(minutes=15), timedelta(minutes=1)  # a check that is younger counts
PATIENCE = 120.0  # seconds for a check
ASKED = 150  # seconds until it is asked for again
WAITING = (Campaign.Status.SCHEDULED, Campaign.Status.HELD, Campaign.Status.SENDING, Campaign.Status.PAUSED)


@dataclass(frozen=True)
class Gate:
    """Whether a due campaign may start now. `fault` is why it must be held, "" where it only waits for a check."""

    is_open: bool
    fault: str = ""


def gate(campaign: Campaign) -> Gate:
    """Return whether the campaign's domain lets it start; ask for a check where the last is too old."""
    domain = campaign.sender.domain if campaign.sender else None
    if domain is None or not _leaves_the_sandbox(campaign.account):
        return Gate(True)
    if not domain.is_proven:
        return Gate(False, fault_of(domain)) if _is_lost(domain) else Gate(True)
    if not _is_fresh(domain) and _waits_for_check(domain):
        return Gate(False)
    if domain.state == Domain.State.BROKEN:
        return Gate(False, fault_of(domain))
    return Gate(True)


def check(domain_id: int) -> None:
    """Check the domain, unless somebody just did."""
    domain = Domain.objects.select_related("account").filter(pk=domain_id).first()
    if domain and not _is_fresh(domain):
        checking.recheck(domain)
    with suppress(RedisError):
        cache.delete(_key(domain_id))


def pause_broken() -> int:
    """Pause what is being sent from broken domains; return how many campaigns. Who resumes one is not heeded before it is well.

    A domain that passed over to another account is no better: its mail would end in the sandbox unseen.
    """
    held_by_others = Exists(Domain.objects.proven().filter(name=OuterRef("sender__domain__name")))
    broken = Q(sender__domain__state=Domain.State.BROKEN) | Q(held_by_others, sender__domain__proven_at=None)
    sending = Campaign.objects.filter(broken, status=Campaign.Status.SENDING)
    return sum(_pause(campaign) for campaign in sending.select_related("account", "sender__domain__account"))


def waiting_for(domain: Domain) -> list[str]:
    """Return the names of the campaigns that the domain is to send."""
    waiting = Campaign.objects.of(domain.account).filter(sender__domain=domain, status__in=WAITING)
    return list(waiting.order_by("send_at", "pk").values_list("name", flat=True)[:20])


def fault_of(domain: Domain) -> str:
    """Return what is wrong with the domain and what to do, in the account's language."""
    with translation.override(domain.account.language):
        if not domain.is_proven:
            return _("Another account now holds %(domain)s, so nothing can be sent from it.") % {"domain": domain.name}
        wrong = [one.title for one in findings_of(domain) if one.is_failure and not one.is_of_installation]
        said = pgettext("between reasons", "; ").join(wrong[:3])
        values = {"domain": domain.name, "reasons": said}
        return _("%(domain)s cannot send: %(reasons)s. Put its DNS right, then let the campaign go on.") % values


# -- inside ------------------------------------------------------------------------------------


def _is_lost(domain: Domain) -> bool:
    """Return whether another account holds the domain."""
    return Domain.objects.proven().filter(name=domain.name).exists()


def _leaves_the_sandbox(account: Account) -> bool:
    """Return whether mail of the account's proven domains does."""
    try:
        return read_route(account.route).kind is not RouteKind.SANDBOX
    except ValueError:  # a wrong route is told elsewhere
        return False


def _is_fresh(domain: Domain) -> bool:
    """Return whether the last check counts; a broken domain may have been put right since."""
    longest = FRESH_BROKEN if domain.state == Domain.State.BROKEN else FRESH
    return domain.checked_at is not None and domain.checked_at > now() - longest


def _key(domain_id: int) -> str:
    """Return where the time is kept at which the check under way was asked for."""
    return f"delivery:domain-check:{domain_id}"


def _waits_for_check(domain: Domain) -> bool:
    """Return whether a check is under way that may still come; ask for one where there is none."""
    key, at = _key(domain.pk), time.time()
    try:
        if cache.add(key, at, timeout=ASKED):
            return doorbell.ring(TASK, domain.pk)
        return at - (cache.get(key) or 0.0) < PATIENCE
    except RedisError:
        return False


def _pause(campaign: Campaign) -> bool:
    domain = campaign.sender.domain if campaign.sender else None
    if domain is None or not _leaves_the_sandbox(campaign.account):
        return False
    with transaction.atomic():
        if not campaign.pause():
            return False
        Campaign.objects.filter(pk=campaign.pk).update(fault=fault_of(domain)[:500])
    if domain.is_proven and not _is_fresh(domain):
        _waits_for_check(domain)
    return True
