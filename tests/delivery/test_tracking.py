from __future__ import annotations

from django.test import SimpleTestCase

from delivery.tracking import PIXEL, TrackedLink, track


def links(html: str, text: str = "") -> list[str]:
    return [link.url for link in track(html, text).links]


class TrackTestCase(SimpleTestCase):
    def test_links_are_numbered_in_order_and_once_each(self) -> None:
        html = (
            "<a href=\"https://a.example/\">一</a><a href=https://b.example/>二</a><a href='https://a.example/'>三</a>"
        )
        found = track(html, "https://b.example/\nhttps://c.example/")
        self.assertEqual([link.url for link in found.links], [f"https://{name}.example/" for name in "abc"])
        expected = "<a href=\"{{ _link_1 }}\">一</a><a href={{ _link_2 }}>二</a><a href='{{ _link_1 }}'>三</a>"
        self.assertEqual(found.html, expected + PIXEL)
        self.assertEqual(found.text, "{{ _link_2 }}\n{{ _link_3 }}")

    def test_labels_are_the_first_words(self) -> None:
        html = (
            '<a href="https://a.example/"><b>新茶</b>&amp;\n器</a><a href="https://b.example/"><img alt="絵" src=x></a>'
        )
        self.assertEqual(track(html, "").links[0], TrackedLink(1, "https://a.example/", "新茶 & 器"))
        self.assertEqual(track(html, "").links[1].label, "絵")

    def test_entities_in_an_address_are_read(self) -> None:
        self.assertEqual(links('<a href="https://a.example/?a=1&amp;b=2">x</a>'), ["https://a.example/?a=1&b=2"])

    def test_other_links_stay(self) -> None:
        for href in ("mailto:a@b.jp", "tel:03", "#top", "{{ unsubscribe_url }}", "ftp://a.example/", ""):
            html = f'<a href="{href}">x</a>'
            self.assertEqual(track(html, "").html, html + PIXEL)

    def test_links_with_tags_in_their_address_stay(self) -> None:
        for url in ('https://a.example/?n={{ name | default: "x" }}', "https://a.example/{% if a %}b{% endif %}"):
            html = f'<a href="{url}">x</a>'
            found = track(html, f"見る {url} 次")
            self.assertEqual((found.html, found.text, found.links), (html + PIXEL, f"見る {url} 次", ()))

    def test_a_link_within_a_condition_is_tracked(self) -> None:
        found = track("", "{% if a %}https://a.example/{% else %}https://b.example/{% endif %}")
        self.assertEqual(found.text, "{% if a %}{{ _link_1 }}{% else %}{{ _link_2 }}{% endif %}")

    def test_comments_stay_but_outlooks_buttons_are_tracked(self) -> None:
        html = (
            '<!-- <a href="https://a.example/"> --><!--[if mso]><v:rect href="https://b.example/"></v:rect><![endif]-->'
        )
        self.assertEqual(links(html), ["https://b.example/"])

    def test_an_address_ends_where_japanese_or_punctuation_begins(self) -> None:
        for text in (
            "https://a.example/xをご覧",
            "（https://a.example/x）",
            "(https://a.example/x).",
            "https://a.example/x、",
            "<https://a.example/x>",
        ):
            self.assertEqual(links("", text), ["https://a.example/x"], text)

    def test_an_address_in_japanese_is_the_same_in_both_parts(self) -> None:
        found = track('<a href="https://例え.jp/お茶">x</a>', "https://例え.jp/お茶\nhttps://例え.jp/お茶?a=1")
        self.assertTrue(found.text.startswith("{{ _link_1 }}\n"))

    def test_a_longer_address_is_another(self) -> None:
        self.assertEqual(track('<a href="https://a.example/">x</a>', "https://a.example/b").text, "{{ _link_2 }}")
        self.assertEqual(
            track('<a href="https://a.example/">x</a>', "https://a.example/{{ b }}").text, "https://a.example/{{ b }}"
        )

    def test_the_pixel_stands_at_the_end_of_the_body(self) -> None:
        self.assertEqual(
            track("<body>a<!-- </body> --></body></html>", "").html, f"<body>a<!-- </body> -->{PIXEL}</body></html>"
        )
