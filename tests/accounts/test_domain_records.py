from __future__ import annotations

from django.test import override_settings

from accounts.domains.records import Need, Record, records_of
from accounts.domains.spf_terms import merged
from accounts.models import DkimKey
from delivery.models import ReturnMailbox
from tests.accounts.domains import DomainTestCase

INCLUDE = ["include:spf.mailsales.example"]


class RecordsTest(DomainTestCase):
    def record(self, key: str) -> Record:
        return next(record for record in records_of(self.domain) if record.key == key)

    def test_they_stand_in_the_order_of_their_use(self) -> None:
        keys = [record.key for record in records_of(self.domain) if record.need != Need.OPTIONAL]
        expected = ["proof", "spf", "dkim-m1", "dkim-e1", "dkim-m2", "dkim-e2", "dmarc", "return-mx", "return-spf"]
        self.assertEqual(keys, expected)

    def test_a_long_key_is_split_into_strings_of_255_bytes(self) -> None:
        record = self.record("dkim-m1")
        strings = [part.strip('"') for part in record.quoted.split(" ") if part.startswith('"')]
        self.assertGreater(len(record.value), 255)
        self.assertTrue(all(len(part) <= 257 for part in record.quoted.split('" "')))
        self.assertEqual("".join(record.quoted[1:-1].split('" "')), record.value)
        self.assertEqual(len(strings), len(record.quoted.split('" "')))

    def test_names_are_absolute_and_as_pasted(self) -> None:
        record = self.record("dkim-e1")
        self.assertEqual((record.name, record.label), ("e1._domainkey.aoba.example.jp", "e1._domainkey"))
        self.assertEqual(self.record("spf").label, "@")

    def test_below_a_zone_the_label_names_the_way_to_it(self) -> None:
        self.domain.findings = [
            {"key": "zone", "state": "good", "code": "zone_good", "values": {"found": "example.jp"}}
        ]
        self.assertEqual((self.record("spf").label, self.record("proof").label), ("aoba", "_mailsales.aoba"))

    def test_the_addresses_are_named_one_by_one_or_by_the_include(self) -> None:
        self.assertEqual(self.record("spf").value, "v=spf1 ip4:203.0.113.5 ~all")
        with override_settings(SPF_INCLUDE="spf.mailsales.example"):
            self.assertEqual(self.record("return-spf").value, "v=spf1 include:spf.mailsales.example ~all")

    def test_without_addresses_the_name_of_our_server_stands_for_them(self) -> None:
        with override_settings(SENDING_ADDRESSES=[]):
            self.assertEqual(self.record("spf").value, "v=spf1 a:mail.mailsales.example ~all")
        with override_settings(SENDING_ADDRESSES=[], EHLO_NAME="localhost"):
            self.assertNotIn("spf", [record.key for record in records_of(self.domain)])

    def test_the_spf_record_that_was_found_is_completed(self) -> None:
        self.domain.findings = [
            {
                "key": "spf",
                "state": "bad",
                "code": "spf_not_covered",
                "values": {"found": "v=spf1 include:a.example -all"},
            }
        ]
        self.assertEqual(self.record("spf").value, "v=spf1 ip4:203.0.113.5 include:a.example -all")

    def test_a_mailbox_needs_no_return_path(self) -> None:
        ReturnMailbox.objects.create(
            account=self.account, domain=self.domain, address="kaeri@aoba.example.jp", host="imap.example", username="a"
        )
        keys = [record.key for record in records_of(self.domain)]
        self.assertEqual([key for key in keys if key.startswith("return")], [])

    def test_the_name_for_links_is_an_alias_of_ours(self) -> None:
        self.domain.tracking_label = "link"
        record = self.record("tracking")
        self.assertEqual((record.kind, record.label, record.value), ("CNAME", "link", "links.mailsales.example."))

    def test_a_replaced_key_needs_no_record(self) -> None:
        key = self.domain.keys.get(selector="m1")
        DkimKey.objects.filter(pk=key.pk).update(retired_at=key.created_at)
        self.assertNotIn("dkim-m1", [record.key for record in records_of(self.domain)])


class MergedTest(DomainTestCase):
    def test_what_is_there_stays(self) -> None:
        for said, expected in (
            ([], "v=spf1 include:spf.mailsales.example ~all"),
            (["v=spf1 mx -all"], "v=spf1 include:spf.mailsales.example mx -all"),
            (["v=spf1 mx +all"], "v=spf1 include:spf.mailsales.example mx ~all"),
            (["v=spf1 redirect=a.example"], "v=spf1 include:spf.mailsales.example redirect=a.example"),
            (["v=spf1 Include:SPF.mailsales.example mx ~all"], "v=spf1 Include:SPF.mailsales.example mx ~all"),
            (["v=spf1 mx ~all", "v=spf1 mx a -all"], "v=spf1 include:spf.mailsales.example mx a -all"),
        ):
            with self.subTest(said):
                self.assertEqual(merged(said, INCLUDE), expected)
