"""The DKIM keys of a domain: one of each algorithm signs, the next of each is published before it is needed.

Sources: RFC 6376 §3.6.1, RFC 8463, RFC 8301; M3AAWG DKIM Key Rotation Best Common Practices (2019): every six months.
"""

from __future__ import annotations

import re

from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import DkimKey, Domain
from mailsales.dkim_keys import BadKey, make_key, read_key

PREFIXES = {DkimKey.Algorithm.RSA: "m", DkimKey.Algorithm.ED25519: "e"}  # of selectors: m1, e1, m2, e2 …
SELECTOR = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")  # RFC 6376 §3.1
LEAST_BITS = 2048  # RFC 8301 §3.2: who signs should use no fewer; receivers must take 1024
WORDS = {
    "not_a_key": gettext_lazy("Paste the private key in PEM form, from “-----BEGIN” to the end."),
    "encrypted": gettext_lazy("The key is locked by a password. Paste it without one."),
    "public": gettext_lazy("That is the public half. Paste the private key."),
    "other_kind": gettext_lazy("Only RSA and Ed25519 keys can sign emails."),
}


def complete(domain: Domain) -> None:
    """Make the keys that the domain lacks: of each algorithm one that signs, and the next."""
    for algorithm in PREFIXES:
        keys = list(domain.keys.filter(algorithm=algorithm))
        if not any(key.state == DkimKey.State.CURRENT for key in keys):
            make(domain, algorithm, is_active=True)
        if not any(key.state == DkimKey.State.NEXT for key in keys):
            make(domain, algorithm)


def make(domain: Domain, algorithm: DkimKey.Algorithm, *, is_active: bool = False) -> DkimKey:
    """Make one more key, under the first selector after those of the others."""
    own = re.compile(PREFIXES[algorithm] + r"(\d+)")
    taken = [int(found[1]) for key in domain.keys.all() if (found := own.fullmatch(key.selector))]
    selector = f"{PREFIXES[algorithm]}{max(taken, default=0) + 1}"
    key = DkimKey(account=domain.account, domain=domain, selector=selector, algorithm=algorithm)
    key.private_key, key.public_key = make_key(algorithm)
    key.active_at = now() if is_active else None
    key.save()
    return key


def import_key(domain: Domain, selector: str, pem: str) -> DkimKey:
    """Save a key that the domain has already; it signs as soon as its record is seen in DNS.

    Raise ValueError, in words for the form.
    """
    selector = (
        selector.strip().rstrip(".").lower().removesuffix(f"._domainkey.{domain.name}").removesuffix("._domainkey")
    )
    if len(selector) > 63 or not SELECTOR.fullmatch(selector):
        raise ValueError(_("Enter the selector, for example “s1”: letters, digits and hyphens."))
    if domain.keys.filter(selector=selector).exists():
        raise ValueError(_("There is a key with the selector “%(selector)s” already.") % {"selector": selector})
    try:
        found = read_key(pem)
    except BadKey as error:
        raise ValueError(str(WORDS[error.code])) from error
    if found.bits and found.bits < LEAST_BITS:
        text = _("The key has %(bits)s bits. Use one of 2,048 bits or more: receivers distrust shorter ones.")
        raise ValueError(text % {"bits": found.bits})
    key = DkimKey(account=domain.account, domain=domain, selector=selector, algorithm=found.algorithm, is_imported=True)
    key.private_key, key.public_key = found.private, found.public
    key.save()
    return key
