from __future__ import annotations

import asyncio
from unittest import IsolatedAsyncioTestCase

from django.test import override_settings

from delivery.checks import dns_servers_are_right
from delivery.resolver import DnsTrouble, NoSuchDomain, Resolver
from mailsales.management.bench.names import Names

ZONE = f"""
example.jp. MX 10 MX1.example.jp.
example.jp. MX 20 mx2.example.jp.
null.example. MX 0 .
mx1.example.jp. A 192.0.2.1
mx1.example.jp. AAAA 2001:db8::1
big.example. A 192.0.2.11
big.example. A 192.0.2.12
big.example. A 192.0.2.13
big.example. AAAA 2001:db8::11
big.example. AAAA 2001:db8::12
mx2.example.jp. CNAME mx1.example.jp.
text.example. TXT "v=one " "two"
_25._tcp.mx1.example.jp. TLSA 3 1 1 {"ab" * 32}
1.2.0.192.in-addr.arpa. PTR mx1.example.jp.
xn--r8jz45g.jp. A 192.0.2.3
"""


class ResolverTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.names = await self.enterAsyncContext(Names(ZONE))
        self.resolver = self.make()

    def make(self, **options: object) -> Resolver:
        return Resolver([self.names.server], **{"timeout": 0.5} | options)  # type: ignore[arg-type]

    async def test_mail_servers_come_with_their_preference(self) -> None:
        found = await self.resolver.mx("Example.JP")
        self.assertEqual(sorted(found), [(10, "mx1.example.jp"), (20, "mx2.example.jp")])

    async def test_null_mx_has_no_name(self) -> None:
        self.assertEqual(await self.resolver.mx("null.example"), [(0, "")])

    async def test_addresses_of_both_families_take_turns(self) -> None:
        self.assertEqual(await self.resolver.addresses("mx1.example.jp"), ["192.0.2.1", "2001:db8::1"])
        found = await self.resolver.addresses("big.example")
        self.assertEqual([":" in address for address in found], [False, True, False, True, False])

    async def test_an_alias_is_followed(self) -> None:
        self.assertIn("192.0.2.1", await self.resolver.addresses("mx2.example.jp"))

    async def test_one_family_in_trouble_does_not_hide_the_other(self) -> None:
        self.names.faults["mx1.example.jp AAAA"] = "servfail"
        self.assertEqual(await self.resolver.addresses("mx1.example.jp"), ["192.0.2.1"])

    async def test_strings_of_a_text_are_joined(self) -> None:
        self.assertEqual(await self.resolver.txt("text.example"), ["v=one two"])

    async def test_tlsa_comes_as_its_four_fields(self) -> None:
        self.assertEqual(await self.resolver.tlsa("_25._tcp.mx1.example.jp"), [(3, 1, 1, b"\xab" * 32)])

    async def test_an_address_has_names(self) -> None:
        self.assertEqual(await self.resolver.ptr("192.0.2.1"), ["mx1.example.jp"])

    async def test_names_go_out_as_a_labels(self) -> None:
        self.assertEqual(await self.resolver.addresses("例え.jp"), ["192.0.2.3"])

    async def test_nothing_of_the_kind_is_no_error(self) -> None:
        self.assertEqual(await self.resolver.mx("text.example"), [])

    async def test_a_missing_domain_is_missing(self) -> None:
        with self.assertRaises(NoSuchDomain):
            await self.resolver.mx("missing.example")

    async def test_what_cannot_be_a_domain_is_missing(self) -> None:
        for domain in ("a..example", f"{'x' * 64}.example", "", ".".join(["label"] * 60)):
            with self.assertRaises(NoSuchDomain):
                await self.resolver.mx(domain)

    async def test_servers_in_trouble_are_no_missing_domain(self) -> None:
        for fault in ("servfail", "refused", "silence"):
            self.names.faults["example.jp"] = fault
            with self.assertRaises(DnsTrouble):
                await self.resolver.mx("example.jp")

    async def test_nobody_listens(self) -> None:
        with self.assertRaises(DnsTrouble):
            await Resolver(["127.0.0.1:9"], timeout=0.5).mx("example.jp")

    async def test_the_second_server_is_asked_when_the_first_fails(self) -> None:
        async with Names(ZONE, faults={"example.jp": "servfail"}) as broken:
            found = await Resolver([broken.server, self.names.server], timeout=2).mx("example.jp")
        self.assertEqual(len(found), 2)

    async def test_a_truncated_answer_is_asked_for_over_tcp(self) -> None:
        self.names.faults["example.jp"] = "truncated"
        self.assertEqual(len(await self.resolver.mx("example.jp")), 2)
        self.assertEqual(self.names.asked, ["example.jp MX"] * 2)

    async def test_answers_are_kept(self) -> None:
        for _turn in range(3):
            await self.resolver.mx("example.jp")
            with self.assertRaises(NoSuchDomain):
                await self.resolver.mx("missing.example")
        self.assertEqual(self.names.asked, ["example.jp MX", "missing.example MX"])

    async def test_many_who_want_to_know_at_once_ask_once(self) -> None:
        found = await asyncio.gather(*(self.resolver.addresses("mx1.example.jp") for _connection in range(20)))
        self.assertEqual({tuple(addresses) for addresses in found}, {("192.0.2.1", "2001:db8::1")})
        self.assertEqual(self.names.asked, ["mx1.example.jp A", "mx1.example.jp AAAA"])

    async def test_one_who_goes_away_leaves_the_others_their_answer(self) -> None:
        first, second = (asyncio.ensure_future(self.resolver.mx("example.jp")) for _connection in range(2))
        await asyncio.sleep(0)
        first.cancel()
        self.assertEqual(len(await second), 2)

    async def test_trouble_is_not_kept(self) -> None:
        self.names.faults["example.jp"] = "servfail"
        with self.assertRaises(DnsTrouble):
            await self.resolver.mx("example.jp")
        self.names.faults.clear()
        self.assertEqual(len(await self.resolver.mx("example.jp")), 2)

    async def test_security_is_believed_only_of_a_server_that_validates(self) -> None:
        self.names.secure.add("example.jp")
        self.assertFalse((await self.resolver.mx("example.jp")).is_secure)
        validating = self.make(validates=True)
        self.assertTrue((await validating.mx("example.jp")).is_secure)
        self.assertFalse((await validating.mx("null.example")).is_secure)

    async def test_servers_are_written_in_three_ways(self) -> None:
        for text in ("192.0.2.53", "192.0.2.53:5300", "[2001:db8::53]:5300", "2001:db8::53", "localhost"):
            Resolver([text])

    async def test_a_wrong_server_is_named_by_the_checks(self) -> None:
        for text in (":53", "192.0.2.53:x", "192.0.2.53:70000", "[2001:db8::53"):
            with override_settings(DNS_SERVERS=[text]):
                [found] = dns_servers_are_right(None)
                self.assertIn(text, found.msg)
