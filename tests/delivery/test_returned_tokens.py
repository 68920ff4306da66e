from __future__ import annotations

from unittest import TestCase

from delivery.bounces import read_bounce
from delivery.management.commands.readbounce import is_ours
from mailsales import tokens

TEXT = b"\nHi. This is the qmail-send program at mx.example.net.\n\n<hanako@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n"
CUT = b"\n--- Below this line is a copy of the message.\n\nReceived: x\nFrom: a@b\nDate: z\n"


class ReturnedTokensTest(TestCase):
    def setUp(self) -> None:
        self.token = tokens.bounce_token(7, 4711)

    def found(self, header: str = "", returned: str = "") -> list[str]:
        raw = b"From: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n" + header.encode() + TEXT + CUT
        return read_bounce(raw + returned.encode()).tokens

    def test_the_address_that_the_mail_came_to_comes_first(self) -> None:
        other = tokens.bounce_token(7, 8)
        found = self.found(
            f"To: <b+{self.token.upper()}@bounce.example.jp>\n", f"Message-ID: <{other}@aoba.example.jp>\n"
        )
        self.assertEqual(found[:2], [self.token.upper(), other])
        self.assertEqual([is_ours(text) for text in found[:2]], [True, True])

    def test_each_field_of_the_returned_header_that_holds_one_is_looked_at(self) -> None:
        unsubscribe = tokens.unsubscribe_address_token(7, 4711)
        fields = (
            f"Return-Path: <returns+b-{self.token}@example.jp>",
            f"Message-ID: <{self.token}@aoba.example.jp>",
            f"List-Unsubscribe: <https://example.jp/u/x>,\n <mailto:u+{unsubscribe}@bounce.example.jp?subject=unsubscribe>",
            f"List-Unsubscribe: <mailto:returns@example.jp?subject=unsubscribe-{unsubscribe}>",
        )
        for field in fields:
            self.assertTrue(any(is_ours(text) for text in self.found(returned=field + "\n")), field)

    def test_an_answer_names_the_message_that_it_answers(self) -> None:
        self.assertIn(self.token, self.found(f"In-Reply-To: <{self.token}@aoba.example.jp>\n"))

    def test_a_changed_token_is_not_ours(self) -> None:
        changed = self.token[:-1] + ("0" if self.token[-1] != "0" else "1")
        found = self.found(f"To: <b+{changed}@bounce.example.jp>\n")
        self.assertEqual((found, [is_ours(text) for text in found]), ([changed], [False]))
