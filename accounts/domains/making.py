"""New sending domains."""

from __future__ import annotations

from django.db import transaction

from accounts.domains.keys import complete
from accounts.models import Account, Domain


def make_domain(account: Account, name: str) -> Domain:
    """Return the account's domain of this name; a new one has its keys, and is not proven."""
    with transaction.atomic():
        domain, is_new = Domain.objects.get_or_create(account=account, name=name.lower())
        if is_new:
            complete(domain)
    return domain
