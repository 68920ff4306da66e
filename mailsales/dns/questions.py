"""DNS for pages, commands and checks, which wait for it: each question is asked once and its answer is kept.

A name that surely does not exist (RFC 2308 §2.1) is told apart from one that has nothing of the kind asked for, and both
from name servers in trouble, which is temporary. Names go out as A-labels (RFC 5890), over EDNS (RFC 6891), and over TCP
where an answer is truncated (RFC 7766). `delivery.resolver` is its sibling for sending, which must not wait.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeVar
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.reversename

PORT = 53
PAYLOAD = 1232  # bytes of a UDP answer that pass everywhere unfragmented (DNS flag day 2020)
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address as an IPv6-only network sees it
TRY_SECONDS = 2.0  # for one question to one server
LONGEST_CHAIN = 8  # aliases that are followed (RFC 1034 §3.6.2); resolvers follow about as many

WITHOUT_EDNS = {dns.rcode.FORMERR, dns.rcode.NOTIMP}

R = TypeVar("R", bound=dns.resolver.BaseResolver)
Kind = dns.rdatatype.RdataType
Answer = tuple[Sequence[Any], dns.name.Name | None]  # the records, or the name that has them


class NoSuchDomain(Exception):
    """The name does not exist (NXDOMAIN), or cannot: this is for good."""


class DnsTrouble(Exception):
    """The name servers do not answer, or not sensibly: SERVFAIL, REFUSED, timeouts. This is for the moment."""


class Questions:
    """Asks `servers` ("host", "host:port", "[v6]:port"; none: those of the system); ValueError for one that is none.

    `timeout` is seconds for a question. All methods raise NoSuchDomain and DnsTrouble; a name that has no records of the
    kind gives none. An instance lives for one page, check or line: it believes for ever what it was once told.
    """

    def __init__(self, servers: Sequence[str] = (), *, timeout: float = 5.0) -> None:
        self.timeout = timeout
        self._until = math.inf
        self._kept: dict[tuple[dns.name.Name, Kind], Answer | NoSuchDomain | DnsTrouble] = {}
        self._resolver = configured(dns.resolver.Resolver, servers)
        self._resolver.timeout = TRY_SECONDS

    @property
    def stand_for_all(self) -> bool:
        """Whether these servers have a port of their own, and so are a private DNS that knows all zones there are."""
        return any(getattr(server, "port", PORT) != PORT for server in self._resolver.nameservers)

    @property
    def seconds_left(self) -> float:
        """How long the next question may take."""
        return max(0.0, min(self.timeout, self._until - time.monotonic()))

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let all questions inside together take no longer: what is not answered by then is DnsTrouble."""
        before, self._until = self._until, min(self._until, time.monotonic() + seconds)
        try:
            yield
        finally:
            self._until = before

    def txt(self, name: str) -> list[str]:
        """Return the texts, the strings of each joined (RFC 7208 §3.3); what is no UTF-8 becomes U+FFFD."""
        return [b"".join(rdata.strings).decode("utf-8", "replace") for rdata in self._ask(name, Kind.TXT)]

    def a(self, name: str) -> list[str]:
        """Return the IPv4 addresses."""
        return [rdata.address for rdata in self._ask(name, Kind.A)]

    def aaaa(self, name: str) -> list[str]:
        """Return the IPv6 addresses."""
        return [rdata.address for rdata in self._ask(name, Kind.AAAA)]

    def mx(self, name: str) -> list[tuple[int, str]]:
        """Return (preference, host), the best first; a null MX (RFC 7505) is (0, "")."""
        return sorted((rdata.preference, plain(rdata.exchange)) for rdata in self._ask(name, Kind.MX))

    def ptr(self, address: str) -> list[str]:
        """Return the names of an IP address; ValueError for what is none."""
        name = dns.reversename.from_address(str(ip_address(address)))
        return [plain(rdata.target) for rdata in self._follow(name, Kind.PTR)]

    def cname(self, name: str) -> list[str]:
        """Return the name that it is an alias of, if it is one."""
        return [plain(rdata.target) for rdata in self._ask(name, Kind.CNAME)]

    def ns(self, name: str) -> list[str]:
        """Return the names of the zone's name servers."""
        return [plain(rdata.target) for rdata in self._ask(name, Kind.NS)]

    def soa(self, name: str) -> list[tuple[str, int]]:
        """Return (primary name server, serial) where a zone begins here."""
        return [(plain(rdata.mname), rdata.serial) for rdata in self._ask(name, Kind.SOA)]

    def exists(self, name: str) -> bool:
        """Return whether the name does, or any below it (RFC 8020). An alias does, wherever it leads."""
        for ask in (self.a, self.cname):
            try:
                ask(name)
            except NoSuchDomain:
                continue
            return True
        return False

    def _ask(self, name: str, kind: Kind) -> Sequence[Any]:
        return self._follow(absolute(name), kind)

    def _follow(self, name: dns.name.Name, kind: Kind) -> Sequence[Any]:
        """Ask for the name, and for what it is an alias of where the server did not follow it."""
        records, alias = self._answer(name, kind)
        for _hop in range(LONGEST_CHAIN):
            if alias is None:
                return records
            records, alias = self._answer(alias, kind)
        raise DnsTrouble(f"the aliases of {plain(name)} lead nowhere")

    def _answer(self, name: dns.name.Name, kind: Kind) -> Answer:
        kept = self._kept.get((name, kind))
        if kept is None:
            try:
                kept = self._ask_servers(name, kind)
            except (NoSuchDomain, DnsTrouble) as error:
                kept = error
            self._kept[name, kind] = kept
        if isinstance(kept, Exception):
            raise kept
        return kept

    def _ask_servers(self, name: dns.name.Name, kind: Kind) -> Answer:
        return self._ask_through(self._resolver, name, kind)

    def _ask_through(self, resolver: dns.resolver.Resolver, name: dns.name.Name, kind: Kind) -> Answer:
        seconds = self.seconds_left
        if not seconds:
            raise DnsTrouble(f"the time is up before {plain(name)} is asked for")
        try:
            answer = _resolved(resolver, name, kind, seconds)
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchDomain(f"the domain {plain(name)} does not exist") from error
        except (dns.exception.DNSException, OSError) as error:
            raise DnsTrouble(f"the name servers do not answer for {plain(name)}: {first_line(error)}") from error
        if answer.rrset is not None:
            return list(answer.rrset), None
        return [], answer.canonical_name if answer.canonical_name != name else None


def _resolved(resolver: dns.resolver.Resolver, name: dns.name.Name, kind: Kind, seconds: float) -> dns.resolver.Answer:
    """Return the answer, without EDNS from servers that say they do not know it (RFC 6891 §7)."""
    try:
        return resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=seconds)
    except dns.resolver.NoNameservers as error:
        rcodes = {response.rcode() for *_server, response in error.kwargs["errors"] if response}
        if resolver.edns < 0 or not rcodes & WITHOUT_EDNS:
            raise
    resolver.use_edns(False)
    return resolver.resolve(name, kind, raise_on_no_answer=False, search=False, lifetime=seconds)


def a_labels(domain: str) -> str:
    """Return the domain as DNS has it, in lower case. Raise NoSuchDomain for what cannot be one."""
    text = domain.rstrip(".")
    try:
        return (text if text.isascii() else text.encode("idna").decode()).lower()
    except UnicodeError as error:
        raise NoSuchDomain(f"“{domain}” cannot be a domain") from error


def absolute(text: str) -> dns.name.Name:
    """Return the absolute name; a label may have any characters but dots. One that cannot exist is NoSuchDomain."""
    try:
        return dns.name.Name([*(label.encode("ascii") for label in a_labels(text).split(".")), b""])
    except dns.exception.DNSException as error:
        raise NoSuchDomain(f"“{text}” cannot be a domain") from error


def plain(name: dns.name.Name) -> str:
    """Return the name as people write it: in lower case, without the last dot."""
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def is_public(address: str) -> bool:
    """Return whether it may be dialled because DNS says so: not this machine, a private network, or many at once."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
        if ip in NAT64:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def configured(kind: type[R], servers: Sequence[str]) -> R:
    """Return a resolver of dnspython's that asks these servers, or those of the system. Raise ValueError."""
    try:
        resolver = kind(configure=not servers)
    except dns.resolver.NoResolverConfiguration:
        resolver = kind(configure=False)
    if servers:
        resolver.nameservers = [name_server(text) for text in servers]
    resolver.use_edns(0, payload=PAYLOAD)
    return resolver


def name_server(text: str) -> dns.nameserver.Nameserver:
    """Return the name server that is written so; the system resolves its name. Raise ValueError."""
    try:
        parts = urlsplit(f"//[{text}]" if text.count(":") > 1 and "[" not in text else f"//{text}")
        host, port = parts.hostname, parts.port or PORT
        if not host:
            raise ValueError("it is not host or host:port")
        *_kind, place = min(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM))  # IPv4 first: localhost
    except (ValueError, OSError) as error:
        raise ValueError(f"“{text}” is no name server: {error}.") from error
    return dns.nameserver.Do53Nameserver(str(place[0]), port)


def first_line(error: Exception) -> str:
    """Return the beginning of what an error says."""
    return str(error).partition("\n")[0][:200] or type(error).__name__
