from __future__ import annotations

import time

import dns.message
import dns.rcode
import dns.rrset
from hypothesis import given
from hypothesis import strategies as st

from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions, a_labels, absolute
from tests.delivery.sending import sink_thread
from tests.dns.serving import NamesTestCase, Zones

CHAIN = "\n".join(f"link{number}.example. CNAME link{number + 1}.example." for number in range(20))


class QuestionsTest(NamesTestCase):
    ZONE = f"""
example.jp. SOA ns.example.jp. hostmaster.example.jp. 7 1 1 1 1
example.jp. NS ns.example.jp.
example.jp. MX 20 mx2.example.jp.
example.jp. MX 10 MX1.example.jp.
null.example. MX 0 .
mx1.example.jp. A 192.0.2.1
mx1.example.jp. AAAA 2001:db8::1
mx2.example.jp. CNAME mx1.example.jp.
loop.example. CNAME loop.example.
dangling.example. CNAME gone.example.
deep.empty.example. A 192.0.2.9
text.example. TXT "v=one " "two"
1.2.0.192.in-addr.arpa. PTR mx1.example.jp.
xn--r8jz45g.jp. A 192.0.2.3
{CHAIN}
"""

    def test_each_kind_comes_as_its_values(self) -> None:
        self.assertEqual(self.questions.a("MX1.example.jp."), ["192.0.2.1"])
        self.assertEqual(self.questions.aaaa("mx1.example.jp"), ["2001:db8::1"])
        self.assertEqual(self.questions.ns("example.jp"), ["ns.example.jp"])
        self.assertEqual(self.questions.soa("example.jp"), [("ns.example.jp", 7)])
        self.assertEqual(self.questions.cname("mx2.example.jp"), ["mx1.example.jp"])
        self.assertEqual(self.questions.ptr("192.0.2.1"), ["mx1.example.jp"])

    def test_the_best_mail_server_comes_first(self) -> None:
        self.assertEqual(self.questions.mx("example.jp"), [(10, "mx1.example.jp"), (20, "mx2.example.jp")])
        self.assertEqual(self.questions.mx("null.example"), [(0, "")])

    def test_strings_of_a_text_are_joined(self) -> None:
        self.assertEqual(self.questions.txt("text.example"), ["v=one two"])

    def test_an_alias_is_followed(self) -> None:
        self.assertEqual(self.questions.a("mx2.example.jp"), ["192.0.2.1"])

    def test_aliases_without_end_are_trouble(self) -> None:
        self.names.faults["loop.example"] = "servfail"
        for name in ("loop.example", "link0.example"):
            with self.assertRaises((DnsTrouble, NoSuchDomain)):
                self.questions.a(name)

    def test_names_go_out_as_a_labels(self) -> None:
        self.assertEqual(self.questions.a("例え.jp"), ["192.0.2.3"])

    def test_nothing_of_the_kind_is_no_error(self) -> None:
        self.assertEqual(self.questions.mx("text.example"), [])

    def test_a_missing_domain_is_missing(self) -> None:
        for domain in ("missing.example", "a..example", f"{'x' * 64}.example", "", ".".join(["label"] * 60)):
            with self.assertRaises(NoSuchDomain):
                self.questions.a(domain)

    def test_a_name_exists_if_anything_is_at_or_below_it(self) -> None:
        for name in ("mx1.example.jp", "text.example", "empty.example", "dangling.example"):
            self.assertTrue(self.questions.exists(name), name)
        self.assertFalse(self.questions.exists("missing.example"))

    def test_servers_in_trouble_are_no_missing_domain(self) -> None:
        for fault in ("servfail", "refused", "silence"):
            self.names.faults["example.jp"] = fault
            with self.assertRaises(DnsTrouble):
                self.ask_anew().mx("example.jp")

    def test_a_truncated_answer_is_asked_for_over_tcp(self) -> None:
        self.names.faults["example.jp"] = "truncated"
        self.assertEqual(len(self.questions.mx("example.jp")), 2)

    def test_what_was_answered_is_not_asked_again(self) -> None:
        self.names.faults["example.jp"] = "servfail"
        for _turn in range(3):
            self.questions.a("mx1.example.jp")
            with self.assertRaises(NoSuchDomain):
                self.questions.a("missing.example")
            with self.assertRaises(DnsTrouble):
                self.questions.a("example.jp")
        self.assertEqual(self.names.asked, ["mx1.example.jp A", "missing.example A", "example.jp A"])

    def test_all_questions_together_take_no_longer_than_they_may(self) -> None:
        self.names.faults |= {f"link{number}.example": "silence" for number in range(20)}
        patient, before = self.ask_anew(timeout=5), time.monotonic()
        with patient.within(0.4):
            for number in range(20):
                with self.assertRaises(DnsTrouble):
                    patient.a(f"link{number}.example")
        self.assertLess(time.monotonic() - before, 3)

    def test_a_server_with_a_port_of_its_own_knows_all_zones(self) -> None:
        self.assertTrue(self.questions.stand_for_all)
        self.assertFalse(Questions(["192.0.2.53"]).stand_for_all)

    def test_a_wrong_server_is_named(self) -> None:
        for text in (":53", "192.0.2.53:x", "192.0.2.53:70000", "[2001:db8::53"):
            with self.assertRaisesMessage(ValueError, text):
                Questions([text])

    def test_an_address_must_be_one(self) -> None:
        with self.assertRaises(ValueError):
            self.questions.ptr("mx1.example.jp")


class AliasTest(NamesTestCase):
    """A server may leave it to the asker to follow an alias."""

    def setUp(self) -> None:
        self.names = self.enterContext(sink_thread(Unhelpful("a.example. CNAME b.example.\nb.example. A 192.0.2.4")))
        self.questions = self.ask_anew()

    def test_an_alias_that_the_server_does_not_follow_is_followed(self) -> None:
        self.assertEqual(self.questions.a("a.example"), ["192.0.2.4"])

    def test_an_alias_of_itself_is_trouble(self) -> None:
        self.names.zone = "a.example. CNAME b.example.\nb.example. CNAME a.example."
        with self.assertRaises(DnsTrouble):
            self.questions.a("a.example")


class OldServerTest(NamesTestCase):
    def test_a_server_that_does_not_know_edns_is_asked_without(self) -> None:
        names = self.enterContext(sink_thread(Old("a.example. A 192.0.2.4\nb.example. A 192.0.2.5")))
        questions = Questions([names.server], timeout=0.5)
        self.assertEqual((questions.a("a.example"), questions.a("b.example")), (["192.0.2.4"], ["192.0.2.5"]))
        self.assertEqual(names.asked, ["a.example A", "b.example A"])


class Old(Zones):
    def answer(self, wire: bytes, *, is_udp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        if query.edns < 0:
            return super().answer(wire, is_udp=is_udp)
        response = dns.message.make_response(query)
        response.use_edns(False)
        response.set_rcode(dns.rcode.FORMERR)
        return response.to_wire()


class Unhelpful(Zones):
    def _fill(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        rrsets = self._current()
        found = rrsets.get((question.name, question.rdtype)) or rrsets.get((question.name, 5))
        response.answer += [found] if found else []


class NameTest(NamesTestCase):
    @given(st.text(max_size=80))
    def test_any_text_is_a_name_or_cannot_be_one(self, text: str) -> None:
        try:
            name = absolute(text)
        except NoSuchDomain:
            return
        self.assertEqual(len(name.labels) - 1, a_labels(text).count(".") + 1)
