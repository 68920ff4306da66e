"""Which servers take a domain's mail, and at which addresses: MX records or the hops of a route.

RFC 5321 §5.1 rules the search (MX, else the domain's own address; preference groups, random within one; at least two
addresses tried), RFC 7505 the null MX. Addresses that lead back into this house (loopback, private networks and the
like) are refused: nobody's MX record may make this installation knock at its own doors.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import groupby

from delivery.resolver import DnsTrouble, NoSuchDomain, Records, Resolver
from delivery.sites import Site, Target, TlsPlan, Unroutable
from delivery.smtp import Reply, unverified_context, verified_context
from mailsales.routes import Route, RouteKind, TLSMode

GroupOf = Callable[[tuple[str, ...], str], str]

MOST_TARGETS = 5
OF_ONE_HOST = 2  # addresses, one of each family, before the next host has its turn
LONGEST_NAME = 255
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address as an IPv6-only network sees it


class Directory:
    """Finds sites and targets. `group_of` names the destination group of MX hosts and a domain.

    Nothing is kept here: the resolver keeps its answers for their TTL, between one minute and one hour.
    """

    def __init__(self, resolver: Resolver, group_of: GroupOf, *, allows_private: bool = False) -> None:
        self._resolver = resolver
        self._group_of = group_of
        self._allows_private = allows_private

    async def site_of(self, route: Route, domain: str) -> Site:
        """Return where the route takes the domain's mail. Raise Unroutable."""
        if route.kind is not RouteKind.MX:
            return _site_of_hops(route)
        try:
            found = await self._resolver.mx(domain)
            if not found:
                found = await self._itself(domain)
        except NoSuchDomain as error:
            raise _refused(550, "5.1.2 Host or domain name not found.", domain) from error
        except DnsTrouble as error:
            raise Unroutable(Reply(0, str(error), "connect", domain)) from error
        hosts = _by_preference(found)
        if not hosts:
            raise _refused(556, "5.1.10 Recipient address has null MX: the domain takes no mail.", domain)
        names = tuple(sorted({host for group in hosts for host in group}))
        name = " ".join(names)[:LONGEST_NAME]
        return Site(name, self._group_of(names, domain), hosts, is_secure=found.is_secure)

    async def targets_of(self, route: Route, site: Site) -> list[Target]:
        """Return what to dial, the best first: of MX hosts at most five addresses. Raise Unroutable."""
        if route.kind is not RouteKind.MX:
            plan = _plan_of(route)
            return [Target(hop.host, hop.port, tls=plan, login=route.login) for hop in route.hops]
        found = _Found()
        for host in _in_turn(site.hosts):
            if len(found.targets) >= MOST_TARGETS:
                break
            try:
                self._add(found, route, host, await self._resolver.addresses(host))
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

    def _add(self, found: _Found, route: Route, host: str, addresses: list[str]) -> None:
        """Sort a host's addresses into targets, spare ones and refused ones."""
        family = ip_address(route.source_address).version if route.source_address else None
        fitting = [one for one in addresses if family in (None, ip_address(one).version)]
        allowed = [one for one in fitting if self._allows_private or is_public(one)]
        targets = [Target(host, route.port, address) for address in allowed]
        found.targets += targets[:OF_ONE_HOST]
        found.spare += targets[OF_ONE_HOST:]
        found.is_refused = found.is_refused or len(allowed) < len(fitting)


def is_public(address: str) -> bool:
    """Return whether mail may be sent there: not to this machine, a private network, or many at once."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address):
        if ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
        if ip in NAT64:
            ip = IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


# -- inside ------------------------------------------------------------------------------------


class _Found:
    """Targets on the way to `targets_of`, and what spoke against others."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.spare: list[Target] = []
        self.trouble: Reply | None = None
        self.is_refused = False

    def best(self, site: Site) -> list[Target]:
        """Return at most five, or raise Unroutable with what stood in the way."""
        if found := [*self.targets, *self.spare][:MOST_TARGETS]:
            return found
        if self.trouble:
            raise Unroutable(self.trouble)
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
    """Return the hosts in groups, the best first, each host once. A null MX beside others means nothing (RFC 7505 §3)."""
    best: dict[str, int] = {}
    for preference, host in sorted(found):
        if host:
            best.setdefault(host, preference)
    ranked = sorted(best, key=lambda host: (best[host], host))
    return tuple(tuple(group) for _preference, group in groupby(ranked, key=best.__getitem__))


def _in_turn(hosts: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the hosts in the order of preference, each group shuffled (RFC 5321 §5.1)."""
    return [host for group in hosts for host in random.sample(group, len(group))]


def _plan_of(route: Route) -> TlsPlan:
    """Return what the route itself says about TLS."""
    context = verified_context() if route.is_verified else unverified_context()
    return TlsPlan(route.tls, context, is_binding=route.tls in (TLSMode.REQUIRED, TLSMode.IMPLICIT))
