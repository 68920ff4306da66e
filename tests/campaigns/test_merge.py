from __future__ import annotations

from django.test import SimpleTestCase
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import merge

NAMES = st.sampled_from(["name", "address", "会社名", "points", "vip", "partial", "unknown"])
TEXTS = st.text(alphabet="あ漢ー<>&\"' \n{}%abc|:", max_size=8)
LITERALS = st.text(alphabet="お客様<&> x", max_size=5)
VALUES = st.dictionaries(
    NAMES, st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-5, 5), st.floats(0, 9), st.lists(TEXTS, max_size=2))
)
PLAIN = st.builds("{{{{ {} }}}}".format, NAMES)
DEFAULTED = st.builds('{{{{{} | default: "{}"}}}}'.format, NAMES, LITERALS)
RICHER = st.sampled_from(
    [
        "{% if name %}{{ name }}さま{% else %}皆さま{% endif %}",
        "{{- name -}}",
        "{% for one in (1..3) %}{{ one }}{{ points }}{% endfor %}",
        "{{ points | plus: 5 }}",
        "{{ name | upcase | default: '-' }}",
        "{% assign x = name %}{{ x }}",
        "{{ x }}",
        "{% raw %}{{ x }}{% endraw %}",
        "{% comment %}x{% endcomment %}",
        '{{ "{" }}',
        "{% capture y %}{{ name }}!{% endcapture %}{{ y }}",
        "{% case vip %}{% when true %}VIP{% else %}-{% endcase %}",
    ]
)
TEMPLATES = st.lists(st.one_of(LITERALS, PLAIN, DEFAULTED, RICHER), max_size=8).map("".join)


class PlanTestCase(SimpleTestCase):
    @given(source=TEMPLATES, values=VALUES, html=st.booleans())
    @settings(deadline=None, max_examples=400)
    def test_it_says_what_liquid_says(self, source: str, values: dict[str, object], html: bool) -> None:
        self.assertEqual(merge.compile(source, html=html).render(values), merge.render(source, values, html=html))

    def test_plain_tags_need_no_liquid(self) -> None:
        plan = merge.compile('{{ name | default: "お客様" }}様、{{points}}ポイント')
        name, points = merge.Field("name", "お客様", False), merge.Field("points", None, False)
        self.assertEqual(plan.pieces, (name, "様、", points, "ポイント"))

    def test_only_the_region_in_question_is_left_to_liquid(self) -> None:
        plan = merge.compile("{{ name }}{% if vip %}V{% endif %}!")
        self.assertEqual([type(piece) for piece in plan.pieces], [merge.Field, merge.Region, str])

    def test_html_escapes_values_and_text_does_not(self) -> None:
        values = {"name": '<b>"&'}
        self.assertEqual(merge.compile("{{ name }}", html=True).render(values), "&lt;b&gt;&#34;&amp;")
        self.assertEqual(merge.compile("{{ name }}").render(values), '<b>"&')

    def test_it_knows_what_everybody_sees(self) -> None:
        self.assertTrue(merge.compile("{% assign a = 1 %}{{ url }}").always_shows("url"))
        self.assertFalse(merge.compile("{% if a %}{{ url }}{% endif %}").always_shows("url"))


class MergeTestCase(SimpleTestCase):
    def advice(self, source: str) -> str:
        with override("en"):
            with self.assertRaises(merge.MergeError) as caught:
                merge.compile(source)
            return str(caught.exception)

    def test_an_open_tag_names_its_line(self) -> None:
        self.assertIn("Line 2: This merge tag is not complete.", self.advice("お世話に\n{{ name"))

    def test_typographic_quotes_are_refused(self) -> None:
        self.assertIn("not complete", self.advice("{{ name | default: “お客様” }}"))

    def test_an_unknown_filter_names_those_that_exist(self) -> None:
        self.assertRegex(self.advice("{{ name | shout }}"), "“shout”.*default, date")

    def test_a_missing_end_is_named(self) -> None:
        self.assertIn("“{% endif %}” is missing", self.advice("{% if name %}"))

    def test_files_cannot_be_read(self) -> None:
        for source in ("{% include 'x' %}", "{% render 'x' %}", "{% liquid\necho x %}"):
            self.assertIn("cannot be used here", self.advice(source))

    def test_escaping_cannot_be_switched_off(self) -> None:
        self.assertIn("“safe”", self.advice("{{ name | safe }}"))

    def test_a_long_range_is_refused_unseen(self) -> None:
        self.assertIn("less than 1,000", self.advice("{% for i in (1..100000000) reversed %}{% endfor %}"))

    def test_nothing_fills_the_memory(self) -> None:
        loop = "{% for i in (1..900) %}"
        for bomb in (
            loop * 3 + "x" + "{% endfor %}" * 3,
            "{% assign a = 'xxxxxxxxxx' %}" + loop + "{% assign a = a | append: a %}{% endfor %}",
            "{% assign n = 99 %}" + loop + "{% assign n = n | times: n %}{% endfor %}{{ n }}",
            '{{ "2026-01-01" | date: "%999999999d" }}',
            '{{ "' + "a" * 9999 + '" | replace: "a", "' + "b" * 9999 + '" }}',
        ):
            with self.assertRaises(merge.MergeError):
                merge.compile(bomb).render({})

    def test_what_is_never_closed_is_refused_at_once(self) -> None:
        for source in ("{{ ", "{% if ", "{% raw %}"):
            self.assertIn("Line 1", self.advice(source * 20_000))

    def test_blocks_cannot_go_deep(self) -> None:
        self.assertIn("too deep", self.advice("{% if a %}" * 50 + "{% endif %}" * 50))

    def test_tags_say_whether_each_use_has_a_default(self) -> None:
        source = (
            '{{ name | default: "x" }}{{ 会社名 }}{% if vip %}{{ name }}{% endif %}{{ points | default: 0 }}{{ now }}'
        )
        found = {tag.name: tag.has_default for tag in merge.tags_of(source)}
        self.assertEqual(found, {"name": False, "会社名": False, "vip": True, "points": True})

    @given(text=st.text(alphabet="{%}a\n", max_size=12))
    def test_a_literal_says_just_this(self, text: str) -> None:
        self.assertEqual(merge.compile(merge.literal(text) + " ").render({}), text + " ")


class MaskedTestCase(SimpleTestCase):
    def test_tags_come_back_as_they_were(self) -> None:
        html = (
            '<p title="{{ a | default: "x>" }}">{{ b }}</p><table>{% if c %}<tr><td>mt0n1v</td></tr>{% endif %}</table>'
        )
        masked = merge.Masked(html)
        self.assertNotIn("{", masked.html)
        self.assertEqual(masked.restored(masked.html), html)
