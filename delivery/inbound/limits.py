"""How much the inbound server takes, and from whom: what is asked beyond is put off with 421 or 452, never lost.

The figures leave room for the reports that a provider sends in the minutes after a campaign, from few addresses.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

MOST_REMEMBERED = 50_000  # addresses whose rate is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes are in bytes, times in seconds. Recipients of one mail are 100 at least (RFC 5321 §4.5.3.1.8)."""

    size: int = 4_000_000
    line: int = 65_536  # of a mail; RFC 5321 §4.5.3.1.6 asks for 1,000, and reports of careless systems are longer
    connections: int = 200
    connections_each: int = 20  # of one address
    mails: int = 200  # of one connection
    mails_a_minute: int = 1_000  # of one address
    bytes_a_minute: int = 60_000_000  # of one address
    recipients: int = 100
    commands: int = 2_000  # of one connection
    errors: int = 20  # of one connection
    idle: float = 300.0  # RFC 5321 §4.5.3.2.7
    idle_when_full: float = 20.0  # while more than half of the connections are taken
    total: float = 1_800.0  # of one connection
    in_flight: int = 100_000_000  # of all mails that are not committed yet
    strange_a_minute: int = 100_000  # of mails to addresses with a forged token, from everybody
    strange_at_once: int = 20_000_000
    open_a_minute: int = 2_000_000  # of mails to addresses without a token, from everybody
    open_at_once: int = 50_000_000


@dataclass(slots=True)
class Bucket:
    """Holds `most`, and gains `a_minute`: what it lends may leave it in debt, and then it lends nothing."""

    most: float
    a_minute: float
    clock: Callable[[], float] = time.monotonic
    left: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.left, self.at = self.most, self.clock()

    def is_open(self) -> bool:
        """Return whether something is left, without taking of it."""
        now = self.clock()
        self.left = min(self.most, self.left + (now - self.at) * self.a_minute / 60)
        self.at = now
        return self.left > 0

    def take(self, cost: float) -> bool:
        """Take the cost, and return whether something was left before."""
        if not self.is_open():
            return False
        self.left -= cost
        return True


class Guests:
    """Who is connected, and how much each address has sent of late. Only the event loop's thread may ask."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self.in_flight = 0
        self.strange = Bucket(limits.strange_at_once, limits.strange_a_minute, clock)
        self.open = Bucket(limits.open_at_once, limits.open_a_minute, clock)
        self._here: Counter[str] = Counter()
        self._rates: OrderedDict[str, tuple[Bucket, Bucket]] = OrderedDict()

    @property
    def idle(self) -> float:
        """Return how long a connection may be silent now."""
        is_full = self._here.total() * 2 > self.limits.connections
        return self.limits.idle_when_full if is_full else self.limits.idle

    def enter(self, ip: str) -> bool:
        """Count a connection of the address; return whether there is room for it. Without room nothing is counted."""
        who = network_of(ip)
        if self._here.total() >= self.limits.connections or self._here[who] >= self.limits.connections_each:
            return False
        self._here[who] += 1
        return True

    def leave(self, ip: str) -> None:
        who = network_of(ip)
        self._here[who] -= 1
        if self._here[who] <= 0:
            del self._here[who]

    def may_send(self, ip: str) -> bool:
        """Return whether the address has not sent too much within the last minute."""
        mails, octets = self._rate(ip)
        return mails.is_open() and octets.is_open()

    def note(self, ip: str, size: int) -> None:
        """Count a mail of the address."""
        mails, octets = self._rate(ip)
        mails.take(1)
        octets.take(size)

    def _rate(self, ip: str) -> tuple[Bucket, Bucket]:
        who, limits = network_of(ip), self.limits
        if who not in self._rates:
            self._rates[who] = (
                Bucket(limits.mails_a_minute, limits.mails_a_minute, self.clock),
                Bucket(limits.bytes_a_minute, limits.bytes_a_minute, self.clock),
            )
            if len(self._rates) > MOST_REMEMBERED:
                self._rates.popitem(last=False)
        self._rates.move_to_end(who)
        return self._rates[who]


def network_of(ip: str) -> str:
    """Return what counts as one address: a customer of a provider has a whole /64 of IPv6 (RFC 6177)."""
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False))
    return str(address)
