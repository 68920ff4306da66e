from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction

from campaigns.imports import loading, starting
from campaigns.imports.reading import BadFile
from campaigns.models import Contact, ContactField, ContactImport, Destination, ImportRefusal, MailingList, Subscription
from tests.base import MailsalesTestCase
from tests.make import make_contact, make_list

TEXT = "メールアドレス,氏名,会社名\nhanako@example.jp,佐藤 花子,青葉\ntaro@docomo.ne.jp,田中 太郎,みどり\n"


class LoadingTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)

    def job(self, text: str | bytes, mailing_list: MailingList | None = None) -> ContactImport:
        data = text if isinstance(text, bytes) else text.encode()
        found = starting.look(BytesIO(data), self.account)
        job = ContactImport(account=self.account, list=mailing_list or self.list, file_name="people.csv")
        job.basis = Subscription.Basis.CARD
        starting.prepare(job, found, found.columns)
        job.status = ContactImport.Status.QUEUED
        job.file.save("people.csv", ContentFile(data), save=False)
        job.save()
        return job

    def load(self, text: str | bytes) -> ContactImport:
        return loading.run_whole(self.job(text))

    def counts(self, job: ContactImport) -> tuple[int, int, int, int]:
        return job.new, job.updated, job.unchanged, job.refused


class ContactsTestCase(LoadingTestCase):
    def test_it_makes_contacts(self) -> None:
        job = self.load(TEXT)
        self.assertEqual((job.status, job.rows, self.counts(job)), ("done", 2, (2, 0, 0, 0)))
        contact = Contact.objects.of(self.account).get(address="taro@docomo.ne.jp")
        self.assertEqual((contact.name, contact.fields), ("田中 太郎", {"company": "みどり"}))
        self.assertEqual(contact.destination.name, "docomo.ne.jp")

    def test_it_puts_them_on_the_list_with_their_basis(self) -> None:
        self.load(TEXT)
        found = Subscription.objects.of(self.account).filter(list=self.list)
        self.assertEqual(set(found.values_list("status", "basis", "source")), {("confirmed", "card", "people.csv")})
        self.assertEqual(found.count(), 2)

    def test_it_makes_the_fields_that_the_file_brings(self) -> None:
        self.load(TEXT)
        field = ContactField.objects.of(self.account).get()
        self.assertEqual((field.key, field.label), ("company", "会社名"))

    def test_the_same_file_changes_nothing(self) -> None:
        self.load(TEXT)
        before = list(Contact.objects.order_by("pk").values("pk", "name", "fields", "updated_at"))
        job = self.load(TEXT)
        self.assertEqual(self.counts(job), (0, 0, 2, 0))
        self.assertEqual(list(Contact.objects.order_by("pk").values("pk", "name", "fields", "updated_at")), before)

    def test_it_updates_what_differs(self) -> None:
        self.load(TEXT)
        job = self.load(TEXT.replace("青葉", "若葉"))
        self.assertEqual(self.counts(job), (0, 1, 1, 0))
        self.assertEqual(Contact.objects.get(address="hanako@example.jp").fields["company"], "若葉")

    def test_an_empty_cell_takes_nothing_away(self) -> None:
        self.load(TEXT)
        job = self.load("メールアドレス,氏名,会社名\nhanako@example.jp,,\n")
        self.assertEqual(self.counts(job), (0, 0, 1, 0))
        self.assertEqual(Contact.objects.get(address="hanako@example.jp").name, "佐藤 花子")

    def test_another_list_makes_a_known_contact_an_updated_one(self) -> None:
        self.load(TEXT)
        job = loading.run_whole(self.job(TEXT, make_list(self.account, name="二つ目")))
        self.assertEqual(self.counts(job), (0, 2, 0, 0))

    def test_who_left_stays_away(self) -> None:
        contact = make_contact(self.account, self.list, address="hanako@example.jp")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE subscription SET status = 'unsubscribed', unsubscribed_at = now() WHERE contact_id = %s",
                [contact.pk],
            )
        self.load(TEXT)
        self.assertEqual(Subscription.objects.get(contact=contact).status, "unsubscribed")

    def test_it_leaves_other_accounts_alone(self) -> None:
        stranger = make_contact(self.other_account, address="hanako@example.jp", name="別人")
        self.load(TEXT)
        stranger.refresh_from_db()
        self.assertEqual(stranger.name, "別人")
        self.assertEqual(Contact.objects.of(self.account).count(), 2)

    def test_it_keeps_look_alikes_in_names_and_fields(self) -> None:
        said = "髙﨑𠮷～〜①㈱ Ａ"
        self.load(f"メールアドレス,氏名,会社名\nhanako@example.jp,{said},{said}\n")
        contact = Contact.objects.get(address="hanako@example.jp")
        self.assertEqual((contact.name, contact.fields["company"]), (said, said))

    def test_it_folds_addresses(self) -> None:
        self.load("メールアドレス\n\u3000ｈａｎａｋｏ＠ＥＸＡＭＰＬＥ．ｊｐ \n")
        self.assertTrue(Contact.objects.filter(address="hanako@example.jp").exists())

    def test_it_takes_old_addresses_of_carriers(self) -> None:
        old = ["abc.@docomo.ne.jp", "a..b@docomo.ne.jp", ".abc@ezweb.ne.jp"]
        job = self.load("メールアドレス\n" + "\n".join(old))
        self.assertEqual(self.counts(job), (3, 0, 0, 0))
        self.assertEqual(set(Contact.objects.values_list("address", flat=True)), set(old))

    def test_it_forgets_the_file_and_the_staged_rows(self) -> None:
        with self.captureOnCommitCallbacks(execute=True):
            job = self.load(TEXT)
        self.assertFalse(job.file)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM import_row")
            self.assertEqual(cursor.fetchone(), (0,))

    def test_it_makes_each_destination_once(self) -> None:
        self.load("a\n" + "".join(f"p{n}@example.jp\n" for n in range(20)))
        self.assertEqual(Destination.objects.filter(name="example.jp").count(), 1)


class RefusalsTestCase(LoadingTestCase):
    def refusals(self, text: str) -> list[tuple[Any, ...]]:
        job = self.load(text)
        found = ImportRefusal.objects.of(self.account).filter(contact_import=job).order_by("line")
        return list(found.values_list("line", "reason", "detail", "address"))

    def test_it_refuses_rows_without_a_good_address(self) -> None:
        text = "メール,氏名\nhanako@example.jp,花子\n,太郎\nnobody,次郎\nsaburo@,三郎\na b@example.jp,四郎\n"
        found = self.refusals(text)
        self.assertEqual([line for line, *_rest in found], [3, 4, 5, 6])
        reasons = [reason for _line, reason, *_rest in found]
        self.assertEqual(reasons, ["empty", "no_at", "cut_off", "not_an_address"])

    def test_it_counts_lines_of_the_file(self) -> None:
        text = 'メール,氏名\nhanako@example.jp,"佐藤\n花子"\n\nnobody,次郎\n'
        self.assertEqual([line for line, *_rest in self.refusals(text)], [5])

    def test_the_first_of_the_same_address_wins(self) -> None:
        text = "メール,氏名\nhanako@example.jp,一\nHANAKO＠example.jp,二\nhanako@EXAMPLE.jp,三\nhanako@example.jp,四\n"
        found = self.refusals(text)
        self.assertEqual([(line, reason, first) for line, reason, first, _address in found][-2:], [
            (4, "repeated", "2"),
            (5, "repeated", "2"),
        ])  # fmt: skip
        self.assertEqual(Contact.objects.get(address="hanako@example.jp").name, "一")

    def test_it_keeps_the_row_as_it_came(self) -> None:
        job = self.load("メール,氏名\nhanako@example.jp,花子\nnobody,髙橋 太郎\n")
        self.assertEqual(ImportRefusal.objects.get(contact_import=job).row, ["nobody", "髙橋 太郎"])

    def test_it_takes_very_long_cells(self) -> None:
        long = "あ" * 5_000
        job = self.load(f"メール,氏名,会社\nhanako@example.jp,{long},{long}\n{'x' * 900},{long},{long}\n")
        self.assertEqual(self.counts(job), (1, 0, 0, 1))


class BadFileTestCase(LoadingTestCase):
    def test_nothing_is_kept_of_a_file_that_breaks_off(self) -> None:
        job = self.job(
            "メール,氏名\n" + "".join(f"p{n}@example.jp,花\n" for n in range(7_000)) + 'q@example.jp,"太郎\nx'
        )
        job = loading.run_whole(job)
        self.assertEqual((job.status, job.refused), ("refused", 0))
        self.assertEqual((fault_of(job).reason, fault_of(job).line), ("quotes", 7_002))
        self.assertEqual(Contact.objects.count() + ImportRefusal.objects.count(), 0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM import_row")
            self.assertEqual(cursor.fetchone(), (0,))

    def test_a_file_without_addresses_is_refused(self) -> None:
        for text in ("氏名,会社\n花子,青葉\n", "", "\n\n", "花子\n太郎\n", "メールアドレス,氏名\n"):
            with self.subTest(text), self.assertRaises(BadFile):
                raise fault_of(self.load(text))


def fault_of(job: ContactImport) -> BadFile:
    assert job.error is not None
    return BadFile(job.error["reason"], job.error["advice"], job.error["line"])


class SlicesTestCase(LoadingTestCase):
    def test_a_slice_that_was_killed_is_repeated(self) -> None:
        job = self.job("メール\n" + "".join(f"p{n}@example.jp\n" for n in range(12_000)))

        class Killed(Exception):
            pass

        for _try in range(200):
            for is_killed in (True, False):
                job.refresh_from_db()
                try:
                    with transaction.atomic():
                        if not loading.run_next(seconds=0):
                            break
                        if is_killed:
                            raise Killed
                except Killed:
                    pass
        job.refresh_from_db()
        self.assertEqual((job.status, job.rows, self.counts(job)), ("done", 12_000, (12_000, 0, 0, 0)))
        self.assertEqual(Contact.objects.count(), 12_000)

    def test_it_says_when_nothing_waits(self) -> None:
        self.assertFalse(loading.run_next())

    def test_a_stopped_import_goes_no_further(self) -> None:
        job = self.job(TEXT)
        self.assertTrue(loading.stop(job))
        self.assertFalse(loading.run_next())
        self.assertFalse(loading.stop(job))
        self.assertEqual(Contact.objects.count(), 0)

    def test_it_forgets_uploads_that_nobody_went_on_with(self) -> None:
        job = self.job(TEXT)
        ContactImport.objects.filter(pk=job.pk).update(status="uploaded", created_at="2026-01-01T00:00:00Z")
        self.assertEqual(loading.forget_abandoned(), 1)
        self.assertFalse(ContactImport.objects.exists())
