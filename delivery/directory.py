"""Which servers take a domain's mail, and at which addresses: MX records or the hops of a route.

RFC 5321 §5.1 rules the search (MX, else the domain's own address; preference groups, random within one; at least two
addresses tried), RFC 7505 the null MX. Addresses that lead back into this house (loopback, private networks and the
like) are refused: nobody's MX record may make this installation knock at its own doors.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from itertools import groupby

from django.conf import settings

from delivery.mta_sts import Fetcher
from delivery.resolver import DnsTrouble, NoSuchDomain, Records, Resolver, a_labels, is_public
from delivery.shaping import Table
from delivery.sites import Site, Target, TlsPlan, Unroutable
from delivery.smtp import Reply, unverified_context, verified_context
from delivery.tls_memory import TlsMemory
from delivery.tls_policy import TlsPolicies
from mailsales.routes import Hop, Route, RouteKind, TLSMode

GroupOf = Callable[[tuple[str, ...], str], str]

MOST_ADDRESSES = 5
OF_ONE_HOST = 2  # addresses, one of each family, before the next host has its turn
LONGEST_NAME = 255
HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class Directory:
    """Finds sites and targets. `group_of` names the destination group of MX hosts and a domain.

    Nothing is kept here: the resolver keeps its answers for their TTL, between one minute and one hour.
    """

    def __init__(
        self, resolver: Resolver, policies: TlsPolicies, group_of: GroupOf, *, allows_private: bool = False
    ) -> None:
        self._resolver = resolver
        self._policies = policies
        self._group_of = group_of
        self._allows_private = allows_private

    async def site_of(self, route: Route, domain: str) -> Site:
        """Return where the route takes the domain's mail. Raise Unroutable."""
        if route.kind is not RouteKind.MX:
            return _site_of_hops(route)
        try:
            domain = a_labels(domain)
            found = await self._resolver.mx(domain)
            if not found:
                found = await self._itself(domain)
        except NoSuchDomain as error:
            raise _refused(550, "5.1.2 Host or domain name not found.", domain) from error
        except DnsTrouble as error:
            raise Unroutable(Reply(0, str(error), "connect", domain)) from error
        hosts = _by_preference(found)
        if not any(host for _preference, host in found):
            raise _refused(556, "5.1.10 Recipient address has null MX: the domain takes no mail.", domain)
        if not hosts:
            raise _refused(550, "5.4.4 What the domain names as its mail servers are no host names.", domain)
        names = tuple(sorted({host for group in hosts for host in group}))
        name = " ".join(host if "." in host else f"{host}." for host in names)[:LONGEST_NAME]  # never a group's name
        governed = domain if await self._policies.governs(domain) else ""
        return Site(name, self._group_of(names, domain), hosts, governed, found.is_secure)

    async def targets_of(self, route: Route, site: Site) -> list[Target]:
        """Return what to dial, the best first: of MX hosts at most five addresses.

        An address may come twice, with the second way to encrypt after the first. Raise Unroutable.
        """
        if route.kind is not RouteKind.MX:
            return [Target(hop.host, hop.port, tls=self._plan_of(route, hop), login=route.login) for hop in route.hops]
        found = _Found()
        for host in _in_turn(site.hosts):
            if len(found.ways) >= MOST_ADDRESSES:
                break
            try:
                addresses = await self._resolver.addresses(host)
                plans = await self._policies.plans(site, host, route.port, is_secure=addresses.is_secure)
                self._add(found, route, Target(host, route.port), addresses, plans)
            except NoSuchDomain:
                continue
            except DnsTrouble as error:
                found.trouble = Reply(0, str(error), "connect", host)
        return found.best(site)

    async def _itself(self, domain: str) -> Records[tuple[int, str]]:
        """Return the domain as its own mail server (RFC 5321 §5.1, implicit MX). Raise Unroutable if it has no address."""
        addresses = await self._resolver.addresses(domain)
        if not addresses:
            raise _refused(550, "5.4.4 The domain has neither a mail server nor an address.", domain)
        return Records([(0, domain)], is_secure=addresses.is_secure)

    def _add(self, found: _Found, route: Route, host: Target, addresses: list[str], plans: list[TlsPlan]) -> None:
        """Sort a host's addresses into targets, spare ones and refused ones."""
        if not plans:
            found.is_excluded = True
            return
        family = ip_address(route.source_address).version if route.source_address else None
        fitting = [one for one in addresses if family in (None, ip_address(one).version)]
        allowed = [one for one in fitting if self._allows_private or is_public(one)]
        ways = [[replace(host, address=address, tls=plan) for plan in plans] for address in allowed]
        found.ways += ways[:OF_ONE_HOST]
        found.spare += ways[OF_ONE_HOST:]
        found.is_refused = found.is_refused or len(allowed) < len(fitting)

    def _plan_of(self, route: Route, hop: Hop) -> TlsPlan:
        """Return what the route itself says about TLS."""
        if route.tls is TLSMode.OPPORTUNISTIC and self._policies.is_broken(hop.host):
            return TlsPlan(TLSMode.NONE)
        context = verified_context() if route.is_verified else unverified_context()
        return TlsPlan(route.tls, context, is_binding=route.tls in (TLSMode.REQUIRED, TLSMode.IMPLICIT))


def of_settings(table: Table, memory: TlsMemory) -> Directory:
    """Return the directory of this installation."""
    resolver = Resolver(settings.DNS_SERVERS, validates=settings.DNS_VALIDATES)
    fetcher = Fetcher(resolver, settings.ALLOW_PRIVATE_MX)
    policies = TlsPolicies(resolver, memory, fetcher, lambda group: table.limits(group).is_tls_required)
    return Directory(resolver, policies, table.group_of, allows_private=settings.ALLOW_PRIVATE_MX)


# -- inside ------------------------------------------------------------------------------------


class _Found:
    """Targets on the way to `targets_of`, and what spoke against others."""

    def __init__(self) -> None:
        self.ways: list[list[Target]] = []  # of each address
        self.spare: list[list[Target]] = []
        self.trouble: Reply | None = None
        self.is_refused = False
        self.is_excluded = False

    def best(self, site: Site) -> list[Target]:
        """Return the targets of at most five addresses, or raise Unroutable with what stood in the way."""
        if found := [target for way in [*self.ways, *self.spare][:MOST_ADDRESSES] for target in way]:
            return found
        if self.trouble:
            raise Unroutable(self.trouble)
        if self.is_excluded:
            text = "the domain’s MTA-STS policy names none of its mail servers"
            raise Unroutable(Reply(0, text, "starttls", site.name[:LONGEST_NAME]))
        if self.is_refused:
            raise _refused(550, "5.4.4 The mail servers' addresses are private or local: mail loops back.", site.name)
        raise _refused(550, "5.4.4 No mail server of the domain has an address that can be reached.", site.name)


def _refused(code: int, text: str, host: str) -> Unroutable:
    return Unroutable(Reply(code, text, "rcpt", host[:LONGEST_NAME]))


def _site_of_hops(route: Route) -> Site:
    hops = ",".join(map(str, route.hops)) if route.kind is RouteKind.RELAY else ""
    name = " ".join(filter(None, (route.kind.value, hops)))[:LONGEST_NAME]
    return Site(name, name, tuple((str(hop),) for hop in route.hops))


def _by_preference(found: Records[tuple[int, str]]) -> tuple[tuple[str, ...], ...]:
    """Return the hosts in groups, the best first, each once, without what is no host name.

    A null MX beside others means nothing (RFC 7505 §3).
    """
    best: dict[str, int] = {}
    for preference, host in sorted(found):
        if HOST.fullmatch(host):
            best.setdefault(host, preference)
    ranked = sorted(best, key=lambda host: (best[host], host))
    return tuple(tuple(group) for _preference, group in groupby(ranked, key=best.__getitem__))


def _in_turn(hosts: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the hosts in the order of preference, each group shuffled (RFC 5321 §5.1)."""
    return [host for group in hosts for host in random.sample(group, len(group))]
