from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import SimpleTestCase
from django.urls import reverse

from accounts.models import AuditEntry
from campaigns.imports.reading import BadFile
from campaigns.models import Suppression
from campaigns.suppressions import loading
from mailsales.wall import wall
from tests.base import MailsalesTestCase

TEXT = "氏名,メールアドレス\r\n佐藤 花子,hanako@example.jp\r\n田中 太郎,ｔａｒｏ＠example.jp\r\n"


class ReadingTest(SimpleTestCase):
    def read(self, text: str, encoding: str = "utf-8") -> loading.Read:
        return loading.read(BytesIO(text.encode(encoding)))

    def test_it_reads_what_excel_saves(self) -> None:
        for encoding in ("cp932", "utf-8-sig", "utf-16", "iso-2022-jp", "euc-jp"):
            with self.subTest(encoding):
                self.assertEqual(self.read(TEXT, encoding).entries, ["hanako@example.jp", "taro@example.jp"])

    def test_it_reads_one_to_a_line(self) -> None:
        found = self.read("hanako@example.jp\nexample.com\n\n*@example.net\nhanako@example.jp\n")
        self.assertEqual(found.entries, ["hanako@example.jp", "*@example.com", "*@example.net"])
        self.assertEqual(found.refused, [])

    def test_a_list_of_domains_has_no_address(self) -> None:
        self.assertEqual(self.read("会社,ドメイン\nみどり,midori.example.jp\n").entries, ["*@midori.example.jp"])

    def test_it_names_the_lines_that_it_refuses(self) -> None:
        found = self.read("hanako@example.jp\ntaro\n\nabc@\n")
        self.assertEqual([(each.line, each.text) for each in found.refused], [(2, "taro"), (4, "abc@")])

    def test_a_first_line_with_an_address_s_sign_is_no_heading(self) -> None:
        self.assertEqual([each.line for each in self.read("taro@\nhanako@example.jp\n").refused], [1])

    def test_it_reads_our_own_exports(self) -> None:
        self.assertEqual(self.read("Address\n'+taro@example.jp\n").entries, ["+taro@example.jp"])

    def test_nothing_in_it_is_an_error(self) -> None:
        with self.assertRaises(BadFile):
            self.read("メールアドレス\n")


class SuppressionImportTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:suppression_import")

    def post(self, text: str = TEXT, **values: str) -> Any:
        file = SimpleUploadedFile("名簿.csv", text.encode("cp932"))
        with wall(self.account.pk):  # as the web process works
            return self.client.post(self.url, {"file": file} | values)

    def test_it_leaves_them_out(self) -> None:
        self.assertRedirects(self.post(note="退会者"), reverse("campaigns:suppression_list"))
        found = Suppression.objects.of(self.account).order_by("address")
        self.assertEqual([each.address for each in found], ["hanako@example.jp", "taro@example.jp"])
        self.assertEqual((found[0].reason, found[0].created_by), ("manual", self.bob))
        self.assertEqual(found[0].evidence, {"text": "退会者", "file": "名簿.csv"})

    def test_one_bad_row_keeps_all_of_them(self) -> None:
        response = self.post(TEXT + "鈴木,suzuki\r\n")
        self.assertEqual(response.status_code, 422)
        self.assertContains(response, "<code>suzuki</code>", status_code=422)
        self.assertFalse(Suppression.objects.exists())

    def test_the_rest_is_imported_if_that_is_asked_for(self) -> None:
        self.post(TEXT + "鈴木,suzuki\r\n", skips_refused="on")
        self.assertEqual(Suppression.objects.count(), 2)

    def test_twice_is_once(self) -> None:
        self.post()
        before = list(Suppression.objects.values_list())
        self.post()
        self.assertEqual(list(Suppression.objects.values_list()), before)

    def test_it_says_how_much_it_did(self) -> None:
        self.post("hanako@example.jp\nexample.com\nexample.net\n")
        said = self.client.get(reverse("campaigns:suppression_list")).content.decode()
        self.assertIn("3 addresses and domains are left out now. 2 of them are whole domains.", said)

    def test_what_is_no_text_is_refused(self) -> None:
        file = SimpleUploadedFile("list.csv", b"\xff\xfe\x00\xd8\x00\x00\xff")
        self.assertEqual(self.client.post(self.url, {"file": file}).status_code, 422)
        self.assertEqual(self.client.post(self.url, {"note": ""}).status_code, 422)

    def test_it_is_written_down(self) -> None:
        self.post()
        entry = AuditEntry.objects.get(action="suppression.add")
        self.assertEqual((entry.about, entry.details), ("名簿.csv", {"count": 2}))

    def test_it_requires_role(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.post().status_code, 403)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)
