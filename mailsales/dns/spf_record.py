"""The text of an SPF record, RFC 7208 §4.5, §4.6.1, §5, §6 and §12: read completely before any of it is believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Literal

from mailsales.dns.spf_macros import IN_EXPLANATIONS, BadMacro, check_domain_spec, tokens

VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>.*)", re.IGNORECASE | re.DOTALL)
DIRECTIVE = re.compile(
    r"(?P<qualifier>[-+?~]?)(?P<mechanism>all|include|a|mx|ptr|ip4|ip6|exists)(?P<rest>[:/].*)?",
    re.IGNORECASE | re.DOTALL,
)
MASKS = re.compile(r"(?P<target>.*?)(?:/(?P<four>0|[1-9][0-9]?))?(?://(?P<six>0|[1-9][0-9]{0,2}))?", re.DOTALL)
MASK = re.compile(r"(?P<address>[^/]*)(?:/(?P<bits>0|[1-9][0-9]{0,2}))?")
WITH_DOMAIN = ("include", "exists")  # which must name one
ASK = frozenset({"include", "a", "mx", "ptr", "exists"})  # that cause questions to DNS (§4.6.4)

Fault = Literal["not_ascii", "unknown_term", "bad_domain", "bad_network", "bad_mask", "bad_macro", "twice"]


class BadTerm(ValueError):
    """A term is not one of RFC 7208's: `fault` says in which way."""

    def __init__(self, term: str, fault: Fault) -> None:
        super().__init__(f"{fault}: {term}")
        self.term = term
        self.fault: Fault = fault


@dataclass(frozen=True)
class Directive:
    """A mechanism with its qualifier. `target` is a domain-spec, "" for the domain itself; `network` is that of ip4, ip6."""

    text: str
    qualifier: str
    mechanism: str
    target: str = ""
    network: IPv4Network | IPv6Network | None = None
    bits4: int = 32
    bits6: int = 128


@dataclass(frozen=True)
class Record:
    text: str
    directives: tuple[Directive, ...] = ()
    redirect: str = ""
    explanation: str = ""


def is_record(text: str) -> bool:
    """Return whether a TXT record is one of SPF (§4.5)."""
    return bool(VERSION.match(text))


def parse(text: str) -> Record:
    """Return the record whose text begins as `is_record` demands. Raise BadTerm at the first wrong term (§4.6)."""
    if not text.isascii():
        raise BadTerm(next(term for term in text.split(" ") if not term.isascii()), "not_ascii")
    directives: list[Directive] = []
    modifiers: dict[str, str] = {}
    for term in filter(None, text.split(" ")[1:]):
        if modifier := MODIFIER.fullmatch(term):
            _read_modifier(term, modifier["name"].lower(), modifier["value"], modifiers)
        else:
            directives.append(_directive(term))
    return Record(text, tuple(directives), modifiers.get("redirect", ""), modifiers.get("exp", ""))


def _read_modifier(term: str, name: str, value: str, modifiers: dict[str, str]) -> None:
    """Note redirect and exp, which stand once at most (§6); others need only be well-formed."""
    if name not in ("redirect", "exp"):
        try:
            tokens(value, letters=IN_EXPLANATIONS)
        except BadMacro as error:
            raise BadTerm(term, "bad_macro") from error
        return
    if name in modifiers:
        raise BadTerm(term, "twice")
    modifiers[name] = _domain_spec(term, value)


def _directive(term: str) -> Directive:
    found = DIRECTIVE.fullmatch(term)
    if not found:
        raise BadTerm(term, "unknown_term")
    qualifier, mechanism, rest = found["qualifier"] or "+", found["mechanism"].lower(), found["rest"] or ""
    if mechanism == "all":
        if rest:
            raise BadTerm(term, "unknown_term")
        return Directive(term, qualifier, mechanism)
    if mechanism in ("ip4", "ip6"):
        return Directive(term, qualifier, mechanism, network=_network(term, mechanism, rest))
    if mechanism in ("a", "mx"):
        masks = MASKS.fullmatch(rest)
        assert masks  # its target takes whatever is no mask
        bits4, bits6 = _bits(term, masks["four"], 32), _bits(term, masks["six"], 128)
        return Directive(term, qualifier, mechanism, _target(term, mechanism, masks["target"]), None, bits4, bits6)
    return Directive(term, qualifier, mechanism, _target(term, mechanism, rest))


def _target(term: str, mechanism: str, rest: str) -> str:
    """Return the domain-spec after the colon, "" where there is none and need not be."""
    if not rest and mechanism not in WITH_DOMAIN:
        return ""
    if not rest.startswith(":"):
        raise BadTerm(term, "bad_mask" if rest.startswith("/") else "bad_domain")
    return _domain_spec(term, rest[1:])


def _domain_spec(term: str, text: str) -> str:
    try:
        check_domain_spec(text)
    except BadMacro as error:
        raise BadTerm(term, "bad_macro" if "%" in text else "bad_domain") from error
    return text


def _network(term: str, mechanism: str, rest: str) -> IPv4Network | IPv6Network:
    found = MASK.fullmatch(rest[1:])
    if not rest.startswith(":") or not found:
        raise BadTerm(term, "bad_mask" if "/" in rest else "bad_network")
    try:
        address = IPv4Address(found["address"]) if mechanism == "ip4" else IPv6Address(found["address"])
    except ValueError as error:
        raise BadTerm(term, "bad_network") from error
    if "%" in found["address"]:  # a zone of RFC 4007, which Python would take
        raise BadTerm(term, "bad_network")
    bits = _bits(term, found["bits"], address.max_prefixlen)
    return ip_network((address, bits), strict=False)


def _bits(term: str, digits: str | None, most: int) -> int:
    if digits is None:
        return most
    if int(digits) > most:
        raise BadTerm(term, "bad_mask")
    return int(digits)


def lookups(record: Record) -> Sequence[str]:
    """Return the record's own terms that cause questions to DNS (§4.6.4), as they stand in it."""
    asking = [directive.text for directive in record.directives if directive.mechanism in ASK]
    return [*asking, f"redirect={record.redirect}"] if record.redirect else asking
