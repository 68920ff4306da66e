from __future__ import annotations

from django.test import SimpleTestCase

from mailsales.dns.blocklist_table import BLOCKLISTS, Blocklist
from mailsales.dns.blocklists import Finding, look_up
from tests.dns.serving import NamesTestCase

WORKING = "\n".join(
    f"{one.listed}.{one.zone}. A {'127.0.1.2' if 'dbl' in one.zone else '127.0.0.2'}" for one in BLOCKLISTS
)
LISTED, CLEAR = "192.0.2.10", "192.0.2.11"
ZEN, DBL, SURBL = "zen.spamhaus.org", "dbl.spamhaus.org", "multi.surbl.org"


class BlocklistsTest(NamesTestCase):
    """RFC 5782."""

    ZONE = f"""
{WORKING}
10.2.0.192.{ZEN}. A 127.0.0.2
10.2.0.192.{ZEN}. A 127.0.0.9
10.2.0.192.{ZEN}. A 127.0.0.3
10.2.0.192.{ZEN}. TXT "Listed, see  https://example.org/192.0.2.10"
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.{ZEN}. A 127.0.0.4
bad.example.{DBL}. A 127.0.1.4
bad.example.{SURBL}. A 127.0.0.80
xn--r8jz45g.jp.{DBL}. A 127.0.1.102
10.2.0.192.psbl.surriel.com. A 203.0.113.5
"""

    def finding(self, subject: str, zone: str) -> Finding:
        [found] = [one for one in look_up(self.ask_anew(), subject) if one.blocklist.zone == zone]
        return found

    def answer(self, name: str, address: str) -> None:
        self.names.zone += f"{name}. A {address}\n"

    def test_a_listed_address_is_told_with_its_reasons(self) -> None:
        found = self.finding(LISTED, ZEN)
        self.assertEqual((found.state, found.meanings), ("listed", ("spam", "hijacked")))
        self.assertEqual(found.reason, "Listed, see https://example.org/192.0.2.10")

    def test_an_address_that_is_not_listed_is_clear(self) -> None:
        self.assertEqual({one.state for one in look_up(self.questions, CLEAR)}, {"clear"})

    def test_ipv6_is_asked_for_by_its_nibbles(self) -> None:
        found = look_up(self.questions, "2001:db8::1")
        self.assertEqual([(one.blocklist.zone, one.meanings) for one in found], [(ZEN, ("exploited",))])

    def test_domains_are_asked_for_in_lists_of_domains(self) -> None:
        zones = [one.blocklist.zone for one in look_up(self.questions, "bad.example")]
        self.assertEqual(zones, [DBL, SURBL, "multi.uribl.com"])
        self.assertEqual(self.finding("bad.example", DBL).meanings, ("phishing",))
        self.assertEqual(self.finding("例え.jp", DBL).meanings, ("exploited",))

    def test_a_sum_of_lists_is_taken_apart(self) -> None:
        self.assertEqual(self.finding("bad.example", SURBL).meanings, ("malware", "spam"))

    def test_a_refusal_is_no_listing(self) -> None:
        refusals = {"127.255.255.252": "wrong_question", "127.255.255.254": "public_resolver", "127.255.255.255": "too_many", "127.255.255.1": "blocked"}  # fmt: skip
        for last, (answer, refusal) in enumerate(refusals.items(), start=21):
            self.answer(f"{last}.2.0.192.{ZEN}", answer)
            found = self.finding(f"192.0.2.{last}", ZEN)
            self.assertEqual((found.state, found.refusal, found.meanings), ("refused", refusal, ()))

    def test_a_list_that_refuses_even_its_test_is_believed_in_nothing(self) -> None:
        self.names.zone = f"*.{SURBL}. A 127.0.0.1\n2.0.0.127.{SURBL}. A 127.0.0.1\ninvalid.{SURBL}. A 127.0.0.1\n"
        found = self.finding("good.example", SURBL)
        self.assertEqual((found.state, found.refusal), ("refused", "too_many"))

    def test_a_list_that_lists_everything_is_unusable(self) -> None:
        self.answer(f"1.0.0.127.{ZEN}", "127.0.0.2")
        self.assertEqual(self.finding(LISTED, ZEN).state, "unusable")

    def test_a_list_that_lists_nothing_is_unusable(self) -> None:
        self.names.zone = f"10.2.0.192.{ZEN}. A 127.0.0.2\n"
        self.assertEqual({one.state for one in look_up(self.questions, LISTED)}, {"unusable"})

    def test_a_parked_zone_is_unusable(self) -> None:
        self.assertEqual(self.finding(LISTED, "psbl.surriel.com").state, "unusable")

    def test_servers_in_trouble_are_told(self) -> None:
        self.names.faults[f"10.2.0.192.{ZEN}"] = "servfail"
        self.assertEqual(self.finding(LISTED, ZEN).state, "trouble")

    def test_the_test_points_are_asked_for_once(self) -> None:
        for subject in (LISTED, CLEAR):
            look_up(self.questions, subject)
        self.assertEqual(len(self.names.asked), len(set(self.names.asked)))

    def test_what_is_no_domain_is_on_no_list(self) -> None:
        for subject in ("", "a..example", "\ud800"):
            self.assertEqual({one.state for one in look_up(self.questions, subject)}, {"clear"})


class BlocklistTableTest(SimpleTestCase):
    def test_every_answer_is_in_the_loopback_network(self) -> None:
        for one in BLOCKLISTS:
            for answer in (*one.codes, *one.refusals):
                self.assertTrue(answer.startswith("127."), answer)

    def test_no_refusal_is_a_listing(self) -> None:
        for one in BLOCKLISTS:
            self.assertFalse(set(one.codes) & set(one.refusals))
            self.assertNotIn(1, one.bits)

    def test_every_list_tells_people_where_to_look(self) -> None:
        pages = [one.page for one in BLOCKLISTS if isinstance(one, Blocklist)]
        self.assertTrue(all(page.startswith("https://") for page in pages))
