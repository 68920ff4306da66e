from __future__ import annotations

import dns.flags
import dns.message

from mailsales.dns.authority import AuthoritativeQuestions
from mailsales.dns.questions import NoSuchDomain
from tests.delivery.sending import sink_thread
from tests.dns.serving import NamesTestCase, Zones

ZONE = """
example.jp. SOA ns.example.jp. hostmaster.example.jp. 7 1 1 1 1
example.jp. NS ns.example.jp.
example.jp. NS gone.example.jp.
ns.example.jp. A 127.0.0.1
www.example.jp. A 192.0.2.1
alias.example.jp. CNAME host.example.net.
selector._domainkey.example.jp. TXT "v=DKIM1"
example.net. SOA ns.example.jp. hostmaster.example.net. 7 1 1 1 1
example.net. NS ns.example.jp.
host.example.net. A 192.0.2.2
lame.example. SOA ns.lame.example. hostmaster.lame.example. 7 1 1 1 1
lame.example. NS ns.lame.example.
ns.lame.example. A 127.0.0.99
www.lame.example. A 192.0.2.3
"""


class Both(Zones):
    """Stands for a resolver and for the zones' own servers: `told` are the questions that want no recursion."""

    def __init__(self, zone: str) -> None:
        super().__init__(zone)
        self.told: list[str] = []

    def answer(self, wire: bytes, *, is_udp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        if not query.flags & dns.flags.RD:
            self.told.append(query.question[0].name.to_text(omit_final_dot=True))
        return super().answer(wire, is_udp=is_udp)


class AuthoritativeQuestionsTest(NamesTestCase):
    def setUp(self) -> None:
        names = Both(ZONE)
        self.names = self.enterContext(sink_thread(names))
        self.told = names.told
        self.authority = AuthoritativeQuestions([names.server], timeout=0.5, port=names.port, allows_private=True)

    def test_the_zone_of_a_name_is_the_nearest_above(self) -> None:
        self.assertEqual(self.authority.zone("selector._domainkey.example.jp"), "example.jp")
        with self.assertRaises(NoSuchDomain):
            self.authority.zone("www.example.org")

    def test_the_servers_of_the_zone_are_asked(self) -> None:
        self.assertEqual(self.authority.txt("selector._domainkey.example.jp"), ["v=DKIM1"])
        self.assertEqual(self.told, ["selector._domainkey.example.jp"])
        self.assertEqual(self.authority.second_hand, set())

    def test_a_name_that_they_do_not_have_is_missing(self) -> None:
        with self.assertRaises(NoSuchDomain):
            self.authority.a("missing.example.jp")
        self.assertEqual(self.authority.second_hand, set())

    def test_an_alias_into_another_zone_is_asked_of_that_one(self) -> None:
        self.assertEqual(self.authority.a("alias.example.jp"), ["192.0.2.2"])
        self.assertEqual(self.authority.second_hand, set())

    def test_servers_that_do_not_answer_are_noted_and_the_resolver_is_believed(self) -> None:
        self.assertEqual(self.authority.a("www.lame.example"), ["192.0.2.3"])
        self.assertEqual(self.authority.second_hand, {"lame.example"})

    def test_servers_on_a_private_network_are_not_asked(self) -> None:
        strict = AuthoritativeQuestions([self.names.server], timeout=0.5, port=self.names.port)
        self.assertEqual(strict.a("www.example.jp"), ["192.0.2.1"])
        self.assertEqual((self.told, strict.second_hand), ([], {"example.jp"}))

    def test_a_private_dns_is_asked_for_everything(self) -> None:
        everything = AuthoritativeQuestions([self.names.server], timeout=0.5)
        self.assertEqual(everything.a("www.example.jp"), ["192.0.2.1"])
        self.assertEqual((self.names.asked, everything.second_hand), (["www.example.jp A"], set()))
