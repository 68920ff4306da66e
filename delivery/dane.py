"""DANE for SMTP (RFC 7672, 6698, 7671): a mail server's certificate is the one that signed DNS records name.

Records of usage 2 (a trust anchor in the server's chain) and 3 (the server's own certificate) count; others are
unusable, and then TLS is demanded without proof (RFC 7672 §2.2).
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    ServerVerifier,
    Store,
    VerificationError,
)

Record = tuple[int, int, int, bytes]  # usage, selector, matching type, data

ANCHOR, OWN = 2, 3
DIGESTS: dict[int, Callable[[bytes], bytes]] = {
    0: lambda data: data,
    1: lambda data: hashlib.sha256(data).digest(),
    2: lambda data: hashlib.sha512(data).digest(),
}
LENGTHS = {1: 32, 2: 64}
DER = 2  # ENCODING_DER of the ssl module’s C half


def usable(records: Sequence[Record]) -> list[Record]:
    """Return the records that can prove a mail server (RFC 7672 §3.1, RFC 7671 §10.2)."""
    return [record for record in records if _is_usable(record)]


def make_check(records: Sequence[Record], host: str) -> Callable[[ssl.SSLObject], str]:
    """Return what says of an encrypted session which fault its certificate has; empty if a record proves it."""

    def check(session: ssl.SSLObject) -> str:
        chain = _chain_of(session)
        if not chain:
            return "the server showed no certificate"
        if any(_fits(record, chain[0]) for record in records if record[0] == OWN):
            return ""
        faults = [_fault_below(record, chain, host) for record in records if record[0] == ANCHOR]
        if "" in faults:
            return ""
        return next((fault for fault in faults if fault), "") or "no TLSA record fits the server’s certificate"

    return check


def written(record: Record) -> str:
    """Return the record as a zone file has it, and TLS reports (RFC 8460 §4.4)."""
    usage, selector, matching, data = record
    return f"{usage} {selector} {matching} {data.hex()}"


# -- inside ------------------------------------------------------------------------------------


def _is_usable(record: Record) -> bool:
    usage, selector, matching, data = record
    if usage not in (ANCHOR, OWN) or selector not in (0, 1) or matching not in DIGESTS:
        return False
    return len(data) == LENGTHS[matching] if matching else bool(data)


def _chain_of(session: ssl.SSLObject) -> list[bytes]:
    """Return the certificates that the server showed, its own first (DER). Python names this only since 3.13."""
    whole: Any = getattr(session, "get_unverified_chain", None)
    if whole:
        return list(whole())
    inner: Any = session._sslobj  # type: ignore[attr-defined]
    return [one.public_bytes(DER) for one in inner.get_unverified_chain() or ()]


def _fits(record: Record, der: bytes) -> bool:
    _usage, selector, matching, data = record
    try:
        return DIGESTS[matching](_spki(der) if selector else der) == data
    except ValueError:  # what cannot be read is no certificate
        return False


def _spki(der: bytes) -> bytes:
    key = x509.load_der_x509_certificate(der).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _fault_below(record: Record, chain: list[bytes], host: str) -> str:
    """Return why the record's trust anchor does not prove the host; empty if it does (RFC 7672 §3.1.2, §3.2.3)."""
    anchors = [der for der in chain[1:] if _fits(record, der)]
    if not anchors and record[1:3] == (0, 0):
        anchors = [record[3]]  # the whole anchor stands in DNS
    if not anchors:
        return "no TLSA record fits the server’s chain"
    try:
        leaf, *others = map(x509.load_der_x509_certificate, chain)
        store = Store([x509.load_der_x509_certificate(der) for der in anchors])
        verifier = _verifier(store, host)
        verifier.verify(leaf, others)
    except (VerificationError, ValueError) as error:
        return f"the chain to the TLSA record’s anchor does not hold: {error}"
    return ""


def _verifier(store: Store, host: str) -> ServerVerifier:
    """Return what proves chains to an anchor: names and dates count, the web's rules for extensions do not."""
    lenient = ExtensionPolicy.permit_all()
    named = lenient.require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
    issuing = lenient.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    builder = PolicyBuilder().store(store).time(datetime.now(UTC))
    return builder.extension_policies(ca_policy=issuing, ee_policy=named).build_server_verifier(x509.DNSName(host))
