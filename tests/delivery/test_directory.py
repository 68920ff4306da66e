from __future__ import annotations

from unittest import IsolatedAsyncioTestCase, TestCase

from delivery.directory import Directory
from delivery.mta_sts import Fetcher
from delivery.replies import read
from delivery.resolver import Resolver, is_public
from delivery.sites import Site, Target, Unroutable
from delivery.smtp import Reply
from delivery.tls_policy import TlsMemory, TlsPolicies
from mailsales import routes
from mailsales.management.bench.names import Names
from mailsales.reasons import Reason
from mailsales.routes import Login, TLSMode

ZONE = """
two.example. MX 10 mx1.two.example.
two.example. MX 20 mx2.two.example.
other.example. MX 5 mx2.two.example.
other.example. MX 1 MX1.two.example.
three.example. MX 10 a.three.example.
three.example. MX 10 b.three.example.
three.example. MX 20 c.three.example.
plain.example. A 11.0.0.9
text.example. TXT "no mail here"
null.example. MX 0 .
both.example. MX 0 .
both.example. MX 10 mx1.two.example.
odd.example. MX 10 a\\032b.odd.example.
loop.example. MX 10 self.loop.example.
nobody.example. MX 10 gone.nobody.example.
mx1.two.example. A 11.0.0.1
mx1.two.example. AAAA 2a00::1
mx2.two.example. A 11.0.0.2
a.three.example. A 11.0.1.1
b.three.example. A 11.0.1.2
c.three.example. A 11.0.1.3
many.example. MX 10 mx.many.example.
many.example. MX 20 mx1.two.example.
self.loop.example. A 127.0.0.1
self.loop.example. AAAA ::1
xn--r8jz45g.jp. MX 10 mx1.two.example.
""" + "".join(f"mx.many.example. A 11.0.2.{n}\nmx.many.example. AAAA 2a00::2:{n}\n" for n in range(1, 9))
MX = routes.parse("mx")


class DirectoryTestCase(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.names = await self.enterAsyncContext(Names(ZONE))
        self.directory = self.make()

    def make(self, *, validates: bool = False, **options: bool) -> Directory:
        resolver = Resolver([self.names.server], validates=validates, timeout=0.5)
        policies = TlsPolicies(resolver, TlsMemory(), Fetcher(resolver), lambda _group: False)
        return Directory(resolver, policies, lambda hosts, domain: f"{domain} at {len(hosts)}", **options)

    async def refusal(self, domain: str) -> Reply:
        with self.assertRaises(Unroutable) as caught:
            await self.directory.targets_of(MX, await self.directory.site_of(MX, domain))
        return caught.exception.reply

    async def targets(self, domain: str, route: str = "mx") -> list[Target]:
        parsed = routes.parse(route)
        return await self.directory.targets_of(parsed, await self.directory.site_of(parsed, domain))


class SiteTest(DirectoryTestCase):
    async def test_mail_servers_stand_in_groups_of_preference(self) -> None:
        site = await self.directory.site_of(MX, "three.example")
        self.assertEqual(site.hosts, (("a.three.example", "b.three.example"), ("c.three.example",)))
        self.assertEqual(site.name, "a.three.example b.three.example c.three.example")
        self.assertEqual(site.group, "three.example at 3")

    async def test_domains_of_the_same_servers_have_the_same_name(self) -> None:
        names = {(await self.directory.site_of(MX, domain)).name for domain in ("two.example", "other.example")}
        self.assertEqual(names, {"mx1.two.example mx2.two.example"})

    async def test_a_domain_without_mx_is_its_own_server(self) -> None:
        self.assertEqual((await self.directory.site_of(MX, "plain.example")).hosts, (("plain.example",),))

    async def test_a_domain_in_japanese(self) -> None:
        self.assertEqual((await self.directory.site_of(MX, "例え.jp")).hosts, (("mx1.two.example",),))

    async def test_null_mx_takes_no_mail(self) -> None:
        reply = await self.refusal("null.example")
        self.assertEqual((reply.code, reply.enhanced, reply.command), (556, "5.1.10", "rcpt"))

    async def test_null_mx_beside_others_means_nothing(self) -> None:
        self.assertEqual((await self.directory.site_of(MX, "both.example")).hosts, (("mx1.two.example",),))

    async def test_mail_servers_that_are_no_host_names(self) -> None:
        reply = await self.refusal("odd.example")
        self.assertEqual((reply.code, reply.enhanced), (550, "5.4.4"))

    async def test_missing_domain_is_for_good(self) -> None:
        reply = await self.refusal("missing.example")
        self.assertEqual((reply.code, reply.enhanced, reply.host), (550, "5.1.2", "missing.example"))
        self.assertEqual(read(reply).reason, Reason.HOST_UNKNOWN)

    async def test_domain_without_any_address(self) -> None:
        reply = await self.refusal("text.example")
        self.assertEqual((reply.code, reply.enhanced), (550, "5.4.4"))

    async def test_trouble_is_for_the_moment(self) -> None:
        for fault in ("servfail", "silence"):
            self.names.faults["two.example"] = fault
            reply = await self.refusal("two.example")
            self.assertEqual((reply.code, reply.command, reply.host), (0, "connect", "two.example"))

    async def test_trouble_with_the_address_of_a_domain_without_mx(self) -> None:
        self.names.faults |= {"plain.example A": "servfail", "plain.example AAAA": "servfail"}
        self.assertEqual((await self.refusal("plain.example")).code, 0)

    async def test_a_proven_answer_is_another_site(self) -> None:
        self.names.secure.add("two.example")
        directory = self.make(validates=True)
        self.assertTrue((await directory.site_of(MX, "two.example")).is_secure)
        self.assertFalse((await directory.site_of(MX, "other.example")).is_secure)


class TargetsTest(DirectoryTestCase):
    async def test_the_best_host_comes_first_with_both_families(self) -> None:
        found = [(target.host, target.address, target.port) for target in await self.targets("two.example")]
        first = [("mx1.two.example", address, 25) for address in ("11.0.0.1", "2a00::1")]
        self.assertEqual(found, [*first, ("mx2.two.example", "11.0.0.2", 25)])

    async def test_hosts_of_a_group_come_at_random(self) -> None:
        firsts = {(await self.targets("three.example"))[0].host for _turn in range(40)}
        lasts = {(await self.targets("three.example"))[-1].host for _turn in range(10)}
        self.assertEqual((firsts, lasts), ({"a.three.example", "b.three.example"}, {"c.three.example"}))

    async def test_a_host_of_many_addresses_leaves_room_for_the_next(self) -> None:
        found = await self.targets("many.example")
        self.assertEqual([target.host.partition(".")[0] for target in found], ["mx", "mx", "mx1", "mx1", "mx"])
        self.assertEqual({":" in target.address for target in found[:2]}, {True, False})

    async def test_a_source_address_has_a_family(self) -> None:
        for source, family in (("11.9.9.9", False), ("2a00::9", True)):
            found = await self.targets("many.example", f"mx?source={source}")
            self.assertEqual({":" in target.address for target in found}, {family})

    async def test_the_port_of_the_route(self) -> None:
        self.assertEqual({target.port for target in await self.targets("two.example", "mx?port=2525")}, {2525})

    async def test_mail_does_not_loop_back(self) -> None:
        reply = await self.refusal("loop.example")
        self.assertEqual((reply.code, reply.enhanced, reply.command), (550, "5.4.4", "rcpt"))

    async def test_own_addresses_are_reached_where_it_is_allowed(self) -> None:
        self.directory = self.make(allows_private=True)
        self.assertEqual({target.address for target in await self.targets("loop.example")}, {"127.0.0.1", "::1"})

    async def test_servers_without_an_address(self) -> None:
        self.assertEqual((await self.refusal("nobody.example")).enhanced, "5.4.4")

    async def test_one_host_in_trouble_leaves_the_others(self) -> None:
        self.names.faults["mx1.two.example"] = "servfail"
        self.assertEqual({target.host for target in await self.targets("two.example")}, {"mx2.two.example"})

    async def test_all_hosts_in_trouble_are_for_the_moment(self) -> None:
        self.names.faults |= {"mx1.two.example": "servfail", "mx2.two.example": "silence"}
        reply = await self.refusal("two.example")
        self.assertEqual((reply.code, reply.command), (0, "connect"))


class HopsTest(DirectoryTestCase):
    async def test_relays_are_one_site_and_asked_in_turn_without_dns(self) -> None:
        route = routes.parse("smtp://one.example:2525,two.example?source=11.0.0.1")
        site = await self.directory.site_of(route, "example.jp")
        self.assertEqual((site.name, site.group), ("relay one.example:2525,two.example:25",) * 2)
        found = await self.directory.targets_of(route, site)
        self.assertEqual([(one.host, one.port, one.address) for one in found], [("one.example", 2525, ""), ("two.example", 25, "")])  # fmt: skip
        self.assertEqual(self.names.asked, [])

    async def test_the_sandbox_is_a_site(self) -> None:
        route = routes.parse("sandbox")
        self.assertEqual(await self.directory.site_of(route, "example.jp"), Site("sandbox", "sandbox", ()))

    async def test_the_route_says_how_it_is_encrypted(self) -> None:
        expected = {
            "smtp://a.example?tls=none": (TLSMode.NONE, False, False),
            "smtp://a.example": (TLSMode.OPPORTUNISTIC, False, False),
            "smtp://a.example?tls=required": (TLSMode.REQUIRED, False, True),
            "smtp://a.example?tls=verified": (TLSMode.REQUIRED, True, True),
            "smtps://a.example": (TLSMode.IMPLICIT, True, True),
        }
        for text, said in expected.items():
            [target] = await self.targets("example.jp", text)
            self.assertEqual((target.tls.mode, target.tls.context.check_hostname, target.tls.is_binding), said)

    async def test_the_login_comes_with_it(self) -> None:
        [target] = await self.targets("example.jp", "smtp://taro:secret@a.example")
        self.assertEqual((target.login, target.tls.context.check_hostname), (Login("taro", "secret"), True))


class PublicTest(TestCase):
    def test_only_public_addresses_are(self) -> None:
        for address in ("8.8.8.8", "2a00:1450::1", "64:ff9b::808:808"):
            self.assertTrue(is_public(address), address)
        for address in (
            "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
            "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2002:7f00:1::", "64:ff9b::7f00:1",
        ):  # fmt: skip
            self.assertFalse(is_public(address), address)
