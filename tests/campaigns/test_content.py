from __future__ import annotations

from time import process_time

from django.test import SimpleTestCase
from django.utils.translation import override

from campaigns.cleaning import clean_code, clean_rich
from campaigns.content import Imprint, Parts, Source, finish, preview, warnings_of
from campaigns.plaintext import text_of

IMPRINT = Imprint("青葉商店", "〒980-0000 宮城県仙台市青葉区1-2-3", "soudan@aoba.example.jp")
TAG = '{{ name | default: "お客様" }}'


class CleanRichTestCase(SimpleTestCase):
    def test_it_keeps_what_mail_needs(self) -> None:
        html = '<p style="color:red">新<strong>茶</strong> <a href="tel:0312345678">電話</a><img src="https://a.example/x.png" alt="茶"></p>'
        self.assertEqual(clean_rich(html), html)

    def test_it_drops_what_runs(self) -> None:
        html = '<p onclick="x()">a<script>x</script><a href="javascript:x">b</a><iframe src="x"></iframe><!-- c --></p>'
        self.assertEqual(clean_rich(html), "<p>a<a>b</a></p>")

    def test_it_drops_styles_that_cover_the_page(self) -> None:
        self.assertEqual(clean_rich('<p style="position:fixed;color:red">a</p>'), '<p style="color:red">a</p>')

    def test_tags_survive_in_text_and_attributes(self) -> None:
        html = f'<p title="{TAG}">{TAG} <a href="https://a.example/?n={TAG}&amp;b=1">x</a></p>'
        self.assertEqual(clean_rich(html), html)

    def test_a_tag_that_the_editor_escaped_or_formatted_is_mended(self) -> None:
        html = "<p>{{ <b>name</b>&nbsp;| default: &quot;x&quot; }}{% if a &gt; 1 %}1{% endif %}</p>"
        self.assertEqual(clean_rich(html), '<p>{{ name | default: "x" }}{% if a > 1 %}1{% endif %}</p>')

    def test_conditions_stay_between_the_rows_of_a_table(self) -> None:
        html = "<table><tbody>{% if vip %}<tr><td>会員</td></tr>{% endif %}</tbody></table>"
        self.assertEqual(clean_rich(html), html)


class CleanCodeTestCase(SimpleTestCase):
    def test_it_stays_as_written(self) -> None:
        html = f"""<!DOCTYPE html>
<HTML><head><style>a > b {{ color : red }}</style><!--[if mso]><xml></xml><![endif]--></head>
<body bgcolor=white><P>&nbsp;&copy; {TAG} <br/><a HREF='https://a.example/?a=1&b={TAG}'>x</a>{{% if a < 1 %}}<tr>{{% endif %}}"""
        self.assertEqual(clean_code(html), html)

    def test_it_drops_what_runs(self) -> None:
        cases = {
            "a<script>x</script>b": "ab",
            "a<SCRIPT src=x>": "a",
            "<form action=x><p>a</p><input></form>": "<p>a</p>",
            "<iframe><b>x</b></iframe>a": "a",
            "<object><object></object>x</object>a": "a",
            '<body onload="x()" class=c>': '<body class="c">',
            '<a href=" java&#10;script:x">a</a>': "<a>a</a>",
            '<meta http-equiv="Refresh" content="0"><base href=x>a': "a",
            "<!--[if IE]><script>x</script><![endif]-->a": "a",
            "<scr<script></script>ipt>": "<scr<script>ipt>",
        }
        for html, cleaned in cases.items():
            with self.subTest(html):
                self.assertEqual(clean_code(html), cleaned)


class TextTestCase(SimpleTestCase):
    def test_links_stand_below_their_words(self) -> None:
        html = '<p>詳しくは<a href="https://a.example/?a=1&amp;b=2">こちら</a>。</p><p>次</p>'
        self.assertEqual(text_of(html), "詳しくはこちら\nhttps://a.example/?a=1&b=2\n\n次")

    def test_an_address_as_its_own_words_stands_once(self) -> None:
        self.assertEqual(text_of('<a href="https://a.example/">https://a.example/</a>'), "https://a.example/")

    def test_line_ends_between_japanese_characters_vanish(self) -> None:
        self.assertEqual(text_of("<p>新しい\n  お茶の\n<b>ご案内</b> new\ntea</p>"), "新しいお茶のご案内 new tea")

    def test_headings_lists_and_rules_have_marks(self) -> None:
        html = (
            '<h1>春</h1><ul><li>一<ul><li>内</li></ul></li></ul><ol start="3"><li>三</li><li>四</li></ol><hr><p>末</p>'
        )
        self.assertEqual(text_of(html), f"■ 春\n\n・一\n  ・内\n\n3. 三\n4. 四\n\n{'―' * 12}\n\n末")

    def test_tables_become_lines(self) -> None:
        html = "<table><tr><th>会員</th><td>{{ number }}</td></tr><tr><th>名</th><td>花子</td></tr></table>"
        self.assertEqual(text_of(html), "会員　{{ number }}\n名　花子")

    def test_pictures_speak_and_hidden_words_do_not(self) -> None:
        html = '<style>p{}</style><div style="display:none">秘</div><a href="https://a.example/"><img alt="茶"></a>'
        self.assertEqual(text_of(html), "茶\nhttps://a.example/")

    def test_mail_and_telephone_links_show_what_they_reach(self) -> None:
        html = '<a href="mailto:a@b.jp?subject=x">連絡</a> <a href="tel:03-1">03-1</a> <a href="#top">上</a>'
        self.assertEqual(text_of(html), "連絡（a@b.jp） 03-1 上")

    def test_tags_stay_and_conditions_leave_no_gaps(self) -> None:
        html = f"<p>{TAG}様</p>{{% if vip %}}<p>会員</p>{{% endif %}}<p>末</p>"
        self.assertEqual(text_of(html), f"{TAG}様{{% if vip %}}\n\n会員{{% endif %}}\n\n末")

    def test_conditions_at_the_edges_of_a_document_stay(self) -> None:
        html = "{% assign a = 1 %}<html><head>{% if a %}{% endif %}</head><body>{% if a %}<p>x</p></body></html>{% endif %}"
        self.assertEqual(text_of(html), "{% assign a = 1 %}{% if a %}{% endif %}{% if a %}x{% endif %}")


class HostileTestCase(SimpleTestCase):
    def test_no_source_makes_it_slow(self) -> None:
        for piece in ("{{", "<a ", '<a "', "<!--", "<style>", "<div>", "<ul><li>", "<a href='http://x' '", "<form>"):
            with self.subTest(piece):
                html, began = piece * 4_000, process_time()
                text_of(clean_rich(html) + clean_code(html))
                self.assertLess(process_time() - began, 3)


class FinishTestCase(SimpleTestCase):
    def finished(self, html: str = "<p>本文</p>", **fields: object) -> Parts:
        return finish(Source("件名", html, **fields), IMPRINT)  # type: ignore[arg-type]

    def test_both_parts_say_who_sends_and_how_to_refuse(self) -> None:
        parts = self.finished()
        for part in (parts.html, parts.text):
            for words in ("青葉商店", "〒980-0000 宮城県仙台市青葉区1-2-3", "お問い合わせ：", "soudan@aoba.example.jp"):
                self.assertIn(words, part)
            self.assertIn("{{ unsubscribe_url }}", part)
        self.assertIn("配信を停止する", parts.html)

    def test_the_footer_speaks_english_to_english_readers(self) -> None:
        imprint = Imprint("Aoba", "1-2-3 Sendai", "a@b.jp", "en")
        self.assertIn("Unsubscribe from emails", finish(Source("s", "<p>a</p>"), imprint).html)

    def test_nothing_is_said_twice(self) -> None:
        for is_code in (True, False):
            first = self.finished(is_code=is_code)
            again = self.finished(first.html, text=first.text, is_code=True)
            self.assertEqual(again, first)

    def test_an_own_link_is_enough_but_the_sender_is_still_named(self) -> None:
        html = self.finished('<p><a href="{{ unsubscribe_url }}">やめる</a></p>').html
        self.assertEqual(html.count("unsubscribe_url"), 1)
        self.assertIn("青葉商店", html)

    def test_a_link_that_some_do_not_see_is_not_enough(self) -> None:
        for html in (
            '{% if vip %}<a href="{{ unsubscribe_url }}">x</a>{% endif %}',
            '<!-- <a href="{{ unsubscribe_url }}">x</a> -->',
        ):
            self.assertEqual(self.finished(html, is_code=True).html.count('<a href="{{ unsubscribe_url }}" style'), 1)

    def test_a_whole_document_stays_and_a_fragment_is_wrapped(self) -> None:
        html = self.finished("<html><body><p>a</p></body></html>", is_code=True).html
        self.assertTrue(html.startswith("<html><body><p>a</p><div"))
        self.assertTrue(html.endswith("</div></body></html>"))
        self.assertTrue(self.finished("<p>a</p>", is_code=True).html.startswith('<!DOCTYPE html>\n<html lang="ja">'))

    def test_the_preheader_is_hidden_at_the_top_with_its_tags(self) -> None:
        html = self.finished(preheader=f"{TAG}へ & <お得>").html
        self.assertRegex(
            html, r"<body[^>]*><div style=\"display:none[^>]*>" + f"{TAG}へ &amp; &lt;お得&gt;".replace("|", r"\|")
        )

    def test_an_own_text_is_kept(self) -> None:
        self.assertTrue(self.finished(text="自分の文\r\n二行目").text.startswith("自分の文\n二行目\n\n―"))

    def test_braces_in_the_senders_name_are_no_tags(self) -> None:
        parts = finish(Source("s", "<p>a</p>"), Imprint("{{ name }}", "住所", "a@b.jp"))
        shown = preview(parts, {"name": "花子"})
        self.assertIn("{{ name }}", shown.text)
        self.assertIn("&#123;&#123; name }}", shown.html)


class PreviewTestCase(SimpleTestCase):
    def test_it_fills_in_what_is_known(self) -> None:
        parts = Parts("{{ name }}様", f"<p>{TAG}</p>", f"{TAG} {{{{ unsubscribe_url }}}}")
        self.assertEqual(preview(parts, {"name": "<花>"}), Parts("<花>様", "<p>&lt;花&gt;</p>", "<花> #"))
        self.assertEqual(preview(parts, {}).html, "<p>お客様</p>")


class WarningsTestCase(SimpleTestCase):
    def codes(self, parts: Parts) -> list[str]:
        return [warning.code for warning in warnings_of(parts)]

    def test_an_ordinary_mail_has_none(self) -> None:
        self.assertEqual(self.codes(Parts("カタカナ", "<p>〒（株）</p>", "〒（株）～")), [])

    def test_a_long_html_is_clipped(self) -> None:
        self.assertEqual(self.codes(Parts("", "あ" * 34_817, "")), ["size"])
        self.assertEqual(self.codes(Parts("", "あ" * 34_816, "")), [])

    def test_characters_that_break_are_named(self) -> None:
        with override("en"):
            found = warnings_of(Parts("ｶﾀｶﾅ", "", "①㈱①"))
        self.assertEqual([warning.code for warning in found], ["half_width", "vendor"])
        self.assertIn("①㈱", found[1].text)
