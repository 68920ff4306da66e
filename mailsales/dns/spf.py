"""Whether a host may send as a domain: check_host() of RFC 7208, with everything that a page needs to say why not.

Non-ASCII domains count as their A-labels, and a local part of RFC 6531 matches no macro (RFC 8616 §4). Records of type SPF
(99) are not asked for (RFC 7208 §3.1).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions, a_labels, absolute
from mailsales.dns.spf_macros import LONGEST_NAME, as_name, expanded, names_local_part
from mailsales.dns.spf_record import ASK, BadTerm, Directive, Record, is_record, parse

MOST_LOOKUPS = 10  # terms that ask DNS (§4.6.4)
MOST_VOIDS = 2  # of them that find nothing
MOST_HOSTS = 10  # of an mx mechanism
MOST_POINTERS = 10  # names of an address that are looked at
MOST_SECONDS = 20.0
RESULTS: dict[str, Word] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

Word = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]
ProblemCode = Literal[
    "no_domain",  # "domain" cannot be one, or is no full one: none
    "no_record",  # "domain", which the term "term" of "of" names, has no record
    "two_records",  # "domain" has "count" of them
    "bad_term",  # "term" of "domain" is wrong; "fault" is one of spf_record.Fault
    "too_many_lookups",  # "term" of "domain" would be the eleventh; `Result.lookups` has them all
    "too_many_voids",  # "term" of "domain" is the third that finds nothing; `Result.lookups` has them all
    "too_many_hosts",  # "name", which "term" of "domain" asks for, has "count" MX records
    "trouble",  # the name servers do not answer; "detail" is what they say, "term" of "domain" what asked
]


@dataclass(frozen=True)
class Problem:
    code: ProblemCode
    values: dict[str, str] = field(default_factory=dict)


@dataclass
class Lookup:
    """A term that asked DNS, in the order of evaluation. `domain` is where it stands, `is_void` whether it found nothing."""

    domain: str
    term: str
    is_void: bool = False


@dataclass(frozen=True)
class Result:
    """What check_host() says. `record` is the domain's own, "" where it has none or several.

    `matched` and `matched_in` are the term that decided and the domain whose record has it, "" where none did;
    `explanation` is the domain's text for a fail (§6.2), a stranger's words.
    """

    word: Word
    domain: str
    record: str = ""
    matched: str = ""
    matched_in: str = ""
    explanation: str = ""
    problem: Problem | None = None
    lookups: tuple[Lookup, ...] = ()

    @property
    def voids(self) -> int:
        """How many of the terms that asked DNS found nothing."""
        return sum(lookup.is_void for lookup in self.lookups)


def check_host(questions: Questions, *, ip: str, sender: str, helo: str, receiver: str = "unknown") -> Result:
    """Return whether `ip` may send as the domain of `sender` or, where that is empty, of `helo` (§2.3, §2.4).

    `receiver` is who checks, for explanations. To learn what a record costs at worst, check an address that nobody uses
    (192.0.2.1). It takes 20 seconds at most (§4.6.4). ValueError: `ip` is no IP address.
    """
    local, _at, domain = (sender or helo).rpartition("@")
    try:
        domain = a_labels(domain)
    except NoSuchDomain:
        return Result("none", domain, problem=Problem("no_domain", {"domain": domain}))
    check = _Check(questions, _client(ip), local or "postmaster", domain, helo, receiver)
    with questions.within(MOST_SECONDS):
        return check.result()


def record_texts(questions: Questions, domain: str) -> list[str]:
    """Return the domain's SPF records (§4.5): it should have one. Raise DnsTrouble."""
    try:
        return [text for text in questions.txt(domain) if is_record(text)]
    except NoSuchDomain:
        return []


class _Ends(Exception):
    """The evaluation ends here, with an error."""

    def __init__(self, word: Word, code: ProblemCode, **values: str) -> None:
        super().__init__(code)
        self.word: Word = word
        self.problem = Problem(code, values)


@dataclass
class _Outcome:
    word: Word
    domain: str = ""
    term: str = ""
    explanation: str = ""


@dataclass
class _Check:
    questions: Questions
    client: IPv4Address | IPv6Address
    local: str
    domain: str
    helo: str
    receiver: str
    lookups: list[Lookup] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def result(self) -> Result:
        """Return the whole result for the domain of the sender."""
        if not _is_full(self.domain):
            return Result("none", self.domain, problem=Problem("no_domain", {"domain": self.domain}))
        try:
            outcome = self.evaluate(self.domain)
        except _Ends as error:
            return self._said(_Outcome(error.word), problem=error.problem)
        explanation = self.explanation(outcome) if outcome.word == "fail" else ""
        return self._said(outcome, explanation=explanation)

    def _said(self, outcome: _Outcome, *, explanation: str = "", problem: Problem | None = None) -> Result:
        record = self.texts.get(self.domain, "")
        lookups = tuple(self.lookups)
        return Result(outcome.word, self.domain, record, outcome.term, outcome.domain, explanation, problem, lookups)

    def evaluate(self, domain: str, term: str = "") -> _Outcome:
        """Return what the domain's record says of the client (§4.6); `term` led here from another record."""
        record = self.record(domain, term)
        if record is None:
            return _Outcome("none")
        for directive in record.directives:
            if self.matches(directive, domain):
                return _Outcome(RESULTS[directive.qualifier], domain, directive.text, record.explanation)
        if record.redirect:
            return self.redirected(record.redirect, domain)
        return _Outcome("neutral")

    def record(self, domain: str, term: str) -> Record | None:
        """Return the domain's record, read to its end; None where there is none (§4.3 to §4.6)."""
        if not _is_full(domain):
            return None
        try:
            found = record_texts(self.questions, domain)
        except DnsTrouble as error:
            raise _Ends("temperror", "trouble", domain=domain, term=term, detail=str(error)) from error
        if not found:
            return None
        if len(found) > 1:
            raise _Ends("permerror", "two_records", domain=domain, count=str(len(found)))
        self.texts[domain] = found[0]
        try:
            return parse(found[0])
        except BadTerm as error:
            raise _Ends("permerror", "bad_term", domain=domain, term=error.term, fault=error.fault) from error

    def redirected(self, target: str, domain: str) -> _Outcome:
        """Return what the record says that the modifier redirect names instead (§6.1)."""
        term = f"redirect={target}"
        self.count(domain, term)
        return self.followed(target, domain, term)

    def followed(self, target: str, domain: str, term: str) -> _Outcome:
        """Return the outcome of another domain's record, which must be there (§5.2, §6.1)."""
        other = self.name(target, domain)
        outcome = self.evaluate(other, term)
        if outcome.word == "none":
            raise _Ends("permerror", "no_record", domain=other, term=term, of=domain)
        return outcome

    def count(self, domain: str, term: str) -> Lookup:
        """Note a term that asks DNS, and end where there are too many (§4.6.4)."""
        lookup = Lookup(domain, term)
        self.lookups.append(lookup)
        if len(self.lookups) > MOST_LOOKUPS:
            raise _Ends("permerror", "too_many_lookups", domain=domain, term=term)
        return lookup

    def matches(self, directive: Directive, domain: str) -> bool:
        """Return whether the mechanism matches the client (§5)."""
        if directive.mechanism == "all":
            return True
        if directive.network:
            return self.client in directive.network
        assert directive.mechanism in ASK
        lookup = self.count(domain, directive.text)
        if not self.local.isascii() and names_local_part(directive.target):
            return False
        try:
            return self._matches_by_dns(directive, domain, lookup)
        except DnsTrouble as error:
            values = {"domain": domain, "term": directive.text, "detail": str(error)}
            raise _Ends("temperror", "trouble", **values) from error

    def _matches_by_dns(self, directive: Directive, domain: str, lookup: Lookup) -> bool:
        if directive.mechanism == "include":
            return self.followed(directive.target, domain, directive.text).word == "pass"
        name = self.name(directive.target, domain) if directive.target else domain
        if directive.mechanism == "a":
            return self.has_client(self.found(lookup, self.addresses, name), directive)
        if directive.mechanism == "mx":
            return self.is_mail_server(name, directive, lookup)
        if directive.mechanism == "exists":
            return bool(self.found(lookup, self.questions.a, name))
        return self.is_named_in(name, lookup)

    def found(self, lookup: Lookup, ask: Callable[[str], list[str]], name: str) -> list[str]:
        """Return what is found, and note where it is nothing: a term counts as void once, and two may be (§4.6.4).

        A name that cannot be asked for has nothing, and does not count (§4.8).
        """
        try:
            absolute(name)
        except NoSuchDomain:
            return []
        try:
            answers = ask(name)
        except NoSuchDomain:
            answers = []
        if not answers and not lookup.is_void:
            lookup.is_void = True
            if sum(lookup.is_void for lookup in self.lookups) > MOST_VOIDS:
                raise _Ends("permerror", "too_many_voids", domain=lookup.domain, term=lookup.term)
        return answers

    def addresses(self, name: str) -> list[str]:
        """Return the name's addresses of the client's family (§5)."""
        return self.questions.a(name) if self.client.version == 4 else self.questions.aaaa(name)

    def has_client(self, addresses: list[str], directive: Directive) -> bool:
        """Return whether the client is in the network of one of the addresses."""
        bits = directive.bits4 if self.client.version == 4 else directive.bits6
        network = ip_network((self.client, bits), strict=False)
        return any(ip_address(address) in network for address in addresses)

    def is_mail_server(self, name: str, directive: Directive, lookup: Lookup) -> bool:
        """Return whether the client is a mail server of the name, which never is its own (§5.4)."""
        hosts = self.found(lookup, lambda name: [host for _preference, host in self.questions.mx(name)], name)
        if len(hosts) > MOST_HOSTS:
            values = {"domain": lookup.domain, "term": lookup.term, "name": name, "count": str(len(hosts))}
            raise _Ends("permerror", "too_many_hosts", **values)
        found = (self.found(lookup, self.addresses, host) for host in hosts if host)
        return any(self.has_client(addresses, directive) for addresses in found)

    def is_named_in(self, name: str, lookup: Lookup) -> bool:
        """Return whether a name of the client that leads back to it is in the domain; trouble is no match (§5.5)."""
        try:
            self.found(lookup, lambda _name: self.questions.ptr(str(self.client)), name)
        except DnsTrouble:
            return False
        return any(one == name.lower() or one.endswith(f".{name.lower()}") for one in self.client_names)

    @cached_property
    def client_names(self) -> list[str]:
        """The names of the client that lead back to it (§5.5)."""
        try:
            names = self.questions.ptr(str(self.client))[:MOST_POINTERS]
        except (NoSuchDomain, DnsTrouble):
            return []
        return [name for name in names if self._leads_back(name)]

    def _leads_back(self, name: str) -> bool:
        try:
            return any(ip_address(address) == self.client for address in self.addresses(name))
        except (NoSuchDomain, DnsTrouble):
            return False

    def name(self, domain_spec: str, domain: str) -> str:
        """Return the name that a domain-spec in the domain's record stands for (§7.3)."""
        return as_name(expanded(domain_spec, lambda letter: self.macro(letter, domain)))

    def macro(self, letter: str, domain: str) -> str:
        """Return what the macro letter stands for (§7.2)."""
        match letter:
            case "s":
                return f"{self.local}@{self.domain}"
            case "l":
                return self.local
            case "o":
                return self.domain
            case "d":
                return domain
            case "i":
                return str(self.client) if self.client.version == 4 else ".".join(_nibbles(self.client))
            case "p":
                return self.client_name(domain)
            case "v":
                return "in-addr" if self.client.version == 4 else "ip6"
            case "h":
                return self.helo
            case "c":
                return str(self.client)
            case "r":
                return self.receiver
            case _:
                return str(int(time.time()))

    def client_name(self, domain: str) -> str:
        """Return the client's name that is nearest to the domain, "unknown" where it has none (§7.3)."""
        names = self.client_names
        inside = [name for name in names if name.endswith(f".{domain}")]
        return domain if domain in names else next(iter(inside or names), "unknown")

    def explanation(self, outcome: _Outcome) -> str:
        """Return the domain's words for a fail; "" where it has none, or one thing is wrong with them (§6.2)."""
        if not outcome.explanation or (not self.local.isascii() and names_local_part(outcome.explanation)):
            return ""
        try:
            [text] = self.questions.txt(self.name(outcome.explanation, outcome.domain))
            return expanded(text, lambda letter: self.macro(letter, outcome.domain), is_explanation=True)
        except (NoSuchDomain, DnsTrouble, ValueError):  # one of several texts, of none, or not well-formed
            return ""


def _client(ip: str) -> IPv4Address | IPv6Address:
    """Return the address; one of IPv4 that comes in IPv6 is that of IPv4 (§5)."""
    address = ip_address(ip)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_full(domain: str) -> bool:
    """Return whether it is a well-formed domain of several labels, and no address in brackets (§4.3)."""
    labels = domain.split(".")
    is_name = len(labels) > 1 and len(domain) <= LONGEST_NAME and not domain.startswith("[")
    return is_name and all(0 < len(label) <= 63 for label in labels)


def _nibbles(address: IPv4Address | IPv6Address) -> str:
    return address.packed.hex().upper()
