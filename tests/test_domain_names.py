from __future__ import annotations

from django.test import SimpleTestCase

from mailsales.domain_names import BadDomain, clean_domain


class DomainNamesTest(SimpleTestCase):
    def refused(self, text: str) -> str:
        with self.assertRaises(BadDomain, msg=text) as caught:
            clean_domain(text)
        return caught.exception.reason

    def test_a_domain_is_taken_in_lower_case(self) -> None:
        for text in ("Aoba.Example.JP", " aoba.example.jp. ", "ａｏｂａ．ｅｘａｍｐｌｅ．ｊｐ", "aoba。example。jp"):
            self.assertEqual(clean_domain(text), "aoba.example.jp", text)

    def test_an_address_names_its_domain(self) -> None:
        for text in ("tayori@aoba.example.jp", "<tayori@aoba.example.jp>", "ｔａｙｏｒｉ＠aoba.example.jp"):
            self.assertEqual(clean_domain(text), "aoba.example.jp", text)

    def test_a_page_names_its_domain_without_www(self) -> None:
        for text in ("https://www.aoba.example.jp/shop?a=1", "http://aoba.example.jp:8080", "www.aoba.example.jp/"):
            self.assertEqual(clean_domain(text), "aoba.example.jp", text)

    def test_a_japanese_domain_becomes_an_a_label(self) -> None:
        self.assertEqual(clean_domain("日本語.jp"), "xn--wgv71a119e.jp")

    def test_what_is_no_domain_is_refused(self) -> None:
        for text in ("aoba", "192.0.2.1", "http://[::1]/", "-a.jp", "a..jp", "a b.jp", "株式会社", "a.jp; drop", "://"):
            self.assertEqual(self.refused(text), "no_domain", text)

    def test_nothing_is_refused(self) -> None:
        self.assertEqual(self.refused("  "), "empty")

    def test_mailboxes_for_everybody_are_refused(self) -> None:
        for text in ("gmail.com", "taro@docomo.ne.jp", "yahoo.co.jp", "t.vodafone.ne.jp", "outlook.com"):
            self.assertEqual(self.refused(text), "public_mail", text)

    def test_a_registry_is_refused(self) -> None:
        self.assertEqual(self.refused("co.jp"), "registry")

    def test_a_name_that_leaves_no_room_below_is_refused(self) -> None:
        self.assertEqual(self.refused(".".join(["a" * 60] * 4) + ".jp"), "no_domain")
