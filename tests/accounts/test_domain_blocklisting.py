from __future__ import annotations

from datetime import timedelta

from django.utils.timezone import now

from accounts.domains import blocklisting
from accounts.models import BlocklistAnswer, Domain
from mailsales.dns.blocklist_table import BLOCKLISTS
from tests.accounts.domains import DomainTestCase

ZEN = "zen.spamhaus.org"
WORKING = "\n".join(f"{one.listed}.{one.zone}. A 127.0.0.2" for one in BLOCKLISTS if one.zone != ZEN)


class BlocklistingTest(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        Domain.objects.update(proven_at=now())
        self.zone(f"2.0.0.127.{ZEN}. A 127.0.0.2\n5.113.0.203.{ZEN}. A 127.0.0.2")

    def zone(self, text: str) -> None:
        self.names.zone = f"{WORKING}\n{text}"

    def answer(self, name: str = "203.0.113.5", of: str = "Spamhaus ZEN") -> BlocklistAnswer:
        return BlocklistAnswer.objects.get(name=name, list=of)

    def test_addresses_and_proven_domains_are_asked_for_once_a_day(self) -> None:
        self.assertEqual((blocklisting.check_due(), blocklisting.check_due()), (2, 0))
        self.assertEqual(blocklisting.check_due(now() + timedelta(days=1)), 2)
        self.assertEqual(self.answer("aoba.example.jp", "SURBL").state, BlocklistAnswer.State.CLEAN)

    def test_a_listing_is_kept_with_its_meaning(self) -> None:
        blocklisting.check_due()
        self.assertEqual((self.answer().state, self.answer().text), (BlocklistAnswer.State.LISTED, "spam"))

    def test_a_refusal_says_nothing(self) -> None:
        self.zone(f"2.0.0.127.{ZEN}. A 127.255.255.254\n5.113.0.203.{ZEN}. A 127.255.255.254")
        blocklisting.check_due()
        self.assertEqual((self.answer().state, self.answer().text), (BlocklistAnswer.State.UNKNOWN, "public_resolver"))

    def test_trouble_leaves_what_was_said_before(self) -> None:
        blocklisting.check_due()
        self.names.faults = {f"2.0.0.127.{ZEN}": "servfail"}
        blocklisting.check_due(now() + timedelta(days=1))
        self.assertEqual(self.answer().state, BlocklistAnswer.State.LISTED)

    def test_what_is_asked_no_longer_is_forgotten(self) -> None:
        blocklisting.check_due()
        Domain.objects.update(proven_at=None)
        blocklisting.check_due(now() + timedelta(days=8))
        self.assertFalse(BlocklistAnswer.objects.filter(name="aoba.example.jp").exists())
