from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.test import TestCase

from accounts.models import Account
from campaigns.models import Contact
from mailsales.management.bench import importing
from mailsales.management.bench.sink_process import BenchFailed


class BenchImportingTestCase(TestCase):
    figures: dict[str, Any]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.figures = importing.measure(300)

    def test_it_tells_both_rates(self) -> None:
        ratio = self.figures["rows_per_second"] / self.figures["bare_rows_per_second"]
        self.assertAlmostEqual(self.figures["bare_ratio"], ratio, places=2)

    def test_it_tells_the_seconds_of_each_step(self) -> None:
        self.assertEqual(list(self.figures["seconds"]), ["look", "read", "merge"])

    def test_it_leaves_nothing_behind(self) -> None:
        self.assertFalse(Account.objects.filter(name__startswith="bench ").exists())
        self.assertFalse(Contact.objects.filter(address__endswith=".bench.example").exists())

    def test_both_ways_make_the_same_contacts(self) -> None:
        ours, bare = importing.make_account("a"), importing.make_account("b")
        with TemporaryDirectory() as folder:
            file = Path(folder) / "contacts.csv"
            importing.write(file, 50)
            importing.load(ours, file)
        importing.load_bare(bare, 50)
        shown = [
            list(Contact.objects.of(each).order_by("address").values("address", "name", "fields", "destination"))
            for each in (ours, bare)
        ]
        self.assertEqual(shown[0], shown[1])

    def test_it_fails_when_somebody_is_missing(self) -> None:
        account = importing.make_account("import")
        importing.load_bare(account, 10)
        Contact.objects.of(account)[0].delete()
        with self.assertRaises(BenchFailed):
            importing.compare(account, 10)
