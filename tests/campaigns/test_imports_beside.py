from __future__ import annotations

from io import BytesIO
from typing import Any
from unittest.mock import patch

from django.core.files.base import ContentFile
from django.db import connection, transaction

from campaigns.imports import loading, starting
from campaigns.models import Contact, ContactImport, ImportRefusal, Subscription
from tests.base import MailsalesTestCase
from tests.make import make_contact, make_list

TEXT = "address,name\n" + "".join(f"reader{n}@example.jp,佐藤\n" for n in range(6)) + "nobody,田中\n"
Status = ContactImport.Status


class BesideOthersTest(MailsalesTestCase):
    """What happens to an import while others work on the same account, or on the same import, or the database crashes."""

    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.enterContext(patch.object(loading, "MERGE_ROWS", 2))

    def job(self) -> ContactImport:
        found = starting.look(BytesIO(TEXT.encode()), self.account)
        job = ContactImport(account=self.account, list=self.list, file_name="people.csv", basis="consent")
        starting.prepare(job, found, found.columns)
        job.status = Status.QUEUED
        job.file.save("people.csv", ContentFile(TEXT.encode()), save=False)
        job.save()
        return job

    def step(self, job: ContactImport) -> None:
        """Do the least that a slice does."""
        with transaction.atomic():
            loading.work(job, 0)

    def counts(self, job: ContactImport) -> tuple[int, int, int, int, int]:
        return job.rows, job.new, job.updated, job.unchanged, job.refused

    def test_a_worker_that_finds_it_too_only_helps(self) -> None:
        job = self.job()
        self.assertTrue(loading.run_next(0))
        self.assertEqual(self.counts(loading.run_whole(job)), (7, 6, 0, 0, 1))

    def test_it_is_read_again_when_a_crash_emptied_the_staging(self) -> None:
        job = self.job()
        while job.status != Status.LOADING:
            self.step(job)
        self.step(job)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM import_row")
        job = loading.run_whole(job)
        self.assertEqual((job.status, self.counts(job)), (Status.DONE, (7, 6, 0, 0, 1)))
        self.assertEqual(ImportRefusal.objects.filter(contact_import=job).count(), 1)
        self.assertEqual(Contact.objects.of(self.account).count(), 6)

    def test_whom_somebody_made_meanwhile_is_on_the_list_too(self) -> None:
        job = self.job()
        while job.status != Status.LOADING:
            self.step(job)
        blind = loading.MERGE.replace("AND address = s.address", "AND address = s.address AND name <> '見えない'")
        make_contact(self.account, address="reader0@example.jp", name="見えない")
        merges: list[str] = []

        def execute_blind(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql == loading.MERGE:
                merges.append(sql)
                sql = blind if len(merges) == 1 else sql
            return execute(sql, params, many, context)

        with connection.execute_wrapper(execute_blind):
            job = loading.run_whole(job)
        self.assertEqual(self.counts(job), (7, 5, 1, 0, 1))
        self.assertEqual(Subscription.objects.of(self.account).count(), 6)
