"""What TLS a mail server needs: DANE (RFC 7672), or MTA-STS (RFC 8461), or the table of destinations, or none.

What a stronger policy demands is never weakened by a weaker one, and a failure falls back to the clear only where
nothing demands TLS (RFC 7435). A host whose handshake failed is spoken to in the clear for three days.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from delivery import dane
from delivery.mta_sts import Policy, PolicyFault, announced_id
from delivery.resolver import DnsTrouble, NoSuchDomain, Resolver
from delivery.sites import Site, Target, TlsPlan
from delivery.smtp import ConnectFailure, Reply, unverified_context, verified_context
from delivery.tls_memory import TlsMemory
from mailsales.routes import TLSMode

RENEWED = timedelta(days=1)  # after which a policy is fetched again although it still holds (RFC 8461 §10.2)
RETRIED = timedelta(minutes=5)  # after a fetch that failed (§3.3)

__all__ = ["TlsMemory", "TlsPolicies"]

logger = logging.getLogger(__name__)


class Fetcher(Protocol):
    async def fetch(self, domain: str, policy_id: str) -> Policy:
        """Return the domain's policy. Raise PolicyFault."""


class TlsPolicies:
    """Decides on the TLS of hosts. `is_required` says of a destination group whether the table demands TLS."""

    def __init__(
        self, resolver: Resolver, memory: TlsMemory, fetcher: Fetcher, is_required: Callable[[str], bool]
    ) -> None:
        self._resolver = resolver
        self._memory = memory
        self._fetcher = fetcher
        self._is_required = is_required
        self._failed_at: dict[str, datetime] = {}

    def is_broken(self, host: str) -> bool:
        return self._memory.is_broken(host)

    async def governs(self, domain: str) -> bool:
        """Return whether the domain has an MTA-STS policy that is enforced or tested; fetch it if it is new.

        A policy that was fetched holds until its own end, whatever DNS or HTTPS say (RFC 8461 §5.1).
        """
        await self._memory.begin()
        known = self._memory.policy(domain)
        name = await self._announced(domain)
        if name and self._is_due(domain, name, known):
            try:
                known = await self._fetcher.fetch(domain, name)
                self._memory.keep(known)
            except PolicyFault as fault:
                self._failed_at[domain] = datetime.now(UTC)
                self._memory.count(TlsPlan(policy_type="sts", policy_domain=domain), fault.result, "", str(fault))
                logger.info("The MTA-STS policy of %s could not be fetched: %s", domain, fault)
        return known is not None and known.mode != "none"

    async def plans(self, site: Site, host: str, port: int, *, is_secure: bool) -> list[TlsPlan]:
        """Return how to encrypt with a host, in the order to try; none: it must not be used.

        `is_secure`: its addresses are proven by DNSSEC. Raise DnsTrouble where it is unknown what DNS demands.
        """
        if site.is_secure and is_secure and (plan := await self._by_dane(host, port)):
            return [plan]
        policy = self._memory.policy(site.domain) if site.domain else None
        if policy and policy.mode != "none":
            return self._by_sts(policy, site, host, port)
        return [self._by_table(site, host)]

    # -- inside ----------------------------------------------------------------------------------

    async def _announced(self, domain: str) -> str:
        try:
            return announced_id(await self._resolver.txt(f"_mta-sts.{domain}"))
        except (NoSuchDomain, DnsTrouble):
            return ""

    def _is_due(self, domain: str, name: str, known: Policy | None) -> bool:
        now = datetime.now(UTC)
        if domain in self._failed_at and now - self._failed_at[domain] < RETRIED:
            return False
        return known is None or known.policy_id != name or now - known.fetched_at > RENEWED

    async def _by_dane(self, host: str, port: int) -> TlsPlan | None:
        try:
            records = await self._resolver.tlsa(f"_{port}._tcp.{host}")
        except NoSuchDomain:
            return None
        if not records or not records.is_secure:
            return None
        plan = TlsPlan(
            TLSMode.REQUIRED,
            unverified_context(),
            is_binding=True,
            policy_type="tlsa",
            policy=tuple(map(dane.written, records)),
            mx_patterns=(host,),
        )
        proving = dane.usable(records)
        return replace(plan, check=dane.make_check(proving, host)) if proving else plan

    def _by_sts(self, policy: Policy, site: Site, host: str, port: int) -> list[TlsPlan]:
        """Return verified TLS; while a domain only tests its policy, the ordinary way follows."""
        plan = TlsPlan(
            TLSMode.REQUIRED,
            verified_context(),
            is_binding=True,
            policy_type="sts",
            policy_domain=policy.domain,
            policy=tuple(policy.text.splitlines()),
            mx_patterns=policy.mx,
        )
        plans = [plan] if policy.fits(host) else []
        if not plans:
            fault = Reply(0, "the MTA-STS policy does not name this mail server", "starttls", host)
            self._memory.note(Target(host, port, tls=plan), ConnectFailure(fault, is_tls=True))
        return plans if policy.is_enforced else [*plans, self._by_table(site, host)]

    def _by_table(self, site: Site, host: str) -> TlsPlan:
        if self._is_required(site.group):
            return TlsPlan(TLSMode.REQUIRED, is_binding=True)
        return TlsPlan(TLSMode.NONE if self._memory.is_broken(host) else TLSMode.OPPORTUNISTIC)
