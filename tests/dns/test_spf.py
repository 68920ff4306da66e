from __future__ import annotations

import time
from unittest.mock import patch

from mailsales.dns import spf
from mailsales.dns.spf import Result, check_host
from tests.dns.serving import NamesTestCase

CLIENT, OTHER = "192.0.2.10", "192.0.2.99"
INCLUDES = "\n".join(f'i{number}.example. TXT "v=spf1 include:i{number + 1}.example -all"' for number in range(1, 12))
HOSTS = "\n".join(f"crowd.example. MX 10 mx{number}.crowd.example." for number in range(11))
POINTERS = "\n".join(f"12.2.0.192.in-addr.arpa. PTR p{number:02}.example.net." for number in range(11))


class SpfTestCase(NamesTestCase):
    def check(self, domain: str, ip: str = CLIENT, *, local: str = "sato", helo: str = "mx.example.net") -> Result:
        return check_host(self.ask_anew(), ip=ip, sender=f"{local}@{domain}", helo=helo)

    def word(self, domain: str, ip: str = CLIENT) -> str:
        return self.check(domain, ip).word

    def problem(self, domain: str, ip: str = CLIENT) -> tuple[str, dict[str, str]]:
        problem = self.check(domain, ip).problem
        assert problem
        return problem.code, problem.values


class RecordTest(SpfTestCase):
    """RFC 7208 §4.3 to §4.5."""

    ZONE = """
one.example. TXT "v=sp" "f1 ip4:192.0.2.10 " "-all"
one.example. TXT "another text"
two.example. TXT "v=spf1 -all"
two.example. TXT "V=SPF1 +all"
none.example. TXT "v=spf10 -all"
empty.example. TXT "v=spf1"
typed.example. TYPE99 "v=spf1 -all"
error.example. TXT "v=spf1 ip4:192.0.2.10 -all moo"
xn--r8jz45g.jp. TXT "v=spf1 exists:%{d}.%{o}.seen.example ?all"
xn--r8jz45g.jp.xn--r8jz45g.jp.seen.example. A 127.0.0.2
helo.example. TXT "v=spf1 exists:%{l}.%{h}.seen.example -all"
postmaster.helo.example.seen.example. A 127.0.0.2
"""

    def test_the_record_is_chosen_among_texts_and_its_strings_joined(self) -> None:
        self.assertEqual(self.check("one.example").record, "v=spf1 ip4:192.0.2.10 -all")
        self.assertEqual((self.word("one.example"), self.word("one.example", OTHER)), ("pass", "fail"))

    def test_two_records_are_an_error(self) -> None:
        self.assertEqual(self.word("two.example"), "permerror")
        self.assertEqual(self.problem("two.example"), ("two_records", {"domain": "two.example", "count": "2"}))

    def test_a_domain_without_record_has_no_result(self) -> None:
        for domain in ("none.example", "missing.example", "typed.example"):
            self.assertEqual(self.word(domain), "none")

    def test_an_empty_record_says_nothing(self) -> None:
        self.assertEqual(self.word("empty.example"), "neutral")

    def test_a_domain_that_cannot_be_one_has_no_result(self) -> None:
        for domain in ("a..example", "localhost", "[192.0.2.10]", f"{'x' * 64}.example", ""):
            found = check_host(self.questions, ip=CLIENT, sender=f"a@{domain}", helo="")
            self.assertEqual((found.word, found.problem and found.problem.code), ("none", "no_domain"))
        self.assertEqual(self.names.asked, [])

    def test_an_error_anywhere_spoils_the_record(self) -> None:
        values = {"domain": "error.example", "term": "moo", "fault": "unknown_term"}
        self.assertEqual(self.problem("error.example"), ("bad_term", values))
        self.assertEqual(self.word("error.example"), "permerror")

    def test_servers_in_trouble_are_temporary(self) -> None:
        for fault in ("servfail", "silence"):
            self.names.faults["one.example"] = fault
            self.assertEqual(self.word("one.example"), "temperror")
            self.assertEqual(self.problem("one.example")[0], "trouble")

    def test_a_domain_counts_as_its_a_label(self) -> None:
        self.assertEqual(self.word("例え.jp"), "pass")

    def test_an_empty_sender_is_the_postmaster_of_the_helo_name(self) -> None:
        found = check_host(self.questions, ip=CLIENT, sender="", helo="helo.example")
        self.assertEqual((found.word, found.domain), ("pass", "helo.example"))

    def test_a_sender_without_local_part_is_the_postmaster(self) -> None:
        found = check_host(self.questions, ip=CLIENT, sender="@helo.example", helo="helo.example")
        self.assertEqual(found.word, "pass")

    def test_records_of_type_spf_are_not_asked_for(self) -> None:
        self.word("typed.example")
        self.assertEqual(self.names.asked, ["typed.example TXT"])


class MechanismTest(SpfTestCase):
    """RFC 7208 §5."""

    ZONE = f"""
qualified.example. TXT "v=spf1 ?ip4:192.0.2.1 ~ip4:192.0.2.2 -ip4:192.0.2.3 +ip4:192.0.2.4"
all.example. TXT "v=spf1 all -all"
a.example. TXT "v=spf1 a/28 a:%{{d}}//64 -all"
a.example. A 192.0.2.1
a.example. A 203.0.113.1
a.example. AAAA 2001:db8::1
mx.example. TXT "v=spf1 mx -all"
mx.example. MX 10 host.example.
mx.example. A 192.0.2.99
host.example. A 192.0.2.10
null.example. TXT "v=spf1 mx ?all"
null.example. MX 0 .
lone.example. TXT "v=spf1 mx -all"
lone.example. A 192.0.2.10
crowd.example. TXT "v=spf1 mx -all"
{HOSTS}
mx0.crowd.example. A 192.0.2.10
exists.example. TXT "v=spf1 exists:%{{ir}}.list.example -all"
10.2.0.192.list.example. A 127.0.0.2
six.example. TXT "v=spf1 exists:only6.example -all"
only6.example. AAAA 2001:db8::1
mapped.example. TXT "v=spf1 -ip6:::ffff:0:0/96 ip4:192.0.2.0/24 -all"
ptr.example. TXT "v=spf1 ptr -all"
named.example. TXT "v=spf1 ptr:example.net -all"
10.2.0.192.in-addr.arpa. PTR Client.PTR.example.
10.2.0.192.in-addr.arpa. PTR forged.named.example.
client.ptr.example. A 192.0.2.10
forged.named.example. A 192.0.2.11
{POINTERS}
"""

    def test_the_qualifier_says_the_result(self) -> None:
        words = [self.word("qualified.example", f"192.0.2.{last}") for last in range(1, 6)]
        self.assertEqual(words, ["neutral", "softfail", "fail", "pass", "neutral"])

    def test_the_first_mechanism_that_matches_decides(self) -> None:
        found = self.check("all.example")
        self.assertEqual((found.word, found.matched, found.matched_in), ("pass", "all", "all.example"))

    def test_a_matches_the_networks_of_the_addresses(self) -> None:
        for ip, word in ((CLIENT, "pass"), ("192.0.2.16", "fail"), ("203.0.113.1", "pass")):
            self.assertEqual(self.word("a.example", ip), word)

    def test_a_matches_addresses_of_the_clients_family_only(self) -> None:
        self.assertEqual(self.word("a.example", "2001:db8::2"), "pass")
        self.assertEqual(self.word("a.example", "2001:db8:0:1::1"), "fail")

    def test_an_ipv4_address_in_ipv6_is_one_of_ipv4(self) -> None:
        self.assertEqual(self.word("mapped.example", "::ffff:192.0.2.10"), "pass")

    def test_mx_matches_the_mail_servers_and_not_the_domain(self) -> None:
        self.assertEqual((self.word("mx.example"), self.word("mx.example", OTHER)), ("pass", "fail"))
        self.assertEqual(self.word("lone.example"), "fail")

    def test_a_null_mx_has_no_mail_server(self) -> None:
        self.assertEqual(self.word("null.example"), "neutral")

    def test_more_than_ten_mail_servers_are_an_error(self) -> None:
        values = {"domain": "crowd.example", "term": "mx", "name": "crowd.example", "count": "11"}
        self.assertEqual(self.problem("crowd.example"), ("too_many_hosts", values))

    def test_exists_asks_for_ipv4_whatever_the_client(self) -> None:
        self.assertEqual((self.word("exists.example"), self.word("exists.example", OTHER)), ("pass", "fail"))
        self.assertEqual(self.word("six.example", "2001:db8::1"), "fail")

    def test_ptr_matches_a_name_that_leads_back(self) -> None:
        self.assertEqual((self.word("ptr.example"), self.word("named.example")), ("pass", "fail"))

    def test_only_ten_names_of_an_address_are_looked_at(self) -> None:
        self.assertEqual(self.word("named.example", "192.0.2.12"), "fail")
        self.assertEqual(sum("example.net A" in asked for asked in self.names.asked), 10)

    def test_trouble_with_the_names_of_an_address_is_no_match(self) -> None:
        self.names.faults["10.2.0.192.in-addr.arpa"] = "servfail"
        self.assertEqual(self.word("ptr.example"), "fail")
        self.names.faults = {"client.ptr.example": "servfail"}
        self.assertEqual(self.word("ptr.example"), "fail")

    def test_trouble_with_another_mechanism_is_temporary(self) -> None:
        self.names.faults = {"host.example": "servfail", "10.2.0.192.list.example": "silence", "a.example A": "refused"}
        for domain in ("mx.example", "exists.example", "a.example"):
            self.assertEqual(self.word(domain), "temperror")

    def test_an_address_must_be_one(self) -> None:
        with self.assertRaises(ValueError):
            self.word("all.example", "192.0.2")


class IncludeTest(SpfTestCase):
    """RFC 7208 §5.2 and §6."""

    ZONE = """
pass.example. TXT "v=spf1 ip4:192.0.2.10 -all exp=inner.example"
soft.example. TXT "v=spf1 ~all"
open.example. TXT "v=spf1 ?all"
includes.example. TXT "v=spf1 include:soft.example include:open.example include:pass.example -all exp=outer.example"
bad.example. TXT "v=spf1 include:missing.example -all"
worse.example. TXT "v=spf1 include:bad.example -all"
outer.example. TXT "%{i} may not send for %{o}. See https://example.jp/?s=%{S}&r=%{r}"
inner.example. TXT "inner"
redirects.example. TXT "v=spf1 ip4:192.0.2.99 redirect=pass.example exp=outer.example"
nowhere.example. TXT "v=spf1 redirect=missing.example"
settled.example. TXT "v=spf1 redirect=missing.example ~all"
silent.example. TXT "v=spf1 -all exp=missing.example"
double.example. TXT "v=spf1 -all exp=texts.example"
texts.example. TXT "one"
texts.example. TXT "two"
broken.example. TXT "v=spf1 -all exp=percent.example"
percent.example. TXT "100%"
blank.example. TXT "v=spf1 -all exp=words.example"
words.example. TXT "Nobody  sends for %{d}."
"""

    def test_an_include_matches_when_the_other_record_passes(self) -> None:
        found = self.check("includes.example")
        self.assertEqual((found.word, found.matched), ("pass", "include:pass.example"))
        self.assertEqual(self.word("includes.example", OTHER), "fail")

    def test_an_include_without_record_is_an_error(self) -> None:
        values = {"domain": "missing.example", "term": "include:missing.example", "of": "bad.example"}
        for domain in ("bad.example", "worse.example"):
            self.assertEqual(self.problem(domain), ("no_record", values))

    def test_an_include_in_trouble_is_temporary(self) -> None:
        self.names.faults["soft.example"] = "servfail"
        self.assertEqual(self.word("includes.example"), "temperror")
        self.assertEqual(self.problem("includes.example")[1]["term"], "include:soft.example")

    def test_redirect_counts_when_nothing_matches(self) -> None:
        self.assertEqual(self.word("redirects.example", "192.0.2.98"), "fail")
        self.assertEqual((self.word("redirects.example"), self.word("redirects.example", OTHER)), ("pass", "pass"))
        self.assertEqual(self.word("settled.example"), "softfail")

    def test_redirect_to_a_domain_without_record_is_an_error(self) -> None:
        self.assertEqual(self.problem("nowhere.example")[0], "no_record")

    def test_a_fail_is_explained_by_the_record_that_said_it(self) -> None:
        explanation = (
            "192.0.2.99 may not send for includes.example. See https://example.jp/?s=sato%40includes.example&r=unknown"
        )
        self.assertEqual(self.check("includes.example", OTHER).explanation, explanation)
        self.assertEqual(self.check("redirects.example", "192.0.2.98").explanation, "inner")
        self.assertEqual(self.check("blank.example").explanation, "Nobody  sends for blank.example.")

    def test_an_explanation_that_is_wanting_changes_nothing(self) -> None:
        for domain in ("silent.example", "double.example", "broken.example"):
            found = self.check(domain)
            self.assertEqual((found.word, found.explanation), ("fail", ""))

    def test_only_a_fail_is_explained(self) -> None:
        self.assertEqual(self.check("includes.example").explanation, "")
        self.assertNotIn("inner.example TXT", self.names.asked)


class MacroTest(SpfTestCase):
    """RFC 7208 §7."""

    ZONE = """
local.example. TXT "v=spf1 exists:%{l}.seen.example ?exists:%{s}.seen.example -all"
sato.seen.example. A 127.0.0.2
Suzuki\\@local.example.seen.example. A 127.0.0.2
named.example. TXT "v=spf1 exists:%{p}.seen.example -all"
10.2.0.192.in-addr.arpa. PTR far.example.net.
10.2.0.192.in-addr.arpa. PTR near.named.example.
far.example.net. A 192.0.2.10
near.named.example. A 192.0.2.10
near.named.example.seen.example. A 127.0.0.2
unknown.seen.example. A 127.0.0.2
six.example. TXT "v=spf1 exists:%{ir}.%{v}.seen.example -all"
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.seen.example. A 127.0.0.2
helo.example. TXT "v=spf1 a:%{h} -all"
mx.example.net. A 192.0.2.10
"""

    def test_the_local_part_is_a_label(self) -> None:
        self.assertEqual(self.check("local.example").word, "pass")
        self.assertEqual(self.check("local.example", local="Suzuki").word, "neutral")

    def test_a_local_part_outside_ascii_matches_nothing(self) -> None:
        found = self.check("local.example", local="佐藤")
        self.assertEqual((found.word, found.voids), ("fail", 0))

    def test_the_name_of_the_client_is_the_nearest_to_the_domain(self) -> None:
        self.assertEqual(self.word("named.example"), "pass")

    def test_a_client_without_name_is_unknown(self) -> None:
        self.assertEqual(self.word("named.example", OTHER), "pass")

    def test_an_ipv6_address_is_its_nibbles(self) -> None:
        self.assertEqual(self.word("six.example", "2001:db8::1"), "pass")

    def test_a_helo_name_that_cannot_be_a_domain_matches_nothing(self) -> None:
        self.assertEqual(self.check("helo.example").word, "pass")
        for helo in ("JUMPIN' JUPITER", "[192.0.2.10]", "%" * 70, "", "例え"):
            self.assertEqual(self.check("helo.example", helo=helo).word, "fail", helo)


class LimitTest(SpfTestCase):
    """RFC 7208 §4.6.4."""

    ZONE = f"""
{INCLUDES}
i12.example. TXT "v=spf1 -all"
loop.example. TXT "v=spf1 redirect=loop.example"
ten.example. TXT "v=spf1 a a a a a a a a a a ip4:192.0.2.10 -all"
ten.example. A 192.0.2.1
eleven.example. TXT "v=spf1 a a a a a a a a a a a ip4:192.0.2.10 -all"
eleven.example. A 192.0.2.1
early.example. TXT "v=spf1 ip4:192.0.2.10 a a a a a a a a a a a -all"
early.example. A 192.0.2.1
voids.example. TXT "v=spf1 a:gone.example exists:away.example ?all"
more.example. TXT "v=spf1 a:gone.example exists:away.example mx:lost.example ?all"
odd.example. TXT "v=spf1 a:a..example a:b..example a:c..example ?all"
hosts.example. TXT "v=spf1 mx ?all"
hosts.example. MX 1 gone1.example.
hosts.example. MX 2 gone2.example.
hosts.example. MX 3 gone3.example.
why.example. TXT "v=spf1 a:gone.example exists:away.example -all exp=lost.example"
slow.example. TXT "v=spf1 a:s1.example a:s2.example -all"
"""

    def test_ten_terms_may_ask_and_no_more(self) -> None:
        self.assertEqual((self.word("ten.example"), self.word("eleven.example")), ("pass", "permerror"))

    def test_terms_that_are_not_reached_do_not_count(self) -> None:
        found = self.check("early.example")
        self.assertEqual((found.word, found.lookups), ("pass", ()))

    def test_terms_of_other_records_count_and_are_told(self) -> None:
        found = self.check("i1.example")
        self.assertEqual((found.word, len(found.lookups)), ("permerror", 11))
        self.assertEqual((found.lookups[1].domain, found.lookups[1].term), ("i2.example", "include:i3.example"))
        self.assertEqual(
            found.problem, spf.Problem("too_many_lookups", {"domain": "i11.example", "term": "include:i12.example"})
        )

    def test_a_loop_ends(self) -> None:
        self.assertEqual(self.problem("loop.example")[0], "too_many_lookups")

    def test_two_terms_may_find_nothing_and_no_more(self) -> None:
        found = self.check("voids.example")
        self.assertEqual((found.word, found.voids), ("neutral", 2))
        values = {"domain": "more.example", "term": "mx:lost.example"}
        self.assertEqual(self.problem("more.example"), ("too_many_voids", values))

    def test_a_term_finds_nothing_once(self) -> None:
        self.assertEqual((self.check("hosts.example").word, self.check("hosts.example").voids), ("neutral", 1))

    def test_a_name_that_cannot_be_asked_for_is_not_nothing(self) -> None:
        self.assertEqual((self.check("odd.example").word, self.check("odd.example").voids), ("neutral", 0))

    def test_an_explanation_does_not_count(self) -> None:
        self.assertEqual(self.word("why.example"), "fail")

    def test_an_evaluation_ends_in_time(self) -> None:
        self.names.faults = {"s1.example": "silence", "s2.example": "silence"}
        before = time.monotonic()
        with patch.object(spf, "MOST_SECONDS", 0.5):
            found = check_host(self.ask_anew(timeout=5), ip=CLIENT, sender="a@slow.example", helo="")
        self.assertEqual(found.word, "temperror")
        self.assertLess(time.monotonic() - before, 3)
