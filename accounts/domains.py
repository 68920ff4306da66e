"""Sending domains and their keys."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Account, DkimKey, Domain
from mailsales.dkim_keys import make_key


def make_domain(account: Account, name: str) -> Domain:
    """Return the account's domain of this name, made with an RSA key if it is new."""
    with transaction.atomic():
        domain, is_new = Domain.objects.get_or_create(account=account, name=name.lower())
        if is_new:
            key = DkimKey(account=account, domain=domain, selector="m1", algorithm=DkimKey.Algorithm.RSA)
            key.private_key, key.public_key = make_key(key.algorithm)
            key.save()
    return domain
