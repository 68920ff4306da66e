"""Letting addresses be mailed again: one, or all that a fault of ours suppressed.

What readers asked for is never released here, and neither is what holds for all accounts. Who is released begins anew:
earlier failures no longer count (`forgive`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from accounts.models import Account, Membership
from campaigns.models import Suppression
from campaigns.models.suppressions import SuppressionQuerySet
from mailsales import ledger
from mailsales.reasons import ABOUT, Reason

BY_FAILURE = frozenset(ABOUT) | {Reason.NETWORK_ERROR, Reason.SYSTEM_ERROR, Reason.EXPIRED, Reason.OTHER}

DELETE = "DELETE FROM suppression WHERE account_id = %s AND id = ANY (%s)"


def may_release(role: str, suppression: Suppression) -> bool:
    """Return whether a member may release it: a domain's pattern is an owner's matter, since it may hide thousands."""
    if suppression.is_shared or suppression.is_readers_own or role == Membership.Role.VIEWER:
        return False
    return role == Membership.Role.OWNER or not suppression.is_pattern


def release(suppression: Suppression) -> None:
    with transaction.atomic():
        suppression.delete()
        ledger.change("forgive", account=suppression.account_id, addresses=[suppression.address])


def suppressed_by_failure(
    account: Account, since: datetime, until: datetime, reasons: Iterable[str]
) -> SuppressionQuerySet:
    """Return what failures for these reasons suppressed from `since` on and before `until`, not what people or readers did."""
    chosen = BY_FAILURE.intersection(Reason(reason) for reason in reasons)
    own = Suppression.objects.of(account).filter(created_by=None, reason__in=chosen)
    return own.filter(created_at__gte=since, created_at__lt=until)


def undo(account: Account, since: datetime, until: datetime, reasons: Iterable[str]) -> int:
    """Release all of these; return how many there were. Twice is once."""
    with transaction.atomic():
        found = suppressed_by_failure(account, since, until, reasons).select_for_update()
        addresses = dict(found.values_list("pk", "address"))
        with connection.cursor() as cursor:  # the ORM would write each of the keys into the statement
            cursor.execute(DELETE, [account.pk, list(addresses)])
        ledger.change("forgive", account=account.pk, addresses=list(addresses.values()))
    return len(addresses)
