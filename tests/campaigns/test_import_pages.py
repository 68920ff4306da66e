from __future__ import annotations

from io import BytesIO
from typing import Any
from unittest.mock import patch

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from campaigns.imports import loading, starting
from campaigns.models import Contact, ContactImport, ImportRefusal, MailingList
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_list

TEXT = "メールアドレス,お名前,会社名\r\nhanako@example.jp,髙橋 花子,青葉商店\r\ntaro.example.jp,田中 太郎,みどり\r\n"
HTMX = {"HX-Request": "true"}
Status = ContactImport.Status


class ImportPagesTestCase(MailsalesTestCase):
    view: str

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.list = make_list(self.account)
        self.enterContext(patch("campaigns.views.imports.ring"))

    def job(self, status: str = Status.UPLOADED, text: str = TEXT, **fields: Any) -> ContactImport:
        data = text.encode("cp932")
        found = starting.look(BytesIO(data), self.account)
        job = ContactImport(account=self.account, list=self.list, file_name="名簿.csv", basis="consent", status=status)
        starting.prepare(job, found, found.columns)
        job.file.save("list.csv", ContentFile(data), save=False)
        for name, value in fields.items():
            setattr(job, name, value)
        job.save()
        return job

    def done(self) -> ContactImport:
        return loading.run_whole(self.job(Status.QUEUED))

    def url(self, job: ContactImport) -> str:
        return reverse(f"campaigns:{self.view}", args=[job.pk])

    def statuses(self, job: ContactImport, method: str = "get") -> list[int]:
        """Return what a stranger, a viewer, and nobody are answered."""
        found = []
        for user in (self.charlie, self.vera, None):
            self.sign_in(user)
            found.append(getattr(self.client, method)(self.url(job)).status_code)
        return found

    def sign_in(self, user: User | None) -> None:
        self.client.logout()
        if user:
            self.client.force_login(user)


class ImportCreateTest(ImportPagesTestCase):
    address = "/imports/create/"

    def post(self, name: str = "名簿.csv", data: bytes = TEXT.encode("cp932"), **changes: Any) -> Any:
        file = SimpleUploadedFile(name, data)
        return self.client.post(self.address, {"file": file, "list": self.list.pk, "basis": "consent"} | changes)

    def test_it_asks_for_a_file(self) -> None:
        self.assertContains(self.client.get(self.address), "Import from a file")

    def test_it_keeps_the_file_with_what_it_found(self) -> None:
        response = self.post()
        job = ContactImport.objects.get()
        self.assertRedirects(response, reverse("campaigns:import_map", args=[job.pk]))
        self.assertEqual((job.encoding, job.delimiter, job.heading_rows), ("cp932", ",", 1))
        self.assertEqual(job.columns["targets"], {"0": "address", "1": "name", "2": "field:company"})
        self.assertEqual((job.created_by, job.status, job.file_name), (self.bob, Status.UPLOADED, "名簿.csv"))

    def test_it_saves_no_contact_yet(self) -> None:
        self.post()
        self.assertFalse(Contact.objects.exists())

    def test_it_makes_a_new_list(self) -> None:
        self.post(list="", new_list="夏の会")
        self.assertEqual(ContactImport.objects.get().list.name, "夏の会")

    def test_it_wants_a_list(self) -> None:
        response = self.post(list="")
        self.assertContains(response, "enter a name for a new one", status_code=422)

    def test_it_says_how_to_save_a_workbook(self) -> None:
        response = self.post("list.xlsx", b"PK\3\4")
        self.assertContains(response, "save it as CSV", status_code=422)
        self.assertFalse(ContactImport.objects.exists())

    def test_it_refuses_a_broken_file_with_its_line_and_keeps_nothing(self) -> None:
        response = self.post(data=TEXT.encode("cp932") + b'a@example.jp,"', list="", new_list="夏の会")
        self.assertContains(response, "Line 4", status_code=422)
        self.assertFalse(ContactImport.objects.exists())
        self.assertFalse(MailingList.objects.filter(name="夏の会").exists())

    def test_it_refuses_a_file_without_addresses(self) -> None:
        response = self.post(data="名前,会社\r\n花子,青葉\r\n".encode("cp932"))
        self.assertContains(response, "No column holds email addresses", status_code=422)

    def test_it_refuses_an_empty_file(self) -> None:
        self.assertContains(self.post(data=b""), "The file is empty.", status_code=422)

    def test_it_refuses_the_list_of_another_account(self) -> None:
        self.assertEqual(self.post(list=make_list(self.other_account).pk).status_code, 422)

    def test_it_requires_login(self) -> None:
        self.sign_in(None)
        self.assertEqual(self.client.get(self.address).status_code, 302)

    def test_it_requires_a_role(self) -> None:
        self.sign_in(self.vera)
        self.assertEqual(self.post().status_code, 403)

    def test_it_refuses_other_methods(self) -> None:
        self.assertEqual(self.client.put(self.address).status_code, 405)


class ImportMapTest(ImportPagesTestCase):
    view = "import_map"

    def post(self, job: ContactImport, query: str = "", **changes: str) -> Any:
        data = {"column_0": "address", "column_1": "name", "column_2": "field:company"} | changes
        response = self.client.post(self.url(job) + query, data)
        job.refresh_from_db()
        return response

    def test_it_shows_the_first_people(self) -> None:
        response = self.client.get(self.url(self.job()))
        self.assertContains(response, "髙橋 花子")
        self.assertContains(response, "お名前")

    def test_it_shows_another_encoding_at_once(self) -> None:
        response = self.client.get(self.url(self.job()), {"encoding": "utf-8"}, headers=HTMX)
        self.assertContains(response, "Some characters are in no encoding", status_code=422)

    def test_it_shows_another_delimiter_at_once(self) -> None:
        response = self.client.get(self.url(self.job()), {"encoding": "cp932", "delimiter": "\t"}, headers=HTMX)
        self.assertContains(response, "No column holds email addresses", status_code=422)

    def test_it_shows_another_number_of_headings_at_once(self) -> None:
        response = self.client.get(self.url(self.job()), {"heading_rows": "0"}, headers=HTMX)
        self.assertEqual(response.context["columns"][0]["cells"][0], "メールアドレス")

    def test_htmx_gets_the_fragment_alone(self) -> None:
        response = self.client.get(self.url(self.job()), headers=HTMX)
        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, 'id="import-map"', count=1)

    def test_it_begins_the_import(self) -> None:
        job = self.job()
        self.assertRedirects(self.post(job), job.get_absolute_url())
        self.assertEqual(job.status, Status.QUEUED)
        loading.run_whole(job)
        self.assertEqual(Contact.objects.get().fields, {"company": "青葉商店"})

    def test_it_begins_with_what_was_chosen(self) -> None:
        job = self.job()
        self.post(job, "?encoding=cp932&delimiter=,&heading_rows=0", column_1="", column_2="name")
        self.assertEqual((job.heading_rows, job.columns["targets"]), (0, {"0": "address", "2": "name"}))

    def test_it_makes_a_field_of_an_unknown_heading(self) -> None:
        job = self.job(text=TEXT.replace("会社名", "Shoe size"))
        self.post(job, column_2="new")
        self.assertEqual(job.columns["targets"]["2"], "field:shoe_size")

    def test_it_wants_a_column_of_addresses(self) -> None:
        job = self.job()
        response = self.post(job, column_0="")
        self.assertContains(response, "Choose the column that holds the email addresses", status_code=422)
        self.assertEqual(job.status, Status.UPLOADED)

    def test_it_wants_each_target_once(self) -> None:
        job = self.job()
        self.assertContains(self.post(job, column_2="name"), "Another column has this target", status_code=422)
        self.assertEqual(job.status, Status.UPLOADED)

    def test_it_does_not_begin_twice(self) -> None:
        job = self.done()
        self.assertRedirects(self.post(job), job.get_absolute_url())
        self.assertEqual(job.status, Status.DONE)

    def test_it_is_for_writers_of_the_account(self) -> None:
        self.assertEqual(self.statuses(self.job()), [404, 403, 302])

    def test_it_refuses_other_methods(self) -> None:
        self.assertEqual(self.client.delete(self.url(self.job())).status_code, 405)


class ImportDetailTest(ImportPagesTestCase):
    view = "import_detail"

    def test_it_shows_how_far_it_is(self) -> None:
        response = self.client.get(self.url(self.job(Status.LOADING, rows=1_000, done=250, new=200)))
        self.assertContains(response, "25.0%")
        self.assertContains(response, "250 of 1,000 rows")

    def test_htmx_gets_the_progress_alone(self) -> None:
        response = self.client.get(self.url(self.job(Status.READING)), headers=HTMX)
        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, 'id="import-progress"', count=1)

    def test_htmx_gets_a_new_page_at_the_end(self) -> None:
        response = self.client.get(self.url(self.done()), headers=HTMX)
        self.assertEqual(response.headers["HX-Refresh"], "true")

    def test_it_shows_the_result_and_why_rows_were_refused(self) -> None:
        response = self.client.get(self.url(self.done()))
        self.assertContains(response, "Results for 2 rows")
        self.assertContains(response, "taro.example.jp")
        self.assertContains(response, "There is no “@”")

    def test_it_shows_why_a_file_was_refused(self) -> None:
        error = {"reason": "quotes", "advice": "A quotation mark is never closed.", "line": 12}
        response = self.client.get(self.url(self.job(Status.REFUSED, error=error)))
        self.assertContains(response, "Line 12: A quotation mark is never closed.")

    def test_it_leads_to_the_columns_first(self) -> None:
        job = self.job()
        self.assertRedirects(self.client.get(self.url(job)), reverse("campaigns:import_map", args=[job.pk]))

    def test_its_polling_is_no_action(self) -> None:
        self.client.get(self.url(self.job(Status.READING)), headers=HTMX)
        self.assertNotIn("acted_at", self.client.session)

    def test_it_is_for_members_of_the_account(self) -> None:
        self.assertEqual(self.statuses(self.done()), [404, 200, 302])

    def test_it_refuses_a_post(self) -> None:
        self.assertEqual(self.client.post(self.url(self.done())).status_code, 405)


class ImportStopTest(ImportPagesTestCase):
    view = "import_stop"

    def test_it_stops(self) -> None:
        job = self.job(Status.LOADING)
        with wall(self.account.pk):
            response = self.client.post(self.url(job))
        self.assertRedirects(response, job.get_absolute_url())
        job.refresh_from_db()
        self.assertEqual(job.status, Status.STOPPED)
        self.assertFalse(loading.run_next())

    def test_it_leaves_a_finished_import_alone(self) -> None:
        job = self.done()
        self.client.post(self.url(job))
        job.refresh_from_db()
        self.assertEqual(job.status, Status.DONE)

    def test_it_is_for_writers_of_the_account(self) -> None:
        self.assertEqual(self.statuses(self.job(Status.LOADING), "post"), [404, 403, 302])

    def test_it_refuses_a_get(self) -> None:
        self.assertEqual(self.client.get(self.url(self.job())).status_code, 405)


class ImportRefusedTest(ImportPagesTestCase):
    view = "import_refused"

    def download(self, job: ContactImport) -> bytes:
        return b"".join(self.client.get(self.url(job)))

    def test_it_gives_the_rows_in_the_encoding_of_the_file(self) -> None:
        text = self.download(self.done()).decode("cp932")
        self.assertEqual(text.splitlines()[0], "メールアドレス,お名前,会社名,Reason")
        self.assertEqual(text.splitlines()[1], "taro.example.jp,田中 太郎,みどり,There is no “@”")

    def test_corrected_it_can_be_imported(self) -> None:
        data = self.download(self.done()).replace(b"taro.", b"taro@")
        found = starting.look(BytesIO(data), self.account)
        self.assertEqual((found.shape.encoding, found.columns.targets[0]), ("cp932", "address"))

    def test_it_asks_the_wall(self) -> None:
        job = self.done()
        with wall(self.account.pk):
            self.assertIn("田中 太郎".encode("cp932"), self.download(job))

    def test_it_is_for_writers_of_the_account(self) -> None:
        job = self.done()
        self.assertTrue(ImportRefusal.objects.filter(contact_import=job).exists())
        self.assertEqual(self.statuses(job), [404, 403, 302])

    def test_it_refuses_a_post(self) -> None:
        self.assertEqual(self.client.post(self.url(self.done())).status_code, 405)
