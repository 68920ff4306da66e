"""Names and where they lead: the proof, the return path, who can be answered, who our servers are, the name for links."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from accounts.domains.findings import Finding, State
from accounts.domains.records import Need, tracking_target
from accounts.domains.spf_terms import FULL_NAME
from accounts.models import Domain
from mailsales.dns.authority import AuthoritativeQuestions
from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions

T = TypeVar("T")

SECONDS = 5.0  # for the server of links
OPTIONAL = {
    "mta-sts": ("_mta-sts", "v=STSv1"),
    "tlsrpt": ("_smtp._tls", "v=TLSRPTv1"),
    "bimi": ("default._bimi", "v=BIMI1"),
}


def zone_of(questions: AuthoritativeQuestions, name: str) -> Finding:
    """Return the zone that the domain is in, as far as it can be learnt."""
    try:
        zone = questions.zone(name)
    except (NoSuchDomain, DnsTrouble):
        zone = name
    try:
        is_registered = "." in zone and (zone != name or questions.exists(name))
    except DnsTrouble as error:
        return _trouble("zone", error, Need.OPTIONAL)
    if not is_registered:
        return Finding("zone", State.BAD, "zone_missing", {"name": name}, Need.OPTIONAL)
    return Finding("zone", State.GOOD, "zone_good", {"zone": zone, "found": zone}, Need.OPTIONAL)


def proof_of(questions: Questions, domain: Domain) -> Finding:
    """Return whether the account's proof is there; others' may stand beside it."""
    try:
        texts = [text.strip() for text in _answer(questions.txt, domain.proof_name)]
    except DnsTrouble as error:
        return _trouble("proof", error)
    kind = domain.proof_record.partition("=")[0]
    values = {"name": domain.proof_name}
    if domain.proof_record in texts:
        return Finding("proof", State.GOOD, "proof_good", values)
    if others := [text for text in texts if text.startswith(kind)]:
        return Finding("proof", State.BAD, "proof_other", {**values, "seen": others[0]})
    return Finding("proof", State.MISSING, "proof_missing", values)


def return_path_of(questions: Questions, name: str) -> Finding:
    """Return whether what comes back reaches our inbound servers."""
    try:
        hosts = [host for _preference, host in _answer(questions.mx, name)]
    except DnsTrouble as error:
        return _trouble("return-mx", error)
    ours = settings.INBOUND_HOST.lower()
    values = {"name": name, "host": ours}
    if not hosts:
        return Finding("return-mx", State.MISSING, "return_missing", values)
    others = [host or "." for host in hosts if host != ours]
    if not others:
        return Finding("return-mx", State.GOOD, "return_good", values)
    state = State.WARN if ours in hosts else State.BAD
    return Finding("return-mx", state, "return_other", {**values, "seen": others})


def receiving_of(questions: Questions, name: str) -> Finding:
    """Return whether mail to the From domain could be delivered: docomo and RFC 7505 §4.2 demand it of senders."""
    try:
        mx = _answer(questions.mx, name)
        hosts = [host for _preference, host in mx] or [*_answer(questions.a, name), *_answer(questions.aaaa, name)]
    except DnsTrouble as error:
        return _trouble("mx", error)
    if hosts == [""]:
        return Finding("mx", State.BAD, "from_null_mx", {"name": name})
    if not hosts:
        return Finding("mx", State.BAD, "from_nothing", {"name": name})
    return Finding("mx", State.GOOD, "from_good", {"name": name, "hosts": [host for host in hosts if host][:3]})


def identity_of(questions: Questions, address: str) -> Finding:
    """Return whether an address of ours and the name that it greets with lead to each other (RFC 8601 §2.7.3, iprev)."""
    key, name = f"identity-{address}", settings.EHLO_NAME.rstrip(".").lower()
    values: dict[str, object] = {"address": address, "name": name}
    if not FULL_NAME.fullmatch(name):
        return Finding(key, State.BAD, "identity_no_name", values)
    try:
        names = _answer(questions.ptr, address)
        found = {ip_address(one) for one in (*_answer(questions.a, name), *_answer(questions.aaaa, name))}
    except DnsTrouble as error:
        return _trouble(key, error)
    if not names:
        return Finding(key, State.BAD, "identity_no_ptr", values)
    if name not in names:
        return Finding(key, State.BAD, "identity_other", {**values, "seen": names[:3]})
    is_back = ip_address(address) in found
    return Finding(
        key, State.GOOD if is_back else State.BAD, "identity_good" if is_back else "identity_not_back", values
    )


def tracking_of(questions: Questions, host: str) -> Finding:
    """Return whether the domain's own name for links leads to our server, which has a certificate for it."""
    target, need = tracking_target(), Need.RECOMMENDED
    values = {"name": host, "host": target}
    try:
        aliases = _answer(questions.cname, host)
        addresses = set(aliases or [*_answer(questions.a, host), *_answer(questions.aaaa, host)])
        ours = {target} if aliases else {*_answer(questions.a, target), *_answer(questions.aaaa, target)}
    except DnsTrouble as error:
        return _trouble("tracking", error, need)
    if not addresses:
        return Finding("tracking", State.MISSING, "tracking_missing", values, need)
    if not addresses <= ours:
        return Finding("tracking", State.BAD, "tracking_other", {**values, "seen": sorted(addresses)}, need)
    if not _has_certificate(host):
        return Finding("tracking", State.WARN, "tracking_no_certificate", values, need)
    return Finding("tracking", State.GOOD, "tracking_good", values, need)


def optional_of(questions: Questions, name: str) -> Iterator[Finding]:
    """Yield what is there of the records that are no matter of sending."""
    for key, (label, version) in OPTIONAL.items():
        code = key.replace("-", "_")
        try:
            texts = [text for text in _answer(questions.txt, f"{label}.{name}") if text.startswith(version)]
        except DnsTrouble as error:
            yield _trouble(key, error, Need.OPTIONAL)
            continue
        state, values = (State.GOOD, {"found": texts[0]}) if texts else (State.MISSING, {})
        yield Finding(key, state, f"{code}_{'good' if texts else 'missing'}", values, Need.OPTIONAL)


# -- inside ------------------------------------------------------------------------------------


def _answer(ask: Callable[[str], Sequence[T]], name: str) -> Sequence[T]:
    """Return the answer; a name that does not exist has none. Raise DnsTrouble."""
    try:
        return ask(name)
    except NoSuchDomain:
        return []


def _trouble(key: str, error: DnsTrouble, need: Need = Need.REQUIRED) -> Finding:
    return Finding(key, State.UNKNOWN, "trouble", {"detail": str(error)}, need)


def _has_certificate(host: str) -> bool:
    """Return whether our own server for links shows a valid certificate for the name: else links would warn readers."""
    own = urlsplit(settings.TRACKING_URL)
    if own.scheme != "https" or not own.hostname:
        return False
    try:
        with (
            socket.create_connection((own.hostname, own.port or 443), timeout=SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:  # ssl.SSLError is one
        return False
