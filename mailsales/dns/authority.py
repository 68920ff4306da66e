"""What a zone's own name servers say, before any cache knows it: a domain's records as they stand this minute.

The zone of a name is the nearest one above it that has a SOA record (RFC 1034 §4.2); its NS records name its servers.
"""

from __future__ import annotations

from collections.abc import Sequence

import dns.flags
import dns.name
import dns.nameserver
import dns.resolver

from mailsales.dns.questions import (
    PAYLOAD,
    PORT,
    TRY_SECONDS,
    Answer,
    DnsTrouble,
    Kind,
    NoSuchDomain,
    Questions,
    is_public,
    plain,
)

MOST_SERVERS = 4  # of a zone that are asked


class AuthoritativeQuestions(Questions):
    """Asks the name servers of the zone that a name is in, and follows aliases into the zones of others.

    Where they cannot be found or do not answer, `servers` answer instead, and `second_hand` names the zone ("" where it is
    not known). Servers with a port of their own (`Questions.stand_for_all`) are asked for everything, unless the zones'
    servers have that `port` too; `allows_private` lets those be on this machine or a private network.
    """

    def __init__(
        self, servers: Sequence[str] = (), *, timeout: float = 5.0, port: int = PORT, allows_private: bool = False
    ) -> None:
        super().__init__(servers, timeout=timeout)
        self.second_hand: set[str] = set()
        self._port, self._allows_private = port, allows_private
        self._finder = Questions(servers, timeout=timeout)
        self._authorities: dict[str, dns.resolver.Resolver] = {}

    def zone(self, name: str) -> str:
        """Return the zone that the name is in. Raise NoSuchDomain and DnsTrouble."""
        labels = name.rstrip(".").split(".")
        for depth in range(len(labels)):
            ancestor = ".".join(labels[depth:])
            try:
                if self._finder.soa(ancestor) and not self._finder.cname(ancestor):
                    return ancestor
            except NoSuchDomain:
                continue
        raise NoSuchDomain(f"no zone is above {name}")

    def _ask_servers(self, name: dns.name.Name, kind: Kind) -> Answer:
        if self.stand_for_all and self._port == PORT:
            return super()._ask_servers(name, kind)
        authority = self._authority(plain(name))
        if authority:
            try:
                return self._ask_through(authority[1], name, kind)
            except DnsTrouble:
                self.second_hand.add(authority[0])
        return super()._ask_servers(name, kind)

    def _authority(self, name: str) -> tuple[str, dns.resolver.Resolver] | None:
        """Return the name's zone and a resolver that asks its servers, and not for recursion; None: not to be found."""
        zone = ""
        with self._finder.within(self.seconds_left):
            try:
                zone = self.zone(name)
                if zone not in self._authorities:
                    self._authorities[zone] = self._resolver_of(zone)
            except (NoSuchDomain, DnsTrouble):
                self.second_hand.add(zone)
                return None
        return zone, self._authorities[zone]

    def _resolver_of(self, zone: str) -> dns.resolver.Resolver:
        servers = [dns.nameserver.Do53Nameserver(address, self._port) for address in self._addresses(zone)]
        if not servers:
            raise DnsTrouble(f"the name servers of {zone} have no public address")
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = servers
        resolver.timeout, resolver.flags = TRY_SECONDS, dns.flags.Flag(0)
        resolver.use_edns(0, payload=PAYLOAD)
        return resolver

    def _addresses(self, zone: str) -> list[str]:
        found: list[str] = []
        for host in self._finder.ns(zone)[:MOST_SERVERS]:
            for ask in (self._finder.a, self._finder.aaaa):
                try:
                    found += [address for address in ask(host) if self._allows_private or is_public(address)][:1]
                except (NoSuchDomain, DnsTrouble):
                    continue
        return found
