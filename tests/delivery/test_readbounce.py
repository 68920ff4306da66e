from __future__ import annotations

import json
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch

from django.core.management import CommandError, call_command

from delivery.management.commands.readbounce import mails_in
from delivery.sandbox.reports import abuse_report, delivery_report
from mailsales import tokens

RAW = b"From: tayori@aoba.example.jp\r\nTo: taro@example.jp\r\nMessage-ID: <x@aoba.example.jp>\r\n\r\nbody\r\n"
ORDINARY = b"From: hanako@example.net\r\nSubject: hello\r\n\r\nhello\r\n"


class ReadBounceTest(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.place = Path(folder.name)
        self.token = tokens.bounce_token(7, 4711)
        self.sender = f"b+{self.token}@bounce.example.jp"

    def put(self, name: str, raw: bytes) -> str:
        (self.place / name).write_bytes(raw)
        return str(self.place / name)

    def run_on(self, *names: str) -> list[dict[str, object]]:
        out = StringIO()
        call_command("readbounce", *names, stdout=out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    def test_a_bounce_is_one_line_for_each_recipient(self) -> None:
        name = self.put("a.eml", delivery_report(self.sender, "taro@example.jp", RAW))
        expected = {"file": name, "recipient": "taro@example.jp", "action": "failed", "status": "5.1.1", "code": 550}
        expected |= {"reason": "user_unknown", "hard": True, "feedback_type": None, "token": self.token}
        self.assertEqual(self.run_on(name), [expected])

    def test_a_complaint_has_a_feedback_type(self) -> None:
        [line] = self.run_on(self.put("a.eml", abuse_report(self.sender, "taro@example.jp", RAW)))
        self.assertEqual((line["reason"], line["feedback_type"], line["token"]), ("complaint", "abuse", self.token))

    def test_a_mail_that_is_no_bounce_is_passed_over(self) -> None:
        self.assertEqual(self.run_on(self.put("a.eml", ORDINARY)), [])

    def test_a_token_of_others_is_none(self) -> None:
        raw = delivery_report("b+" + "0" * 25 + "@bounce.example.jp", "taro@example.jp", RAW)
        self.assertIsNone(self.run_on(self.put("a.eml", raw))[0]["token"])

    def test_a_folder_stands_for_its_files(self) -> None:
        for name in ("b.eml", "a.eml"):
            self.put(name, delivery_report(self.sender, "taro@example.jp", RAW))
        names = [Path(str(line["file"])).name for line in self.run_on(str(self.place))]
        self.assertEqual(names, ["a.eml", "b.eml"])

    def test_the_standard_input_is_read(self) -> None:
        raw = TextIOWrapper(BytesIO(delivery_report(self.sender, "taro@example.jp", RAW)))
        with patch("sys.stdin", raw):
            self.assertEqual([line["file"] for line in self.run_on("-")], ["-"])

    def test_an_unreadable_file_is_told_and_the_others_are_read(self) -> None:
        name, out, err = self.put("a.eml", delivery_report(self.sender, "taro@example.jp", RAW)), StringIO(), StringIO()
        with self.assertRaisesRegex(CommandError, "1 file could not be read."):
            call_command("readbounce", str(self.place / "none"), name, stdout=out, stderr=err)
        self.assertIn("none cannot be read: No such file or directory.", err.getvalue())
        self.assertEqual(len(out.getvalue().splitlines()), 1)

    def test_a_mailbox_holds_several_mails(self) -> None:
        mailbox = b"From a@b Mon Nov  2 10:00:00 2026\n" + ORDINARY + b"\nFrom the start: no line of a mailbox\n"
        self.assertEqual(len(mails_in(mailbox + b"From c@d Mon Nov  2 10:00:00 2026\n" + ORDINARY)), 2)
        self.assertEqual(mails_in(b"From nowhere"), [b"From nowhere"])
