from __future__ import annotations

from django.db import connection

from campaigns.models import MailingList
from campaigns.search import find
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_contact, make_list


class SearchTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        make_contact(
            self.account, self.list, address="tanaka_100%@example.jp", name="田中 太郎", fields={"kana": "タナカ"}
        )
        make_contact(self.account, address="sogabe@example.jp", name="曽我部 翔", fields={"company": "株式会社ＡＢＣ"})
        make_contact(self.other_account, address="tanaka@example.com", name="田中 次郎")

    def found(self, typed: str, mailing_list: MailingList | None = None) -> list[str]:
        with wall(self.account.pk):
            return [contact.name for contact in find(self.account, typed, mailing_list=mailing_list)]

    def test_it_finds_two_characters_of_a_name(self) -> None:
        self.assertEqual(self.found("田中"), ["田中 太郎"])

    def test_it_finds_one_character(self) -> None:
        self.assertEqual(self.found("部"), ["曽我部 翔"])

    def test_it_finds_a_part_of_an_address(self) -> None:
        for typed in ("tanaka", "anak", "TANAKA", "ｔａｎａｋａ", "na", "k"):
            with self.subTest(typed):
                self.assertEqual(self.found(typed), ["田中 太郎"])

    def test_it_finds_kana_and_company(self) -> None:
        self.assertEqual(self.found("ﾀﾅｶ"), ["田中 太郎"])
        self.assertEqual(self.found("株式会社abc"), ["曽我部 翔"])

    def test_every_word_must_match(self) -> None:
        self.assertEqual(self.found("田中 太郎"), ["田中 太郎"])
        self.assertEqual(self.found("田中 翔"), [])

    def test_signs_of_patterns_are_letters(self) -> None:
        self.assertEqual(self.found("_100%"), ["田中 太郎"])
        for typed in ("%%%", "a_n", "\\\\\\", "'; --", "{田中}", '"', "100\\%", "\0"):
            with self.subTest(typed):
                self.assertEqual(self.found(typed), [] if typed != "\0" else ["曽我部 翔", "田中 太郎"])

    def test_it_finds_nobody_where_nothing_matches(self) -> None:
        for typed in ("無い", "無", "無いもの", "zq"):
            with self.subTest(typed):
                self.assertEqual(self.found(typed), [])

    def test_it_looks_into_one_list(self) -> None:
        self.assertEqual(self.found("", self.list), ["田中 太郎"])
        self.assertEqual(self.found("曽我部", self.list), [])

    def test_the_function_gives_nothing_away_of_another_account(self) -> None:
        for account, count in ((self.account, 1), (self.other_account, 1), (None, 0)):
            with self.subTest(account), wall(account.pk if account else None), connection.cursor() as cursor:
                cursor.execute("SELECT * FROM contact_search(ARRAY['田中'], NULL, NULL, NULL, 10)")
                self.assertEqual(len(cursor.fetchall()), count)

    def test_it_pages_forward_and_back(self) -> None:
        made = [make_contact(self.account, address=f"p{n}@example.jp", name=f"山田 {n}") for n in range(5)]
        with wall(self.account.pk):
            first = find(self.account, "山田", limit=2)
            following = find(self.account, "山田", after=first[-1].pk, limit=2)
            back = find(self.account, "山田", before=following[0].pk, limit=2)
        self.assertEqual([first, following, back], [made[:2:-1], made[2:0:-1], made[:2:-1]])
