from __future__ import annotations

from django.test import SimpleTestCase

from mailsales.addresses import BadAddress, clean_address, on_the_wire


class AddressesTestCase(SimpleTestCase):
    def test_full_width_is_folded(self) -> None:
        self.assertEqual(clean_address("　ＴＡＲＯ＠Example.JP "), "TARO@example.jp")

    def test_old_carrier_addresses_are_taken(self) -> None:
        for address in ("abc.@docomo.ne.jp", "a..b@docomo.ne.jp", ".abc@ezweb.ne.jp", "a.@t.vodafone.ne.jp"):
            self.assertEqual(clean_address(address), address)
            local, _at, domain = address.rpartition("@")
            self.assertEqual(on_the_wire(address), f'"{local}"@{domain}')

    def test_elsewhere_such_a_local_part_is_refused(self) -> None:
        with self.assertRaises(BadAddress):
            clean_address("abc.@example.jp")

    def test_it_says_what_is_wrong(self) -> None:
        for text, reason in (
            ("", "empty"),
            ("suzuki.example.jp", "no_at"),
            ("tanaka@example", "cut_off"),
            ("a b@example.jp", "not_an_address"),
        ):
            with self.assertRaises(BadAddress) as caught:
                clean_address(text)
            self.assertEqual(caught.exception.reason, reason, text)

    def test_a_japanese_domain_becomes_an_a_label(self) -> None:
        self.assertEqual(clean_address("info@日本語.jp"), "info@xn--wgv71a119e.jp")
