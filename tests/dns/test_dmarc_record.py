from __future__ import annotations

from unittest import TestCase

from hypothesis import given
from hypothesis import strategies as st

from mailsales.dns.dmarc_record import Fault, is_record, parse

REPORTS = "rua=mailto:reports@example.jp"


class DmarcRecordTest(TestCase):
    """RFC 9989 §4.7, §4.8 and §4.10.1."""

    def test_a_record_begins_with_its_version(self) -> None:
        for text in ("v=DMARC1", "v=DMARC1;p=none", "V = DMARC1 ; p=none"):
            self.assertTrue(is_record(text), text)
        for text in (
            "v=dmarc1; p=none",
            "v=DMARC2; p=none",
            "p=none; v=DMARC1",
            "v=DMARC1 p=none",
            "v=DMARC10",
            " v=DMARC1",
        ):
            self.assertFalse(is_record(text), text)

    def test_tags_are_read_in_any_order(self) -> None:
        record = parse("v=DMARC1; np=reject; sp = quarantine;p=NONE; t=y; psd=n; adkim=s; aspf=s; ")
        self.assertEqual((record.p, record.sp, record.np, record.psd), ("none", "quarantine", "reject", "n"))
        self.assertEqual((record.is_test, record.dkim_is_strict, record.spf_is_strict), (True, True, True))
        self.assertEqual(record.faults, ())

    def test_what_is_not_said_is_the_default(self) -> None:
        record = parse("v=DMARC1; p=reject")
        self.assertEqual((record.sp, record.np, record.psd, record.fo), ("", "", "u", ("0",)))
        self.assertEqual((record.is_test, record.dkim_is_strict, record.spf_is_strict), (False, False, False))

    def test_wrong_values_count_as_not_said_and_are_told(self) -> None:
        record = parse("v=DMARC1; p=reject; psd=x; t=1; adkim=strict; fo=0:1")
        self.assertEqual((record.psd, record.is_test, record.dkim_is_strict, record.fo), ("u", False, False, ("0",)))
        faults = [("psd", "x"), ("t", "1"), ("adkim", "strict"), ("fo", "0:1")]
        self.assertEqual(record.faults, tuple(Fault("bad_value", *fault) for fault in faults))

    def test_unknown_and_removed_tags_are_ignored_and_told(self) -> None:
        record = parse("v=DMARC1; p=reject; pct=50; ri=1; new=x; v=DMARC1; ???")
        codes = [(fault.code, fault.tag) for fault in record.faults]
        expected = [
            ("removed_tag", "pct"),
            ("removed_tag", "ri"),
            ("unknown_tag", "new"),
            ("unknown_tag", "v"),
            ("bad_tag", "???"),
        ]
        self.assertEqual((record.p, codes), ("reject", expected))

    def test_the_first_of_two_tags_counts(self) -> None:
        record = parse("v=DMARC1; p=none; p=reject")
        self.assertEqual((record.p, record.faults), ("none", (Fault("twice", "p"),)))

    def test_reports_go_to_addresses_and_pages(self) -> None:
        record = parse(
            "v=DMARC1; p=none; rua=mailto:a@example.jp!10m, https://example.jp/r ,mailto:,nobody; ruf=mailto:b@example.jp"
        )
        self.assertEqual(record.rua, ("mailto:a@example.jp", "https://example.jp/r"))
        self.assertEqual(record.ruf, ("mailto:b@example.jp",))
        self.assertEqual([fault.code for fault in record.faults], ["old_size", "bad_uri", "bad_uri"])

    def test_options_of_failure_reports_come_apart(self) -> None:
        self.assertEqual(parse("v=DMARC1; p=none; fo=1:d:s").fo, ("1", "d", "s"))

    def test_a_record_that_asks_for_nothing_right_acts_as_none_if_it_wants_reports(self) -> None:
        for tags in ("", "p=what;", "p=reject; sp=what;", "p=reject; np=;"):
            record = parse(f"v=DMARC1; {tags} {REPORTS}")
            self.assertEqual((record.acts_as_none, record.is_void), (True, False), tags)

    def test_and_is_void_if_it_does_not(self) -> None:
        for tags in ("", "p=what", "p=reject; sp=what", "rua=nobody", "adkim=s"):
            record = parse(f"v=DMARC1; {tags}")
            self.assertEqual((record.acts_as_none, record.is_void), (False, True), tags)
            self.assertIn(Fault("no_policy"), record.faults)

    @given(st.text(max_size=80) | st.text(alphabet="vpsnrua=;:,!@ .DMARC1m", max_size=80))
    def test_any_text_is_read(self, text: str) -> None:
        record = parse(f"v=DMARC1;{text}")
        self.assertIn(record.p, ("", "none", "quarantine", "reject"))
