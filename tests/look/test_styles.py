from __future__ import annotations

import re
from unittest import TestCase

from tests.look import styles

COLOUR = re.compile(r"#[0-9a-f]{3,8}\b(?=[^{}]*;)|\brgba?\(|light-dark\(")


class StylesTest(TestCase):
    def test_every_class_is_used(self) -> None:
        text, words = styles.used(), styles.said_as_class()
        unused = {
            f"{sheet.name}: .{name}"
            for sheet in styles.sheets()
            for name in styles.classes_of(sheet)
            if not (is_used(name, text) if "__" in name or "-" in name else name in words)
        }
        self.assertEqual(sorted(unused), [])

    def test_colours_stand_in_the_tokens_alone(self) -> None:
        elsewhere = [sheet.name for sheet in styles.sheets()[1:] if COLOUR.search(styles.rules(sheet))]
        self.assertEqual(elsewhere, [])

    def test_no_sheet_is_too_long(self) -> None:
        self.assertEqual([sheet.name for sheet in styles.sheets() if sheet.read_text().count("\n") > 200], [])

    def test_pages_load_every_sheet_in_order(self) -> None:
        linked = re.findall(r"css/([\w/]+\.css)", (styles.TEMPLATES / "_stylesheets.html").read_text())
        self.assertEqual(linked, [str(sheet.relative_to(styles.CSS)) for sheet in styles.sheets()])

    def test_all_sheets_together_are_small(self) -> None:
        self.assertLess(sum(sheet.stat().st_size for sheet in styles.sheets()), 96 * 1024)

    def test_no_template_is_too_long(self) -> None:
        long = [
            path.name
            for path in styles.TEMPLATES.rglob("*.html")
            if path.read_text().count("\n")
            > (40 if path.name.startswith("_") and path.name != "_stylesheets.html" else 120)
        ]
        self.assertEqual(long, [])

    def test_no_template_has_inline_style_or_script(self) -> None:
        inline = re.compile(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*src=)")
        found = [path.name for path in styles.TEMPLATES.rglob("*.html") if inline.search(path.read_text())]
        self.assertEqual(found, [])


def is_used(name: str, text: str) -> bool:
    """Return whether a class, or the part of it that a template puts together (`badge--{{ tone }}`), is used."""
    stem = re.match(r"(.*--|[cs]-)", name)
    made = [f"{stem[1]}{{{{", f"{stem[1]}{{%", f"{stem[1]}{{"] if stem else []
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)) or any(one in text for one in made)
