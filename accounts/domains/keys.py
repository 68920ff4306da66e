"""The DKIM keys of a domain: one of each algorithm signs, the next of each is published before it is needed.

Sources: RFC 6376 §3.6.1, RFC 8463, RFC 8301; M3AAWG DKIM Key Rotation Best Common Practices (2019): every six months.
"""

from __future__ import annotations

import re

from django.utils.timezone import now

from accounts.models import DkimKey, Domain
from mailsales.dkim_keys import make_key

PREFIXES = {DkimKey.Algorithm.RSA: "m", DkimKey.Algorithm.ED25519: "e"}  # of selectors: m1, e1, m2, e2 …
NUMBER = re.compile(r"\d+")


def complete(domain: Domain) -> None:
    """Make the keys that the domain lacks: of each algorithm one that signs, and the next."""
    for algorithm in PREFIXES:
        keys = list(domain.keys.filter(algorithm=algorithm))
        if not any(key.state == DkimKey.State.CURRENT for key in keys):
            keys.append(make(domain, algorithm, keys, is_active=True))
        if not any(key.state == DkimKey.State.NEXT for key in keys):
            make(domain, algorithm, keys)


def make(domain: Domain, algorithm: DkimKey.Algorithm, others: list[DkimKey], *, is_active: bool = False) -> DkimKey:
    """Make one more key, under the first selector after those of the others."""
    taken = [int(found[0]) for key in others if (found := NUMBER.search(key.selector))]
    selector = f"{PREFIXES[algorithm]}{max(taken, default=0) + 1}"
    key = DkimKey(account=domain.account, domain=domain, selector=selector, algorithm=algorithm)
    key.private_key, key.public_key = make_key(algorithm)
    key.active_at = now() if is_active else None
    key.save()
    return key
