from __future__ import annotations

from unittest import TestCase

from campaigns.rich import is_held


class RichTest(TestCase):
    def test_what_it_holds(self) -> None:
        for html in (
            "",
            '<p>{{ name | default: "お客様" }} 様</p>',
            '<h2>新茶</h2><ul><li><p><strong>宇治</strong></p></li></ul><p><a href="https://example.jp/">見る</a></p>',
            '<p><a href="{{ unsubscribe_url }}">停止</a></p><hr><blockquote><p>香り</p></blockquote>',
        ):
            with self.subTest(html):
                self.assertTrue(is_held(html))

    def test_what_it_would_lose(self) -> None:
        for html in (
            "<table><tr><td>新茶</td></tr></table>",
            '<p style="color: red">新茶</p>',
            "<!-- 秋 --><p>新茶</p>",
            "<!doctype html><html><body><p>新茶</p></body></html>",
            "{% if name %}<p>{{ name }}</p>{% endif %}",
        ):
            with self.subTest(html):
                self.assertFalse(is_held(html))
