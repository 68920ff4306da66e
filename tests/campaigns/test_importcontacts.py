from __future__ import annotations

import json
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

from campaigns.models import Contact, ContactImport, ImportRefusal, MailingList, Subscription
from tests.base import MailsalesTestCase
from tests.make import make_list

TEXT = "メールアドレス,氏名,会社名\r\nhanako@example.jp,佐藤 花子,青葉\r\nnobody,田中 太郎,みどり\r\n"


class ImportcontactsTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "people.csv"

    def call(self, data: bytes, *options: str, account: str = "", mailing_list: str = "青葉だより") -> str:
        self.path.write_bytes(data)
        out, account = StringIO(), account or str(self.account.pk)
        call_command(
            "importcontacts", str(self.path), "--account", account, "--list", mailing_list, *options, stdout=out
        )
        return out.getvalue()

    def json(self, data: bytes, *options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.call(data, "--json", *options))
        return found

    def refused(self, data: bytes, *options: str) -> dict[str, Any]:
        out = StringIO()
        self.path.write_bytes(data)
        with self.assertRaises(SystemExit) as caught:
            arguments = ["--account", str(self.account.pk), "--list", "新", "--json", *options]
            call_command("importcontacts", str(self.path), *arguments, stdout=out)
        self.assertEqual(caught.exception.code, 1)
        self.assertEqual(Contact.objects.count() + ImportRefusal.objects.count() + MailingList.objects.count(), 0)
        found: dict[str, Any] = json.loads(out.getvalue())
        return found

    def test_it_prints_one_object(self) -> None:
        found = self.json(TEXT.encode("cp932"))
        self.assertEqual((found["encoding"], found["delimiter"]), ("cp932", ","))
        self.assertEqual(found["counts"], {"new": 1, "updated": 0, "unchanged": 0, "refused": 1})
        self.assertEqual(found["refused"], [{"line": 3, "reason": "no_at", "detail": "", "address": "nobody"}])

    def test_it_says_the_same_in_words(self) -> None:
        said = self.call(TEXT.encode("cp932"))
        self.assertIn("1 new", said)
        self.assertIn("line 3: no_at", said)

    def test_it_makes_the_list_that_is_named(self) -> None:
        self.call(TEXT.encode())
        found = Subscription.objects.get(list__name="青葉だより")
        self.assertEqual(
            (found.status, found.basis, found.contact.address), ("confirmed", "consent", "hanako@example.jp")
        )

    def test_it_takes_a_list_and_an_account_by_id_or_name(self) -> None:
        own = make_list(self.account, name="二つ目")
        self.call(TEXT.encode(), account=self.account.name, mailing_list=str(own.pk))
        self.assertEqual(MailingList.objects.get(), own)
        self.assertEqual(own.contacts.count(), 1)

    def test_it_does_not_touch_the_list_of_another_account(self) -> None:
        theirs = make_list(self.other_account)
        self.call(TEXT.encode(), mailing_list=str(theirs.pk))
        self.assertEqual(theirs.contacts.count(), 0)

    def test_it_refuses_an_unknown_account(self) -> None:
        with self.assertRaises(CommandError):
            self.call(TEXT.encode(), account="だれか")

    def test_a_column_can_be_put_elsewhere(self) -> None:
        found = self.json(TEXT.encode(), "--field", "会社名=name", "--basis", "card")
        self.assertEqual(found["columns"], {"メールアドレス": "address", "会社名": "name"})
        self.assertEqual(Contact.objects.get().name, "青葉")

    def test_a_wish_for_no_column_is_an_error(self) -> None:
        for wish in ("会社名", "=name", "会社名="):
            with self.subTest(wish), self.assertRaises(CommandError):
                self.call(TEXT.encode(), "--field", wish)
        self.assertEqual(self.refused(TEXT.encode(), "--field", "電話=phone")["error"], "no_column")

    def test_the_same_file_changes_nothing(self) -> None:
        self.call(TEXT.encode())
        found = self.json(TEXT.encode("utf-16"))
        self.assertEqual(found["counts"], {"new": 0, "updated": 0, "unchanged": 1, "refused": 1})

    def test_the_encoding_can_be_told(self) -> None:
        self.assertEqual(self.json(TEXT.encode("euc-jp"), "--encoding", "EUC-JP")["encoding"], "euc-jp")
        self.assertEqual(self.refused_after_all("--encoding", "utf-8")["error"], "encoding")

    def refused_after_all(self, *options: str) -> dict[str, Any]:
        Contact.objects.all().delete()
        ContactImport.objects.all().delete()
        MailingList.objects.all().delete()
        return self.refused(TEXT.encode("euc-jp"), *options)

    def test_a_broken_file_is_refused_with_its_line(self) -> None:
        cases = {
            "cut_off": (TEXT + "taro@example.jp,太").encode()[:-1],
            "quotes": (TEXT + 'taro@example.jp,"太郎\r\nx@example.jp,y\r\n').encode("cp932"),
            "encoding": TEXT.encode("cp932") + b"\xff\xff,\x80\r\n",
        }
        for reason, data in cases.items():
            with self.subTest(reason):
                found = self.refused(data)
                self.assertEqual((found["error"], found["line"]), (reason, 4))

    def test_a_file_with_nobody_in_it_is_refused(self) -> None:
        for data in (b"", b"\r\n", "氏名,会社\r\n花子,青葉\r\n".encode(), "メールアドレス,氏名\r\n".encode("cp932")):
            with self.subTest(data):
                self.assertIn(self.refused(data)["error"], ("empty", "no_address"))

    def test_without_json_a_broken_file_is_an_error_in_words(self) -> None:
        with self.assertRaisesMessage(CommandError, "line 2"):
            self.call('メール,氏名\na@example.jp,"花子\n'.encode())

    def test_a_missing_file_is_an_error(self) -> None:
        with self.assertRaises(CommandError):
            call_command("importcontacts", "/nowhere.csv", "--account", str(self.account.pk), "--list", "新")

    def test_it_reads_300_columns(self) -> None:
        head = ",".join(["メール", *(f"列{n}" for n in range(299))])
        rows = [",".join([f"p{n}@example.jp", *["値"] * 299]) for n in range(3)]
        self.assertEqual(self.json("\n".join([head, *rows]).encode("cp932"))["counts"]["new"], 3)
