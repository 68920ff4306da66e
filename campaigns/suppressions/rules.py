"""Which suppression holds for an address, and which of two stays.

What ends by itself gives way to what is for good, that to a reader's unsubscribe, and that to a complaint. `suppress` is
one guarded statement: it may run twice, and beside itself. The ledger's `suppress` and `let_go` follow the same order.
An entry by hand is kept inside the unsubscribe that replaces it, for a reader who returns must not lift it (`return_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from accounts.models import Account, User
from campaigns.models import Suppression
from mailsales.reasons import Reason

STRENGTH = """CASE WHEN {0}.retry_at IS NOT NULL THEN 0 WHEN {0}.reason = 'complaint' THEN 3
  WHEN {0}.reason = 'unsubscribed' THEN 2 ELSE 1 END"""
KEEP = f"""
INSERT INTO suppression (account_id, address, reason, evidence, retry_at, created_by_id)
SELECT %(account)s, address, %(reason)s, %(evidence)s, %(retry_at)s, %(by)s
FROM (SELECT DISTINCT address FROM unnest(%(addresses)s::text[]) AS t(address) ORDER BY address) typed
ON CONFLICT (address, account_id) DO UPDATE SET reason = excluded.reason, evidence = excluded.evidence
    || CASE WHEN suppression.reason = 'manual' AND excluded.reason = 'unsubscribed'
      THEN jsonb_build_object('by_hand', suppression.evidence ->> 'text') ELSE '{{}}' END,
  retry_at = excluded.retry_at, created_by_id = excluded.created_by_id, created_at = now()
WHERE {STRENGTH.format("excluded")} > {STRENGTH.format("suppression")} OR suppression.retry_at < excluded.retry_at
"""  # noqa: S608 -- only our own names are put in


def suppress(
    account_id: int,
    addresses: Sequence[str],
    reason: Reason,
    evidence: Mapping[str, object],
    *,
    retry_at: datetime | None = None,
    created_by: User | None = None,
) -> int:
    """Leave the addresses or patterns out from now on; return how many were not left out so strongly before."""
    values: dict[str, Any] = {
        "account": account_id,
        "addresses": list(addresses),
        "reason": reason,
        "evidence": Jsonb(dict(evidence)),
        "retry_at": retry_at,
        "by": created_by.pk if created_by else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)
        return int(cursor.rowcount)


def return_of(account: Account, addresses: Sequence[str]) -> None:
    """Lift the refusal of a reader who returns by a deed of their own. What somebody entered by hand before holds again."""
    refusals = Suppression.objects.of(account).filter(address__in=addresses, reason=Reason.UNSUBSCRIBED)
    for refusal in refusals.filter(evidence__has_key="by_hand"):
        refusal.reason, refusal.evidence = Reason.MANUAL, {"text": refusal.evidence["by_hand"] or ""}
        refusal.save(update_fields=["reason", "evidence"])
    refusals.delete()


def pattern_of(address: str) -> str:
    """Return the pattern that stands for every address of the address's domain."""
    return f"*@{address.rpartition('@')[2]}"


def suppressions_of(account: Account, addresses: Iterable[str]) -> dict[str, Suppression]:
    """Return what keeps each of the addresses from being mailed now: for the address itself, else for its domain."""
    wanted = list(addresses)
    names = {*wanted, *map(pattern_of, wanted)}
    found = Suppression.objects.binding(account).in_force().filter(address__in=names)
    by_name = {each.address: each for each in found.select_related("created_by").order_by("account_id")}
    held = {address: by_name.get(address) or by_name.get(pattern_of(address)) for address in wanted}
    return {address: each for address, each in held.items() if each}


def suppression_of(account: Account, address: str) -> Suppression | None:
    """Return what keeps the address from being mailed now, or None."""
    return suppressions_of(account, [address]).get(address)
