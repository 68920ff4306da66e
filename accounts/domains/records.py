"""The records that a sending domain needs in DNS, exactly as they are to be pasted.

TXT records longer than 255 bytes are several strings (RFC 1035 §3.3.14): an RSA key of 2,048 bits does not fit into one.
The domain's own SPF record is there for docomo, which evaluates the domain of the header From; other receivers look at
the envelope sender's (RFC 7208 §2.4), which is below `bounce.`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.domains.neighbours import mailbox_domain
from accounts.domains.spf_terms import merged, own_terms
from accounts.models import DkimKey, Domain

LONGEST_STRING = 255  # bytes, RFC 1035 §3.3


class Need(StrEnum):
    """REQUIRED: receivers refuse or distrust mail without it. OPTIONAL: it is no matter of sending."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"

    @property
    def label(self) -> str | Promise:
        return NEEDS[self]


NEEDS = {Need.REQUIRED: _("Required"), Need.RECOMMENDED: _("Recommended"), Need.OPTIONAL: _("Optional")}


@dataclass(frozen=True)
class Record:
    """One record. `key` is that of the finding about it; `name` is absolute, `label` as most DNS consoles want it.

    `label` is relative to the zone, "@" for the zone itself.
    """

    key: str
    purpose: str | Promise
    need: Need
    kind: str
    name: str
    label: str
    value: str

    @property
    def quoted(self) -> str:
        """Return the value as a zone file has it: a TXT record as strings of at most 255 bytes, each in quotes."""
        if self.kind != "TXT":
            return self.value
        text = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return " ".join(f'"{text[at : at + LONGEST_STRING]}"' for at in range(0, len(text), LONGEST_STRING))

    @property
    def line(self) -> str:
        """Return the line of a zone file."""
        return f"{self.name}. {self.kind} {self.quoted}"


def records_of(domain: Domain) -> list[Record]:
    """Return the records in the order of their use; what was found at the last check is kept in them."""
    found = {stored["key"]: str(stored.get("values", {}).get("found", "")) for stored in domain.findings}
    zone = found.get("zone", "") or domain.name
    return [
        Record(key, purpose, need, kind, name, _label(name, zone), value)
        for key, purpose, need, kind, name, value in _rows(domain, found)
    ]


def spf_name_of(domain: Domain) -> str:
    """Return the domain of envelope senders, whose SPF record receivers evaluate."""
    return mailbox_domain(domain) or domain.bounce_name


def keys_of(domain: Domain) -> list[DkimKey]:
    """Return the keys, RSA first; none of a domain that nobody has added."""
    return list(domain.keys.order_by("-algorithm", "pk")) if domain.pk else []


def tracking_target() -> str:
    """Return the host that a domain's own name for links must lead to."""
    return urlsplit(settings.TRACKING_URL).hostname or ""


# -- inside ------------------------------------------------------------------------------------

Row = tuple[str, str | Promise, Need, str, str, str]

KEY_NAMES = {DkimKey.Algorithm.RSA: "RSA", DkimKey.Algorithm.ED25519: "Ed25519"}


def _rows(domain: Domain, found: dict[str, str]) -> Iterator[Row]:
    yield "proof", _("Proof of ownership"), Need.REQUIRED, "TXT", domain.proof_name, domain.proof_record
    if terms := own_terms():
        value = merged(found.get("spf", "").splitlines(), terms)
        yield "spf", _("SPF (servers that may send)"), Need.REQUIRED, "TXT", domain.name, value
    yield from _keys(domain)
    policy = f"v=DMARC1; p=none; rua=mailto:postmaster@{domain.name}"  # RFC 5321 §4.5.1: that address is there
    value = found.get("dmarc", "") or policy
    yield "dmarc", _("DMARC (policy against impersonation)"), Need.REQUIRED, "TXT", f"_dmarc.{domain.name}", value
    if not mailbox_domain(domain):
        yield from _return_path(domain, found)
    if domain.tracking_host:
        purpose = _("Address of links and images")
        yield "tracking", purpose, Need.RECOMMENDED, "CNAME", domain.tracking_host, f"{tracking_target()}."
    yield from _optional(domain, found)


def _keys(domain: Domain) -> Iterator[Row]:
    """Yield the keys that sign, then the next ones; one that was replaced needs no record for long."""
    keys = [key for key in keys_of(domain) if key.state != DkimKey.State.OLD]
    for key in sorted(keys, key=lambda key: key.state != DkimKey.State.CURRENT):
        kind = KEY_NAMES[DkimKey.Algorithm(key.algorithm)]
        is_current = key.state == DkimKey.State.CURRENT
        is_required = is_current and key.algorithm == DkimKey.Algorithm.RSA
        purpose = _("DKIM (signing key, %(kind)s)") if is_current else _("DKIM (next key, %(kind)s)")
        need = Need.REQUIRED if is_required else Need.RECOMMENDED
        yield f"dkim-{key.selector}", purpose % {"kind": kind}, need, "TXT", key.record_name, key.record


def _return_path(domain: Domain, found: dict[str, str]) -> Iterator[Row]:
    name, purpose = domain.bounce_name, _("Return address for error emails")
    yield "return-mx", purpose, Need.REQUIRED, "MX", name, f"10 {settings.INBOUND_HOST}."
    if terms := own_terms():
        value = merged(found.get("return-spf", "").splitlines(), terms)
        yield "return-spf", _("SPF of the return address"), Need.REQUIRED, "TXT", name, value


def _optional(domain: Domain, found: dict[str, str]) -> Iterator[Row]:
    """Yield what protects mail *to* the domain (RFC 8461, RFC 8460), and the logo beside mail from it (BIMI)."""
    name, optional = domain.name, Need.OPTIONAL
    value = found.get("mta-sts", "") or "v=STSv1; id=1"
    yield "mta-sts", _("MTA-STS (encryption of mail to you)"), optional, "TXT", f"_mta-sts.{name}", value
    value = found.get("tlsrpt", "") or f"v=TLSRPTv1; rua=mailto:postmaster@{name}"
    yield "tlsrpt", _("TLSRPT (reports about that encryption)"), optional, "TXT", f"_smtp._tls.{name}", value
    value = found.get("bimi", "") or f"v=BIMI1; l=https://{name}/logo.svg; a="
    yield "bimi", _("BIMI (your logo beside your emails)"), optional, "TXT", f"default._bimi.{name}", value


def _label(name: str, zone: str) -> str:
    return "@" if name == zone else name.removesuffix(f".{zone}")
