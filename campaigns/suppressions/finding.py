"""Suppressions by a part of the address or domain, newest first, fast at hundreds of thousands behind the wall."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

from django.db import connection
from django.db.models import Count

from accounts.models import Account
from campaigns.models import Suppression
from mailsales import wall


def word_of(typed: str) -> str:
    """Return what to look for, folded as the index folds addresses."""
    return unicodedata.normalize("NFKC", typed.replace("\0", "")).strip().lower()


def find(
    account: Account,
    typed: str = "",
    *,
    reason: str = "",
    is_shared: bool = False,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Suppression]:
    """Return what holds for the account, newest first: those below the key `after`, or the nearest above `before`.

    A whole address finds the pattern of its domain, too. `is_shared` leaves only those of all accounts.
    """
    wall.enter(account.pk)
    values: list[Any] = [word_of(typed), reason, is_shared, after, before, limit]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM suppression_search(%s, %s, %s, %s::bigint, %s::bigint, %s)", values)
        ids = [pk for (pk,) in cursor.fetchall()]
    found = Suppression.objects.binding(account).filter(pk__in=ids)
    return list(found.select_related("created_by").order_by("-pk"))


def counts_of(account: Account) -> tuple[Counter[str], int]:
    """Return how many hold for the account by reason, and how many of all are everybody's."""
    own = Suppression.objects.of(account).order_by().values_list("reason").annotate(Count("pk"))
    shared = Suppression.objects.filter(account=None).order_by().values_list("reason").annotate(Count("pk"))
    common = Counter(dict(shared))
    return Counter(dict(own)) + common, common.total()
