from __future__ import annotations

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from mailsales.dns import spf_macros, spf_record
from mailsales.dns.spf_record import BadTerm, is_record, lookups, parse

PIECES = st.sampled_from(["a", "mx", ":", "/", "//", "24", "%{d}", "%{i1r.-}", "%%", "%", ".", "com", "=", "exp", " ", "-", "ip4", "ip6", "::1"])  # fmt: skip


class SpfRecordTest(TestCase):
    def fault(self, terms: str) -> str:
        with self.assertRaises(BadTerm) as caught:
            parse(f"v=spf1 {terms}")
        return caught.exception.fault

    def test_a_record_begins_with_its_version_and_a_blank(self) -> None:
        for text in ("v=spf1", "V=sPf1 -all", "v=spf1  a"):
            self.assertTrue(is_record(text), text)
        for text in ("v=spf10", "v=spf1\n", " v=spf1", "v=spf1mx", "spf1 -all", "v=spf2.0/pra -all"):
            self.assertFalse(is_record(text), text)

    def test_terms_are_read_with_their_parts(self) -> None:
        record = parse("v=spf1 -A:%{d}.example.jp/24//64 ?ip6:2001:db8::/32 redirect=other.example exp=why.example")
        first, second = record.directives
        self.assertEqual((first.qualifier, first.mechanism, first.target), ("-", "a", "%{d}.example.jp"))
        self.assertEqual((first.bits4, first.bits6), (24, 64))
        self.assertEqual(str(second.network), "2001:db8::/32")
        self.assertEqual((record.redirect, record.explanation), ("other.example", "why.example"))

    def test_a_term_that_is_none_is_named(self) -> None:
        for term in ("moo", "-all.", "all:a.example", "all/8", "redirect:a.example", "moo.cow/far=x", "=all", "1up=x"):
            with self.subTest(term):
                self.assertEqual(self.fault(f"ip4:192.0.2.1 {term} -all"), "unknown_term")

    def test_terms_are_parted_by_blanks_only(self) -> None:
        for text in ("a:a.example\rptr", "a\ta", "mx:a.example\0"):
            with self.subTest(text):
                self.assertIn(self.fault(text), ("bad_domain", "unknown_term"))

    def test_a_domain_ends_in_a_top_label_or_a_macro(self) -> None:
        for text in (
            "a.example",
            "a.example.",
            "foo:bar/baz.example",
            "a.xn--zckzah",
            "%{d}",
            "a.%{d2}",
            "a.b-1",
            "%%",
        ):
            with self.subTest(text):
                self.assertEqual(parse(f"v=spf1 include:{text}").directives[0].target, text)
        for text in (
            "museum",
            "museum.",
            "a.-com",
            "a.com-",
            "a.123",
            "192.0.2.1",
            "a.example:25",
            "",
            "%{d}a",
            "a..",
            "a%%_",
        ):
            with self.subTest(text):
                self.assertIn(self.fault(f"include:{text}"), ("bad_domain", "bad_macro"))

    def test_a_macro_is_complete(self) -> None:
        for text in ("%{x}", "%{d", "%(d)", "%d", "%{d0}", "%{d00}", "%{dr2}", "%{}", "%{c}", "%{r}", "%{t}", "%"):
            with self.subTest(text):
                self.assertEqual(self.fault(f"exists:{text}.example.jp"), "bad_macro")

    def test_masks_fit_their_family(self) -> None:
        for term in ("a/33", "a//129", "a/024", "mx/24/64", "ip4:192.0.2.1/33", "ip6:::1/129", "ip4:192.0.2.1//24"):
            with self.subTest(term):
                self.assertIn(self.fault(term), ("bad_mask", "bad_network"))

    def test_other_mechanisms_have_no_mask(self) -> None:
        for term in ("ptr/0", "include/24", "exists:a.example/24", "include:a.example/24"):
            with self.subTest(term):
                self.assertIn(self.fault(term), ("bad_mask", "bad_domain"))

    def test_addresses_are_written_out(self) -> None:
        for term in (
            "ip4:192.0.2",
            "ip4",
            "ip4:192.0.2.1:25",
            "ip4:192.0.02.1",
            "ip6:",
            "ip6::a::b",
            "ip6:fe80::1%1",
            "ip4:::1",
        ):
            with self.subTest(term):
                self.assertEqual(self.fault(term), "bad_network")

    def test_include_and_exists_name_a_domain(self) -> None:
        for term in ("include", "exists", "include:", "a:", "redirect=", "exp=", "exp=-all"):
            with self.subTest(term):
                self.assertEqual(self.fault(term), "bad_domain")

    def test_redirect_and_exp_stand_once(self) -> None:
        self.assertEqual(self.fault("exp=a.example exp=a.example"), "twice")
        self.assertEqual(self.fault("redirect=a.example -all REDIRECT=b.example"), "twice")

    def test_unknown_modifiers_are_skipped_if_they_are_well_formed(self) -> None:
        self.assertEqual(parse("v=spf1 moo.cow-far_out=man:dog/cat default=+ t=%{t}").directives, ())
        self.assertEqual(self.fault("foo=%abc"), "bad_macro")

    def test_a_record_is_ascii(self) -> None:
        self.assertEqual(self.fault("a:\ufeffexample.jp -all"), "not_ascii")

    def test_terms_that_ask_dns_are_counted(self) -> None:
        record = parse(
            "v=spf1 a mx:a.example ip4:192.0.2.1 ptr include:b.example exists:%{i}.example redirect=c.example"
        )
        self.assertEqual(len(lookups(record)), 6)

    @given(st.text(max_size=60) | st.lists(PIECES, max_size=12).map("".join))
    def test_any_text_is_read_or_its_term_is_named(self, text: str) -> None:
        try:
            parse(f"v=spf1 {text}")
        except BadTerm as error:
            self.assertIn(error.term, text.split(" "))

    @given(st.text(max_size=60) | st.lists(PIECES, max_size=12).map("".join), st.text(max_size=20))
    def test_any_macro_is_expanded_or_refused(self, text: str, value: str) -> None:
        try:
            spf_macros.as_name(spf_macros.expanded(text, lambda _letter: value))
            spf_record.parse(f"v=spf1 exists:{text}")
        except (spf_macros.BadMacro, BadTerm):
            return

    def test_long_texts_take_no_long_time(self) -> None:
        for text in (
            "%{d}" * 9_000,
            "a:" + "a." * 9_000 + ".",
            "a" * 60_000,
            "a:" + "1" * 60_000,
            "a/" + "1" * 9_000,
            "%{d" + "9" * 9_000 + "}",
        ):
            self.fault(text)


class SpfMacrosTest(TestCase):
    """The examples of RFC 7208 §7.4."""

    VALUES = {
        "s": "strong-bad@email.example.com",
        "o": "email.example.com",
        "d": "email.example.com",
        "l": "strong-bad",
    }
    IPV4 = {"i": "192.0.2.3", "v": "in-addr", "p": "mx.example.org"}

    def expanded(self, text: str) -> str:
        return spf_macros.expanded(text, (self.VALUES | self.IPV4).__getitem__)

    def test_parts_are_counted_from_the_right(self) -> None:
        self.assertEqual(
            self.expanded("%{d4}|%{d3}|%{d2}|%{d1}".replace("|", "/")),
            "email.example.com/email.example.com/example.com/com",
        )

    def test_parts_are_turned_round(self) -> None:
        self.assertEqual(
            self.expanded("%{dr}/%{d2r}/%{lr-}/%{l1r-}"), "com.example.email/example.email/bad.strong/strong"
        )

    def test_parts_are_split_where_asked(self) -> None:
        self.assertEqual(self.expanded("%{l}/%{l-}/%{lr}"), "strong-bad/strong.bad/strong-bad")

    def test_names_are_made_of_them(self) -> None:
        self.assertEqual(self.expanded("%{ir}.%{v}._spf.%{d2}"), "3.2.0.192.in-addr._spf.example.com")
        self.assertEqual(
            self.expanded("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}"), "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"
        )

    def test_capitals_are_escaped_for_addresses_of_pages(self) -> None:
        self.assertEqual(self.expanded("%{S}"), "strong-bad%40email.example.com")

    def test_escapes_are_a_percent_sign_and_blanks(self) -> None:
        self.assertEqual(self.expanded("a%%b%_c%-d"), "a%b c%20d")

    def test_a_long_name_loses_labels_on_the_left(self) -> None:
        name = spf_macros.as_name(".".join(["a" * 60] * 5) + ".example.")
        self.assertEqual(name, ".".join(["a" * 60] * 4) + ".example")
        self.assertEqual(len(spf_macros.as_name("a" * 300)), 300)
