"""Who this installation says it is to mail servers, and whether DNS agrees, forth and back (FCrDNS).

RFC 5321 §4.1.1.1 asks for a name in EHLO that has an address. Gmail (support.google.com/a/answer/81126) and Microsoft
refuse or distrust an address whose PTR record is missing, or names what does not resolve to it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Sequence
from ipaddress import ip_address, ip_network

from delivery.resolver import DnsTrouble, NoSuchDomain, Resolver
from mailsales.routes import Hop, Route, RouteKind

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
FULL_NAME = re.compile(rf"(?=.{{4,253}}$)({LABEL}\.)+(?!\d+$){LABEL}", re.IGNORECASE)
TRANSLATED = [  # addresses that others see as another one (RFC 1918, RFC 6598, RFC 4193)
    ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]


async def faults(route: Route, resolver: Resolver) -> list[str]:
    """Return what receivers, or their spam filters, will object to, each with what to change.

    Only an MX route shows itself to receivers. Of a relay no more is asked than whether its hosts can be resolved.
    """
    if route.kind is RouteKind.MX:
        return await _faults_of_name(route, resolver)
    return [fault for hop in route.hops for fault in await _faults_of_hop(hop)]


def unchecked(route: Route) -> str:
    """Return what `faults` cannot know of the route, and why; empty where it looks at everything."""
    if route.kind is not RouteKind.MX:
        return "The EHLO name and the source address are not checked: nobody but the next hop sees them."
    if route.source_address is None:
        return (
            "The source address is not checked: the system chooses it. "
            "Set SOURCE_ADDRESS, or source= in the route, to the one whose PTR record names the EHLO name."
        )
    if _is_translated(route.source_address):
        return (
            f"Whether {route.source_address} leaves as an address of the EHLO name is not checked: "
            "it is translated on the way (NAT)."
        )
    return ""


# -- inside ------------------------------------------------------------------------------------


async def _faults_of_name(route: Route, resolver: Resolver) -> list[str]:
    name, source = route.ehlo_name.rstrip(".").lower(), route.source_address
    if not FULL_NAME.fullmatch(name):
        return [
            f"The EHLO name “{name}” is not the full name of a machine. "
            "Set EHLO_NAME, or ehlo= in the route, to its name in DNS, for example mail.example.jp."
        ]
    try:
        addresses = await _found(resolver.addresses(name))
    except DnsTrouble as error:
        return [f"The EHLO name “{name}” could not be checked: {error}. Run this again, or correct DNS_SERVERS."]
    if not addresses:
        wanted = source if source and not _is_translated(source) else "the address that mail is sent from"
        return [f"The EHLO name “{name}” has no address in DNS. Publish an A or AAAA record for it with {wanted}."]
    if source is None or _is_translated(source):
        return [fault for address in addresses for fault in await _faults_of_address(address, name, resolver)]
    found = await _faults_of_address(source, name, resolver)
    if ip_address(source) not in map(ip_address, addresses):
        found.insert(
            0,
            f"The EHLO name “{name}” has the address {_listed(addresses)}, and mail is sent from {source}. "
            f"Publish {source} for the name, or use the name of that address.",
        )
    return found


async def _faults_of_address(address: str, name: str, resolver: Resolver) -> list[str]:
    """Return what is wrong with the way back from an address to the name."""
    try:
        names = await _found(resolver.ptr(address))
    except DnsTrouble as error:
        return [f"The PTR record of {address} could not be checked: {error}. Run this again, or correct DNS_SERVERS."]
    if not names:
        return [
            f"The address {address} has no PTR record: Gmail and others refuse its mail. "
            f"Have whoever provides the address set one that names {name}."
        ]
    if name not in names:
        return [
            f"The PTR record of {address} names {_listed(names)}, and EHLO says {name}. "
            f"Have whoever provides the address set it to {name}, or set EHLO_NAME to what it names."
        ]
    return []


async def _faults_of_hop(hop: Hop) -> list[str]:
    """Return that the system cannot resolve the host, which is whom connections to it ask."""
    try:
        await asyncio.get_running_loop().getaddrinfo(hop.host, hop.port)
    except (OSError, UnicodeError) as error:
        return [f"The host {hop} of the route cannot be resolved ({error}). Correct its name, or the system's DNS."]
    return []


async def _found(question: Awaitable[Sequence[str]]) -> Sequence[str]:
    """Return the answer; a name that does not exist has none. Raise DnsTrouble."""
    try:
        return await question
    except NoSuchDomain:
        return []


def _is_translated(address: str) -> bool:
    found = ip_address(address)
    return any(found in network for network in TRANSLATED if network.version == found.version)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
