from __future__ import annotations

from unittest import IsolatedAsyncioTestCase

from delivery.identity import faults, unchecked
from delivery.resolver import Resolver
from mailsales.management.bench.names import Names
from mailsales.routes import parse

ZONE = """
mail.example.jp. A 203.0.113.5
5.113.0.203.in-addr.arpa. PTR Mail.Example.JP.
other.example.jp. A 203.0.113.6
6.113.0.203.in-addr.arpa. PTR host6.provider.example.
bare.example.jp. A 203.0.113.7
both.example.jp. A 203.0.113.8
both.example.jp. AAAA 2001:db8::8
8.113.0.203.in-addr.arpa. PTR both.example.jp.
text.example.jp. TXT "no address"
"""


class IdentityTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.names = await self.enterAsyncContext(Names(ZONE))

    async def faults(self, route: str) -> list[str]:
        return await faults(parse(route), Resolver([self.names.server], timeout=0.5))

    async def fault(self, route: str) -> str:
        [found] = await self.faults(route)
        return found

    async def test_a_name_that_agrees_forth_and_back_has_no_faults(self) -> None:
        self.assertEqual(await self.faults("mx?ehlo=mail.example.jp&source=203.0.113.5"), [])

    async def test_a_name_must_be_full(self) -> None:
        for name in (
            "localhost",
            "",
            "mail",
            "[203.0.113.5]",
            "203.0.113.5",
            "-a.example.jp",
            "a..jp",
            "a_b.example.jp",
        ):
            with self.subTest(name):
                self.assertIn("is not the full name", await self.fault(f"mx?ehlo={name}&source=203.0.113.5"))

    async def test_a_name_must_have_an_address(self) -> None:
        for name in ("missing.example.jp", "text.example.jp"):
            with self.subTest(name):
                found = await self.fault(f"mx?ehlo={name}&source=203.0.113.5")
                self.assertIn("Publish an A or AAAA record for it with 203.0.113.5.", found)

    async def test_the_name_must_lead_to_the_source_address(self) -> None:
        found = await self.faults("mx?ehlo=other.example.jp&source=203.0.113.5")
        self.assertIn("has the address 203.0.113.6, and mail is sent from 203.0.113.5.", found[0])
        self.assertIn("names mail.example.jp, and EHLO says other.example.jp.", found[1])

    async def test_the_source_address_must_name_it_back(self) -> None:
        found = await self.fault("mx?ehlo=other.example.jp&source=203.0.113.6")
        self.assertIn("The PTR record of 203.0.113.6 names host6.provider.example", found)

    async def test_the_source_address_must_have_a_name(self) -> None:
        found = await self.fault("mx?ehlo=bare.example.jp&source=203.0.113.7")
        self.assertIn("203.0.113.7 has no PTR record", found)

    async def test_without_a_source_address_each_address_of_the_name_is_asked(self) -> None:
        route = "mx?ehlo=both.example.jp"
        self.assertIn("The address 2001:db8::8 has no PTR record", await self.fault(route))
        self.assertIn("The source address is not checked", unchecked(parse(route)))

    async def test_a_translated_source_address_is_seen_by_nobody(self) -> None:
        route = "mx?ehlo=mail.example.jp&source=10.1.2.3"
        self.assertEqual(await self.faults(route), [])
        self.assertIn("10.1.2.3", unchecked(parse(route)))

    async def test_addresses_are_compared_not_spelled(self) -> None:
        self.assertIn("has no PTR", await self.fault("mx?ehlo=both.example.jp&source=2001:DB8:0:0::8"))

    async def test_name_servers_in_trouble_are_said_to_be(self) -> None:
        self.names.faults = {"mail.example.jp": "servfail", "5.113.0.203.in-addr.arpa": "refused"}
        self.assertIn("could not be checked", await self.fault("mx?ehlo=mail.example.jp"))
        self.names.faults.pop("mail.example.jp")
        self.assertIn("The PTR record of 203.0.113.5 could not", await self.fault("mx?ehlo=mail.example.jp"))

    async def test_a_relay_must_be_known_to_the_system(self) -> None:
        missing = "a" * 64 + ".example"
        found = await self.fault(f"smtp://user:secret@localhost,{missing},127.0.0.1?ehlo=localhost")
        self.assertIn(f"The host {missing}:587 of the route cannot be resolved", found)

    async def test_nobody_but_the_next_hop_sees_the_name_given_to_it(self) -> None:
        for route in ("sandbox", "smtp://127.0.0.1"):
            self.assertEqual(await self.faults(route), [])
            self.assertIn("not checked", unchecked(parse(route)))
