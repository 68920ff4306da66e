"""DNS as sending mail needs it: MX, addresses, TXT, TLSA and PTR, each kept as long as its TTL says (RFC 1034 §3.6).

A name that surely does not exist (RFC 2308 §2.1) is told apart from name servers in trouble, which is temporary. Names
go out as A-labels (RFC 5890), over EDNS (RFC 6891), and over TCP where an answer is truncated (RFC 7766).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename

from mailsales.dns.questions import (
    DnsTrouble,
    NoSuchDomain,
    a_labels,
    absolute,
    configured,
    first_line,
    is_public,
    plain,
)

__all__ = ["DnsTrouble", "NoSuchDomain", "Records", "Resolver", "a_labels", "is_public"]

T = TypeVar("T")

KEPT_ANSWERS = 20_000
SHORTEST, LONGEST = 60.0, 3_600.0  # seconds that an answer is kept, whatever its TTL
LONGEST_NOTHING = 300.0  # seconds that a missing name is believed to be missing
MOST_QUESTIONS = 100  # on the way at once: a burst of more is lost in the servers' buffers, and seconds with it
TRY_SECONDS = 3.0  # for one question to one server


class Records(list[T]):
    """The answer to one question. `is_secure`: the resolver has validated it (RFC 4035 §3.2.3), and may be believed."""

    def __init__(self, values: Iterable[T] = (), *, is_secure: bool = False) -> None:
        super().__init__(values)
        self.is_secure = is_secure


class Resolver:
    """Asks `servers` ("host", "host:port", "[v6]:port"; none: those of the system), and keeps what they say.

    With `validates` they are believed when they say that an answer is secure. `timeout` is seconds for a question. All
    methods raise NoSuchDomain and DnsTrouble; a name that has no records of the kind gives none.
    """

    def __init__(self, servers: Sequence[str] = (), *, validates: bool = False, timeout: float = 10.0) -> None:
        self.validates = validates
        self._under_way: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], asyncio.Future[Records[Any]]] = {}
        self._turn = asyncio.Semaphore(MOST_QUESTIONS)
        self._resolver = configured(dns.asyncresolver.Resolver, servers)
        self._resolver.cache = _Cache(KEPT_ANSWERS)
        self._resolver.timeout, self._resolver.lifetime = TRY_SECONDS, timeout
        if validates:
            self._resolver.flags = dns.flags.RD | dns.flags.AD  # RFC 6840 §5.7

    async def mx(self, domain: str) -> Records[tuple[int, str]]:
        """Return (preference, host) as they came; a null MX (RFC 7505) is (0, "")."""
        answer = await self._ask(absolute(domain), dns.rdatatype.MX)
        return Records([(rdata.preference, plain(rdata.exchange)) for rdata in answer], is_secure=answer.is_secure)

    async def addresses(self, host: str) -> Records[str]:
        """Return the host's addresses, IPv4 and IPv6 in turn, at random within each family.

        One family that is in trouble does not hide the other.
        """
        name, found, trouble = absolute(host), [], None
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            try:
                found.append(await self._ask(name, kind))
            except DnsTrouble as error:
                trouble = error
        if trouble and not any(found):
            raise trouble
        turns = zip_longest(*(random.sample([rdata.address for rdata in answer], len(answer)) for answer in found))
        addresses = [address for turn in turns for address in turn if address]
        return Records(addresses, is_secure=all(answer.is_secure for answer in found))

    async def txt(self, name: str) -> Records[str]:
        """Return the texts, the strings of each joined (RFC 7208 §3.3)."""
        answer = await self._ask(absolute(name), dns.rdatatype.TXT)
        texts = [b"".join(rdata.strings).decode("utf-8", "replace") for rdata in answer]
        return Records(texts, is_secure=answer.is_secure)

    async def tlsa(self, name: str) -> Records[tuple[int, int, int, bytes]]:
        """Return (usage, selector, matching type, data), RFC 6698 §2.1."""
        answer = await self._ask(absolute(name), dns.rdatatype.TLSA)
        records = [(rdata.usage, rdata.selector, rdata.mtype, bytes(rdata.cert)) for rdata in answer]
        return Records(records, is_secure=answer.is_secure)

    async def ptr(self, address: str) -> Records[str]:
        """Return the names of an IP address; ValueError for what is none."""
        try:
            name = dns.reversename.from_address(address)
        except dns.exception.SyntaxError as error:
            raise ValueError(f"“{address}” is no IP address.") from error
        answer = await self._ask(name, dns.rdatatype.PTR)
        return Records([plain(rdata.target) for rdata in answer], is_secure=answer.is_secure)

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Records[Any]:
        """Ask once, however many want to know it now: all connections to a site begin with the same questions."""
        asked = self._under_way.get((name, kind))
        if asked is None:
            asked = self._under_way[name, kind] = asyncio.ensure_future(self._ask_servers(name, kind))
            asked.add_done_callback(lambda _: self._under_way.pop((name, kind)))
        return await asyncio.shield(asked)

    async def _ask_servers(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Records[Any]:
        try:
            async with self._turn:
                answer = await self._resolver.resolve(name, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchDomain(f"the domain {plain(name)} does not exist") from error
        except (dns.exception.DNSException, OSError) as error:
            raise DnsTrouble(f"the name servers do not answer for {plain(name)}: {first_line(error)}") from error
        is_secure = self.validates and bool(answer.response.flags & dns.flags.AD)
        return Records(answer.rrset or (), is_secure=is_secure)


# -- inside ------------------------------------------------------------------------------------


class _Cache(dns.resolver.LRUCache):
    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        """Keep it for its TTL, within bounds: dnspython would keep a missing name without SOA for ever."""
        longest = LONGEST if value.rrset is not None else LONGEST_NOTHING
        now = time.time()
        value.expiration = min(max(value.expiration, now + SHORTEST), now + longest)
        super().put(key, value)
