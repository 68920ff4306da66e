"""New keys every six months: the next one, published long before, takes over, and the old one is kept for two weeks.

M3AAWG DKIM Key Rotation Best Common Practices (2019). A key that is not in DNS never signs: receivers would see a broken
signature. Its owners are asked for the record, and again a month before the date.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from accounts.audit import note_of_system
from accounts.domains import notices
from accounts.domains.dkim_looks import KEPT, is_published
from accounts.domains.keys import complete
from accounts.models import AuditEntry, DkimKey, Domain
from mailsales.dns.authority import AuthoritativeQuestions
from mailsales.dns.questions import DnsTrouble, Questions

AGE = timedelta(days=182)  # of a key that signs
AHEAD = timedelta(days=30)  # of its last day: a reminder
ROTATED, REMINDED = "key.rotate", "key.remind"

logger = logging.getLogger(__name__)


def rotate_due(at: datetime | None = None) -> int:
    """Change the keys that are old enough, remind of those that will be, delete the replaced; return how many changed."""
    at = at or now()
    DkimKey.objects.filter(retired_at__lt=at - KEPT).delete()
    old = DkimKey.objects.signing().filter(active_at__lt=at - AGE + AHEAD, domain__proven_at__isnull=False)
    pks = list(old.order_by("domain_id").values_list("domain_id", flat=True).distinct())
    changed = 0
    for domain in Domain.objects.filter(pk__in=pks).select_related("account").order_by("pk"):
        changed += len(rotate(domain, at))
        _remind(domain, at)
    return changed


def rotate(domain: Domain, at: datetime | None = None, *, is_forced: bool = False) -> list[DkimKey]:
    """Let the next keys sign that are in DNS, if those that sign are six months old, or at once; return the new ones."""
    at = at or now()
    old = [key for key in _signing(domain) if is_forced or (key.active_at and key.active_at <= at - AGE)]
    changed = [new for key in old if (new := _change(key, at, is_forced=is_forced))]
    if changed:
        complete(domain)
        names = [key.selector for key in changed]
        note_of_system(domain.account, ROTATED, domain.name, selectors=names)
        notices.ask_for_next_key(domain, [key for key in _next(domain) if not key.published_at])
    return changed


def welcome(domain: Domain, at: datetime) -> bool:
    """Let imported keys sign that were seen in DNS; return whether there were any."""
    is_changed = False
    for key in _next(domain):
        signing = next((one for one in _signing(domain) if one.algorithm == key.algorithm), None)
        if signing and key.is_imported and key.published_at and _switch(signing, key, at):
            note_of_system(domain.account, ROTATED, domain.name, selectors=[key.selector])
            is_changed = True
    return is_changed


# -- inside ------------------------------------------------------------------------------------


def _change(key: DkimKey, at: datetime, *, is_forced: bool = False) -> DkimKey | None:
    """Return the key that signs from now on, or None where the next one cannot be verified by receivers."""
    ready = [one for one in _next(key.domain) if one.algorithm == key.algorithm and (one.published_at or is_forced)]
    following = next((one for one in ready if _is_there(one)), None)
    return following if following and _switch(key, following, at) else None


def _switch(key: DkimKey, following: DkimKey, at: datetime) -> bool:
    """Let the following key sign instead; return False when somebody else did. One that nobody published is not kept."""
    with transaction.atomic():
        signing = DkimKey.objects.signing().filter(pk=key.pk)
        if not (signing.update(retired_at=at) if key.published_at else signing.delete()[0]):
            return False
        DkimKey.objects.filter(pk=following.pk).update(active_at=at, published_at=following.published_at or at)
    following.active_at = at
    return True


def _is_there(key: DkimKey) -> bool:
    """Return whether the record is in DNS at this moment, as its own name servers have it."""
    questions: Questions = AuthoritativeQuestions(settings.DNS_SERVERS, allows_private=settings.ALLOW_PRIVATE_MX)
    try:
        return is_published(questions, key)
    except DnsTrouble as error:
        logger.warning("Whether the key %s is in DNS is not known, so it waits: %s", key, error)
        return False


def _remind(domain: Domain, at: datetime) -> None:
    """Ask the owners once for next keys that are not in DNS, a month before they are needed."""
    late = [key.algorithm for key in _signing(domain) if key.active_at and key.active_at < at - AGE + AHEAD]
    wanted = [key for key in _next(domain) if key.algorithm in late and not key.published_at]
    names = [key.selector for key in wanted]
    said = AuditEntry.objects.of(domain.account).filter(action=REMINDED, about=domain.name, details__selectors=names)
    if wanted and not said.exists():
        note_of_system(domain.account, REMINDED, domain.name, selectors=names)
        notices.ask_for_next_key(domain, wanted, is_reminder=True)


def _signing(domain: Domain) -> list[DkimKey]:
    return list(domain.keys.filter(active_at__isnull=False, retired_at=None).select_related("domain__account"))


def _next(domain: Domain) -> list[DkimKey]:
    return list(domain.keys.filter(active_at=None, retired_at=None).order_by("-algorithm", "pk"))
