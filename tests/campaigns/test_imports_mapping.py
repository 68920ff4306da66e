from __future__ import annotations

from django.test import SimpleTestCase

from campaigns.imports.mapping import key_of, map_columns, override
from campaigns.imports.reading import BadFile


def mapped(*rows: str) -> dict[int, str]:
    return map_columns([row.split(",") for row in rows], {}).targets


class MappingTestCase(SimpleTestCase):
    def test_it_knows_japanese_headings(self) -> None:
        found = mapped("会員番号,お名前,フリガナ,E-Mail,会社名", "1,花子,ハナコ,a@example.jp,青葉")
        self.assertEqual(found, {0: "field:member_no", 1: "name", 2: "field:kana", 3: "address", 4: "field:company"})

    def test_it_knows_english_headings(self) -> None:
        found = mapped("Full Name,Email Address,Company", "Ann,a@example.jp,Aoba")
        self.assertEqual(found, {0: "name", 1: "address", 2: "field:company"})

    def test_it_knows_headings_however_they_are_written(self) -> None:
        for heading in (
            "メールアドレス",
            "ﾒｰﾙｱﾄﾞﾚｽ",
            "ｅ－ｍａｉｌ",
            "E-MAIL",
            "e_mail",
            "メール アドレス（必須）",
            "email ",
        ):
            with self.subTest(heading):
                self.assertEqual(mapped(f"{heading},氏名", "a@example.jp,花子"), {0: "address", 1: "name"})

    def test_it_joins_family_and_given_name(self) -> None:
        found = mapped("姓,名,メール", "佐藤,花子,a@example.jp")
        self.assertEqual(found, {0: "family_name", 1: "given_name", 2: "address"})

    def test_it_takes_a_column_of_addresses_under_an_unknown_heading(self) -> None:
        self.assertEqual(mapped("番号,れんらく", "1,a@example.jp")[1], "address")

    def test_it_reads_a_file_without_headings(self) -> None:
        found = map_columns([["1", "佐藤 花子", "a@example.jp"], ["2", "田中 太郎", "b@example.jp"]], {})
        self.assertEqual((found.heading_rows, found.targets), (0, {1: "name", 2: "address"}))

    def test_it_reads_two_rows_of_headings(self) -> None:
        rows = [["顧客一覧", "", ""], ["メールアドレス", "氏名", "会社名"], ["a@example.jp", "花子", "青葉"]]
        found = map_columns(rows, {})
        self.assertEqual((found.heading_rows, found.targets), (2, {0: "address", 1: "name", 2: "field:company"}))

    def test_it_reads_headings_over_headings(self) -> None:
        found = map_columns(
            [["基本", "", "連絡先"], ["氏名", "フリガナ", "メール"], ["花子", "ハナコ", "a@example.jp"]], {}
        )
        self.assertEqual((found.heading_rows, found.headings), (2, ["氏名", "フリガナ", "メール"]))

    def test_it_knows_headings_though_the_first_people_have_no_address(self) -> None:
        found = map_columns([["メール", "氏名"], ["", "花子"], ["none", "太郎"]] + [["", "x"]] * 9, {})
        self.assertEqual((found.heading_rows, found.targets), (1, {0: "address", 1: "name"}))

    def test_a_person_without_an_address_is_no_heading(self) -> None:
        rows = [["メール", "氏名"], ["", "花子"], ["a@example.jp", "太郎"]]
        self.assertEqual(map_columns(rows, {}).heading_rows, 1)

    def test_an_address_that_went_wrong_is_no_heading(self) -> None:
        rows = [["nobody@", "花子"], ["a@example.jp", "太郎"]]
        self.assertEqual(map_columns(rows, {}).heading_rows, 0)

    def test_it_reads_unknown_headings(self) -> None:
        found = map_columns([["Adresse", "Nom"], ["a@example.jp", "Anne"]], {})
        self.assertEqual((found.heading_rows, found.targets[0]), (1, "address"))

    def test_it_prefers_the_columns_of_the_account(self) -> None:
        found = map_columns([["メール", "会社名"], ["a@example.jp", "青葉"]], {"会社名": "own_company"})
        self.assertEqual(found.targets[1], "field:own_company")

    def test_it_leaves_unknown_headings_alone(self) -> None:
        self.assertEqual(mapped("メール,謎の列", "a@example.jp,x"), {0: "address"})

    def test_it_takes_the_first_of_two_columns_of_addresses(self) -> None:
        found = mapped("メールアドレス,携帯メール,氏名", "a@example.jp,b@docomo.ne.jp,花子")
        self.assertEqual(found[0], "address")

    def test_it_does_not_take_an_empty_column_for_the_addresses(self) -> None:
        found = mapped("メール,PCメール", ",a@example.jp", ",b@example.jp", ",c@example.jp")
        self.assertEqual(found[1], "address")

    def test_it_refuses_what_holds_no_address(self) -> None:
        for rows in ([["氏名", "会社"], ["花子", "青葉"]], [["花子"]]):
            with self.subTest(rows), self.assertRaises(BadFile) as caught:
                map_columns(rows, {})
            self.assertEqual((caught.exception.reason, caught.exception.line), ("no_address", 1))


class OverrideTestCase(SimpleTestCase):
    def override(self, **wishes: str) -> dict[int, str]:
        found = map_columns([["メール", "氏名", "担当"], ["a@example.jp", "花子", "太郎"]], {})
        return override(found, wishes).targets

    def test_it_puts_a_column_elsewhere(self) -> None:
        self.assertEqual(self.override(担当="name"), {0: "address", 2: "name"})

    def test_it_makes_a_new_field(self) -> None:
        self.assertEqual(self.override(担当="rep")[2], "field:rep")

    def test_it_refuses_an_unknown_heading(self) -> None:
        with self.assertRaises(BadFile):
            self.override(電話="phone")

    def test_it_refuses_to_lose_the_address(self) -> None:
        with self.assertRaises(BadFile):
            self.override(メール="name")


class KeyTestCase(SimpleTestCase):
    def test_a_key_is_fit_for_a_merge_tag(self) -> None:
        for label in ("会社名", "Company Name", "1st", "髙﨑𠮷", "_x_", "Ｅｍａｉｌ", "あ" * 100, "!?"):
            with self.subTest(label):
                self.assertRegex(key_of(label), r"^[a-z][a-z0-9_]{0,39}$")

    def test_different_labels_have_different_keys(self) -> None:
        labels = ["電話1", "備考1", "備考2", "ご希望の配信内容その1", "ご希望の配信内容その2", "phone", "phone 2"]
        self.assertEqual(len({key_of(label) for label in labels}), len(labels))
