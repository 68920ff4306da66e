from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from unittest import IsolatedAsyncioTestCase
from unittest.mock import patch

from delivery import tls_policy
from delivery.directory import Directory
from delivery.mta_sts import Policy, PolicyFault, parse
from delivery.resolver import Resolver
from delivery.sites import Site, Target, TlsPlan, Unroutable
from delivery.tls_policy import TlsMemory, TlsPolicies
from mailsales import routes
from mailsales.management.bench.names import Names
from mailsales.routes import TLSMode

ZONE = f"""
example.jp. MX 10 mx1.example.jp.
example.jp. MX 20 mx2.example.net.
_mta-sts.example.jp. TXT "v=STSv1; id=1;"
mx1.example.jp. A 11.0.0.1
mx2.example.net. A 11.0.0.2
_25._tcp.mx1.example.jp. TLSA 3 1 1 {"ab" * 32}
_25._tcp.mx2.example.net. TLSA 0 1 1 {"ab" * 32}
other.example. MX 10 mx1.example.jp.
"""
SECURE = {"example.jp", "mx1.example.jp", "mx2.example.net", "_25._tcp.mx1.example.jp", "_25._tcp.mx2.example.net"}
MX = routes.parse("mx")


@dataclass
class Web:
    """Stands for the HTTPS servers of the world."""

    mode: str = "enforce"
    fault: PolicyFault | None = None
    fetches: list[str] = field(default_factory=list)
    age: int = 86_400
    fetched_at: datetime | None = None

    async def fetch(self, domain: str, policy_id: str) -> Policy:
        self.fetches.append(policy_id)
        if self.fault:
            raise self.fault
        text = f"version: STSv1\nmode: {self.mode}\nmx: *.example.jp\nmax_age: {self.age}\n"
        return parse(domain, policy_id, text, self.fetched_at or datetime.now(UTC))


class PolicyTestCase(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.names = await self.enterAsyncContext(Names(ZONE))
        self.memory = TlsMemory()
        self.web = Web()
        self.required: set[str] = set()
        self.directory = self.make()

    def make(self, *, validates: bool = False) -> Directory:
        resolver = Resolver([self.names.server], validates=validates, timeout=0.5)
        policies = TlsPolicies(resolver, self.memory, self.web, self.required.__contains__)
        return Directory(resolver, policies, lambda _hosts, domain: domain)

    async def site(self, domain: str = "example.jp") -> Site:
        return await self.directory.site_of(MX, domain)

    async def targets(self, domain: str = "example.jp") -> list[Target]:
        return await self.directory.targets_of(MX, await self.site(domain))

    def counts(self) -> dict[tuple[str, str, str, str], int]:
        return {key[1:]: count.n for key, count in self.memory._counts.items()}


class TableTest(PolicyTestCase):
    async def test_tls_is_opportunistic_where_nothing_is_said(self) -> None:
        [target] = await self.targets("other.example")
        self.assertEqual((target.tls.mode, target.tls.is_binding), (TLSMode.OPPORTUNISTIC, False))
        self.assertEqual(target.tls.context.verify_mode, ssl.CERT_NONE)

    async def test_the_table_may_demand_it(self) -> None:
        self.required.add("other.example")
        [target] = await self.targets("other.example")
        self.assertEqual((target.tls.mode, target.tls.is_binding), (TLSMode.REQUIRED, True))

    async def test_a_broken_host_is_spoken_to_in_the_clear(self) -> None:
        self.memory.broken("mx1.example.jp", "the handshake failed")
        [target] = await self.targets("other.example")
        self.assertIs(target.tls.mode, TLSMode.NONE)

    async def test_a_broken_host_gets_no_mail_in_the_clear_where_tls_is_demanded(self) -> None:
        self.memory.broken("mx1.example.jp", "the handshake failed")
        self.required.add("other.example")
        [target] = await self.targets("other.example")
        self.assertIs(target.tls.mode, TLSMode.REQUIRED)

    async def test_a_broken_relay_too(self) -> None:
        self.memory.broken("relay.example", "the handshake failed")
        for text, mode in (("smtp://relay.example", TLSMode.NONE), ("smtp://relay.example?tls=required", TLSMode.REQUIRED)):  # fmt: skip
            route = routes.parse(text)
            [target] = await self.directory.targets_of(route, await self.directory.site_of(route, "example.jp"))
            self.assertIs(target.tls.mode, mode)


class StsTest(PolicyTestCase):
    async def test_enforced_policy_demands_proof(self) -> None:
        self.assertEqual((await self.site()).domain, "example.jp")
        [target] = await self.targets()
        self.assertEqual(
            (target.host, target.tls.mode, target.tls.is_binding), ("mx1.example.jp", TLSMode.REQUIRED, True)
        )
        self.assertTrue(target.tls.context.check_hostname)
        self.assertEqual((target.tls.policy_type, target.tls.policy_domain), ("sts", "example.jp"))
        self.assertEqual((target.tls.policy[1], target.tls.mx_patterns), ("mode: enforce", ("*.example.jp",)))

    async def test_a_host_that_it_does_not_name_is_counted_and_left_out(self) -> None:
        await self.targets()
        self.assertEqual(self.counts(), {("example.jp", "sts", "validation-failure", "mx2.example.net"): 1})

    async def test_none_of_the_hosts_is_named(self) -> None:
        self.names.zone = ZONE.replace("MX 10 mx1.example.jp", "MX 10 mx2.example.net")
        with self.assertRaises(Unroutable) as caught:
            await self.targets()
        self.assertEqual((caught.exception.reply.code, caught.exception.reply.command), (0, "starttls"))

    async def test_a_tested_policy_is_tried_before_the_ordinary_way(self) -> None:
        self.web.mode = "testing"
        ways = [(one.host, one.tls.mode, one.tls.policy_domain) for one in await self.targets()]
        tried = [("mx1.example.jp", TLSMode.REQUIRED, "example.jp"), ("mx1.example.jp", TLSMode.OPPORTUNISTIC, "")]
        self.assertEqual(ways, [*tried, ("mx2.example.net", TLSMode.OPPORTUNISTIC, "")])

    async def test_mode_none_governs_nothing(self) -> None:
        self.web.mode = "none"
        self.assertEqual((await self.site()).domain, "")

    async def test_it_is_fetched_once_until_its_id_changes(self) -> None:
        await self.site()
        await self.site()
        self.names.zone = ZONE.replace("id=1", "id=2")
        self.directory = self.make()  # another resolver, which has kept nothing
        await self.site()
        self.assertEqual(self.web.fetches, ["1", "2"])

    async def test_it_is_fetched_anew_every_day(self) -> None:
        self.web.fetched_at, self.web.age = datetime.now(UTC) - timedelta(days=2), 10 * 86_400
        await self.site()
        await self.site()
        self.assertEqual(self.web.fetches, ["1", "1"])

    async def test_an_old_one_holds_while_a_new_one_cannot_be_fetched(self) -> None:
        await self.site()
        self.web.fault = PolicyFault("sts-policy-fetch-error", "no answer")
        self.names.zone = ZONE.replace("id=1", "id=2")
        self.directory = self.make()
        self.assertEqual((await self.site()).domain, "example.jp")
        self.assertEqual(self.counts()["example.jp", "sts", "sts-policy-fetch-error", ""], 1)

    async def test_it_holds_when_its_announcement_disappears(self) -> None:
        await self.site()
        self.names.zone = ZONE.replace("_mta-sts", "_gone")
        self.directory = self.make()
        self.assertEqual((await self.site()).domain, "example.jp")

    async def test_it_holds_when_its_announcement_cannot_be_asked_for(self) -> None:
        await self.site()
        self.names.faults["_mta-sts.example.jp"] = "servfail"
        self.directory = self.make()
        self.assertEqual((await self.site()).domain, "example.jp")

    async def test_it_ends_with_its_age(self) -> None:
        self.web.fetched_at, self.web.age = datetime.now(UTC) - timedelta(hours=2), 3_600
        await self.site()
        self.web.fault = PolicyFault("sts-policy-fetch-error", "no answer")
        self.assertEqual((await self.site()).domain, "")

    async def test_a_failed_fetch_is_not_repeated_at_once(self) -> None:
        self.web.fault = PolicyFault("sts-policy-fetch-error", "no answer")
        for _turn in range(3):
            self.assertEqual((await self.site()).domain, "")
        with patch.object(tls_policy, "RETRIED", timedelta(0)):
            await self.site()
        self.assertEqual(len(self.web.fetches), 2)

    async def test_a_domain_without_announcement_is_not_asked(self) -> None:
        self.assertEqual(((await self.site("other.example")).domain, self.web.fetches), ("", []))


class DaneTest(PolicyTestCase):
    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.names.secure = set(SECURE)
        self.directory = self.make(validates=True)

    async def plans(self) -> dict[str, TlsPlan]:
        return {target.host: target.tls for target in await self.targets()}

    async def test_proven_records_bind_and_come_before_mta_sts(self) -> None:
        plan = (await self.plans())["mx1.example.jp"]
        self.assertEqual((plan.mode, plan.is_binding, plan.policy_type), (TLSMode.REQUIRED, True, "tlsa"))
        self.assertEqual((plan.mx_patterns, plan.policy), (("mx1.example.jp",), (f"3 1 1 {'ab' * 32}",)))
        self.assertIsNotNone(plan.check)

    async def test_unusable_records_demand_tls_without_proof(self) -> None:
        plan = (await self.plans())["mx2.example.net"]
        self.assertEqual((plan.mode, plan.is_binding, plan.check), (TLSMode.REQUIRED, True, None))

    async def test_whatever_is_not_proven_ends_it(self) -> None:
        for name in ("example.jp", "mx1.example.jp", "_25._tcp.mx1.example.jp"):
            self.names.secure = SECURE - {name}
            self.directory = self.make(validates=True)
            self.assertEqual((await self.plans())["mx1.example.jp"].policy_type, "sts")

    async def test_a_resolver_that_does_not_validate_is_not_asked(self) -> None:
        self.directory = self.make()
        await self.targets()
        self.assertNotIn("_25._tcp.mx1.example.jp TLSA", self.names.asked)

    async def test_a_host_whose_records_are_unknown_is_left_out(self) -> None:
        self.names.faults["_25._tcp.mx1.example.jp"] = "servfail"
        self.assertEqual(set(await self.plans()), {"mx2.example.net"})

    async def test_all_of_them_unknown_is_for_the_moment(self) -> None:
        self.names.faults |= {"_25._tcp.mx1.example.jp": "servfail", "_25._tcp.mx2.example.net": "silence"}
        with self.assertRaises(Unroutable) as caught:
            await self.targets()
        self.assertEqual((caught.exception.reply.code, caught.exception.reply.command), (0, "connect"))

    async def test_a_host_without_records_goes_on_to_the_next_policy(self) -> None:
        self.names.zone = ZONE.replace("_25._tcp.mx1", "_26._tcp.mx1")
        self.assertEqual((await self.plans())["mx1.example.jp"].policy_type, "sts")


class LookupsTest(PolicyTestCase):
    async def test_many_domains_at_once(self) -> None:
        sites = await asyncio.gather(*(self.site(domain) for domain in ("example.jp", "other.example") * 20))
        self.assertEqual(len(set(sites)), 2)
