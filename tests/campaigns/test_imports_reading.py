from __future__ import annotations

import codecs
from io import BytesIO

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.imports.reading import BadFile, rows_of, shape_of

TEXT = "メールアドレス,氏名\r\nhanako@example.jp,佐藤 花子\r\ntaro@example.jp,髙橋 太郎\r\n"
PLAIN = TEXT.replace("髙", "高")
KANJI = st.sampled_from("日本語表示能力漢字山田太郎佐藤鈴木一二三")
WORDS = st.text(st.one_of(st.characters(min_codepoint=0x3041, max_codepoint=0x3093), KANJI), min_size=2, max_size=8)


def read(data: bytes, *, encoding: str = "", delimiter: str = "") -> tuple[str, str, list[list[str]]]:
    shape = shape_of(BytesIO(data), encoding=encoding, delimiter=delimiter)
    return shape.encoding, shape.delimiter, [row for _line, row in rows_of(BytesIO(data), shape)]


class EncodingTestCase(SimpleTestCase):
    def check(self, data: bytes, encoding: str, text: str = PLAIN) -> None:
        found, _delimiter, rows = read(data)
        self.assertEqual(found, encoding)
        self.assertEqual(rows, [line.split(",") for line in text.splitlines()])

    def test_it_finds_cp932(self) -> None:
        self.check(TEXT.encode("cp932"), "cp932", TEXT)

    def test_it_finds_utf_8(self) -> None:
        self.check(TEXT.encode(), "utf-8", TEXT)

    def test_it_finds_utf_8_with_a_mark(self) -> None:
        self.check(TEXT.encode("utf-8-sig"), "utf-8-sig", TEXT)

    def test_it_finds_utf_16_with_a_mark(self) -> None:
        self.check(TEXT.encode("utf-16"), "utf-16", TEXT)
        self.check(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16", TEXT)

    def test_it_finds_utf_16_without_a_mark(self) -> None:
        self.check(TEXT.encode("utf-16-le"), "utf-16-le", TEXT)
        self.check(TEXT.encode("utf-16-be"), "utf-16-be", TEXT)

    def test_it_finds_iso_2022_jp(self) -> None:
        self.check(PLAIN.encode("iso-2022-jp"), "iso-2022-jp")

    def test_it_finds_euc_jp(self) -> None:
        self.check(PLAIN.encode("euc-jp"), "euc-jp")

    def test_it_finds_iso_2022_jp_whose_first_characters_are_ascii(self) -> None:
        text = "address,name\r\n" + "".join(f"a{n}@example.jp,Taro\r\n" for n in range(2_000)) + "b@example.jp,花子\r\n"
        self.check(text.encode("iso-2022-jp"), "iso-2022-jp", text)

    def test_it_finds_utf_8_whose_first_characters_are_ascii(self) -> None:
        text = (
            "address,name\r\n" + "".join(f"a{n}@example.jp,Taro\r\n" for n in range(90_000)) + "b@example.jp,花子\r\n"
        )
        self.check(text.encode(), "utf-8", text)

    def test_it_keeps_look_alikes_of_unicode(self) -> None:
        text = "address,name\na@example.jp,髙﨑𠮷～〜①㈱―—‖∥－−\n"
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le"):
            with self.subTest(encoding):
                self.assertEqual(read(text.encode(encoding))[2][1][1], "髙﨑𠮷～〜①㈱―—‖∥－−")

    def test_it_keeps_what_windows_adds(self) -> None:
        text = "address,name\na@example.jp,髙﨑～①㈱№\n"
        self.assertEqual(read(text.encode("cp932"))[2][1][1], "髙﨑～①㈱№")

    def test_it_keeps_what_windows_adds_to_iso_2022_jp(self) -> None:
        data = b"address,name\na@example.jp," + b"\x1b$B-!\x1b(B" + b"\n"
        self.assertEqual(read(data)[2][1][1], "①")

    def test_it_takes_names_in_half_width_kana(self) -> None:
        text = "address,name\na@example.jp,ﾔﾏﾀﾞ ﾀﾛｳ\nb@example.jp,ｻﾄｳ ﾊﾅｺ\n"
        self.check(text.encode("cp932"), "cp932", text)

    def test_it_knows_names_in_half_width_kana_alone(self) -> None:
        text = "a@example.jp,ﾔﾏﾀﾞﾀﾛｳ\nb@example.jp,ｻﾄｳﾊﾅｺﾁｬﾝ\nc@example.jp,ﾓﾘﾓﾄ\nd@example.jp,ﾐﾔｹﾕﾐ\n"
        self.check(text.encode("cp932"), "cp932", text)

    def test_it_knows_the_names_that_people_use(self) -> None:
        for name in ("Shift_JIS", "SJIS", "MS932", "cp932"):
            self.assertEqual(read(TEXT.encode("cp932"), encoding=name)[0], "cp932")
        self.assertEqual(read(TEXT.encode("utf-8-sig"), encoding="UTF8")[0], "utf-8-sig")

    def test_it_is_told_the_encoding(self) -> None:
        self.assertEqual(read(PLAIN.encode("euc-jp"), encoding="euc-jp")[2][1][1], "佐藤 花子")

    def test_it_refuses_an_encoding_that_does_not_fit(self) -> None:
        with self.assertRaises(BadFile) as caught:
            read(PLAIN.encode("euc-jp"), encoding="utf-8")
        self.assertEqual((caught.exception.reason, caught.exception.line), ("encoding", 1))

    def test_it_refuses_an_unknown_encoding(self) -> None:
        for name in ("klingon", "rot13", "zlib", "hex", "punycode", "idna"):
            with self.subTest(name), self.assertRaises(BadFile):
                read(PLAIN.encode(), encoding=name)


class CutTestCase(SimpleTestCase):
    def check(self, encoding: str) -> None:
        data = "address,name\na@example.jp,太郎\nb@example.jp,花子".encode(encoding)
        with self.assertRaises(BadFile) as caught:
            read(data[:-1])
        self.assertEqual((caught.exception.reason, caught.exception.line), ("cut_off", 3))

    def test_it_names_the_line_of_a_cut_in_utf_8(self) -> None:
        self.check("utf-8")
        self.check("utf-8-sig")

    def test_it_names_the_line_of_a_cut_in_cp932(self) -> None:
        self.check("cp932")

    def test_it_names_the_line_of_a_cut_in_euc_jp(self) -> None:
        self.check("euc-jp")

    def test_it_names_the_line_of_a_cut_in_utf_16(self) -> None:
        self.check("utf-16")
        self.check("utf-16-le")

    def test_it_names_the_line_of_a_cut_in_iso_2022_jp(self) -> None:
        data = "address,name\na@example.jp,太郎\nb@example.jp,花子".encode("iso-2022-jp")
        with self.assertRaises(BadFile) as caught:
            read(data[: -len(b"\x1b(B") - 1])
        self.assertEqual((caught.exception.reason, caught.exception.line), ("cut_off", 3))

    def test_it_names_the_line_of_a_cut_beyond_the_first_megabyte(self) -> None:
        lines = "address,name\n" + "a@example.jp,太郎\n" * 60_000
        with self.assertRaises(BadFile) as caught:
            read((lines + "b@example.jp,花").encode()[:-1])
        self.assertEqual((caught.exception.reason, caught.exception.line), ("cut_off", 60_002))

    def test_it_names_the_line_of_a_byte_that_is_no_character(self) -> None:
        lines = "address,name\r\n" + "a@example.jp,太郎\r\n" * 60_000
        data = lines.encode() + b"b@example.jp,\xff\xff\r\n" + "c@example.jp,花子\r\n".encode()
        with self.assertRaises(BadFile) as caught:
            read(data)
        self.assertEqual((caught.exception.reason, caught.exception.line), ("encoding", 60_002))


class RowsTestCase(SimpleTestCase):
    def rows(self, text: str) -> list[list[str]]:
        return read(text.encode())[2]

    def lines(self, text: str) -> list[int]:
        file = BytesIO(text.encode())
        return [line for line, _row in rows_of(file, shape_of(file))]

    def test_it_reads_any_line_ends(self) -> None:
        for end in ("\n", "\r\n", "\r"):
            with self.subTest(end):
                self.assertEqual(self.rows(f"a,b{end}1,2{end}3,4"), [["a", "b"], ["1", "2"], ["3", "4"]])

    def test_it_reads_mixed_line_ends(self) -> None:
        self.assertEqual(self.rows("a,b\r1,2\r\n3,4\n5,6"), [["a", "b"], ["1", "2"], ["3", "4"], ["5", "6"]])

    def test_it_reads_cr_alone_in_cp932_and_utf_16(self) -> None:
        text = "住所,名\r東京,太郎\r大阪,花子\r"
        for encoding in ("cp932", "utf-16"):
            with self.subTest(encoding):
                self.assertEqual(len(read(text.encode(encoding))[2]), 3)

    def test_it_keeps_line_breaks_within_quotes(self) -> None:
        self.assertEqual(self.rows('a,b\n1,"x\ny\r\nz"\n3,4\n'), [["a", "b"], ["1", "x\ny\r\nz"], ["3", "4"]])

    def test_it_counts_lines_and_not_rows(self) -> None:
        self.assertEqual(self.lines('a,b\n1,"x\ny"\n\n3,4\n'), [1, 2, 5])

    def test_it_counts_lines_of_any_ends(self) -> None:
        self.assertEqual(self.lines('a,b\r1,"x\ry"\r3,4\r\n5,6\n'), [1, 2, 4, 5])

    def test_it_takes_out_stray_nuls(self) -> None:
        self.assertEqual(self.rows("a,b\n1\0,2\n\0\0\n3,4\0\n"), [["a", "b"], ["1", "2"], ["3", "4"]])

    def test_it_takes_a_quotation_mark_within_a_cell(self) -> None:
        self.assertEqual(self.rows('a,b\n1,5" disk\n2,6" disk\n'), [["a", "b"], ["1", '5" disk'], ["2", '6" disk']])

    def test_it_takes_quotes_that_are_not_doubled(self) -> None:
        self.assertEqual(self.rows('a,b\n1,"株式会社"青葉"商店"\n3,4\n')[2], ["3", "4"])

    def test_it_keeps_every_mark_of_quotes_that_are_not_doubled(self) -> None:
        self.assertEqual(self.rows('a,b\n1,"株式会社"青葉"商店"\n')[1], ["1", '株式会社"青葉"商店'])
        self.assertEqual(self.rows('a,b,c\n1,"5" disk" ,x\n')[1], ["1", '5" disk', "x"])

    def test_it_takes_quotes_after_a_blank(self) -> None:
        self.assertEqual(self.rows('a, b\n1, "2, 3"\n')[1], ["1", "2, 3"])

    def test_it_swallows_no_row_between_two_open_quotes(self) -> None:
        with self.assertRaises(BadFile) as caught:
            self.rows('a,b\n1,"2\n3,4\n5,"6\n7,8\n')
        self.assertEqual((caught.exception.reason, caught.exception.line), ("quotes", 2))

    def test_it_mends_a_row_of_several_lines(self) -> None:
        self.assertEqual(self.rows('a,b\n1,"x "y" z\nw"\n3,4\n')[1:], [["1", 'x "y" z\nw'], ["3", "4"]])

    def test_it_refuses_a_quotation_mark_that_is_never_closed(self) -> None:
        for more in (1, 50, 1_000):
            with self.subTest(more), self.assertRaises(BadFile) as caught:
                self.rows('a,b\n1,2\n3,"4\n' + "5,6\n" * more)
            self.assertEqual((caught.exception.reason, caught.exception.line), ("quotes", 3))

    def test_it_finds_the_delimiter(self) -> None:
        for delimiter in ",\t;":
            with self.subTest(delimiter):
                text = "住所,氏名,会社\nあ,い,う\nえ,お,か\n".replace(",", delimiter)
                self.assertEqual(read(text.encode("cp932"))[1], delimiter)

    def test_it_finds_the_delimiter_though_cells_hold_another(self) -> None:
        text = "address;note\na@example.jp;いろは, にほへ\nb@example.jp;ちり, ぬる, を\n"
        self.assertEqual(read(text.encode())[1], ";")

    def test_it_reads_one_column(self) -> None:
        self.assertEqual(self.rows("a@example.jp\nb@example.jp\n"), [["a@example.jp"], ["b@example.jp"]])

    def test_it_reads_300_columns(self) -> None:
        self.assertEqual([len(row) for row in self.rows("\n".join([",".join(map(str, range(300)))] * 3))], [300] * 3)

    def test_it_finds_nothing_in_an_empty_file(self) -> None:
        for data in (b"", b"\n\r\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, b"\0\0\0", b",,,\n,,\n"):
            with self.subTest(data):
                self.assertEqual(read(data)[2], [])


class RoundTripTestCase(SimpleTestCase):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(WORDS, min_size=4, max_size=12), st.sampled_from(["cp932", "utf-8", "utf-16", "iso-2022-jp"]))
    def test_japanese_comes_back_from_any_encoding(self, words: list[str], encoding: str) -> None:
        text = "メールアドレス,お名前\r\n" + "".join(f"a@example.jp,{word}\r\n" for word in words)
        self.assertEqual([row[1] for row in read(text.encode(encoding))[2][1:]], words)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(WORDS, min_size=4, max_size=12))
    def test_japanese_comes_back_from_euc(self, words: list[str]) -> None:
        text = "メールアドレス,お名前\r\n" + "".join(f"a@example.jp,{word}\r\n" for word in words)
        self.assertEqual([row[1] for row in read(text.encode("euc-jp"))[2][1:]], words)

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        try:
            _encoding, _delimiter, rows = read(data)
        except BadFile as fault:
            self.assertTrue(fault.reason)
        else:
            self.assertFalse(any("\0" in cell for row in rows for cell in row))
