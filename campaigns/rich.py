"""The rich editor: what it can hold, and what it needs from the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from django import forms
from django_prose_editor.config import expand_extensions
from django_prose_editor.widgets import importmap, prose_editor_js
from js_asset import Media

from campaigns.merge import TAG, Masked

EXTENSIONS: dict[str, Any] = {
    **dict.fromkeys(("Bold", "Italic", "Underline", "Strike", "HardBreak", "Blockquote", "HorizontalRule"), True),
    **dict.fromkeys(("BulletList", "OrderedList", "ListItem", "Image"), True),
    "Heading": {"levels": [1, 2, 3]},
    "Link": {"enableTarget": False, "openOnClick": False},
    "Menu": False,  # the toolbar is ours
    "NoSpellCheck": False,
}
HOLDS: dict[str, set[str]] = {
    **{tag: set() for tag in ("p", "h1", "h2", "h3", "ul", "li", "blockquote", "hr", "br")},
    **{tag: set() for tag in ("strong", "b", "em", "i", "u", "s")},
    "ol": {"start", "type"},
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title", "width", "height"},
}
# The one <style> that Tiptap puts into the page. tests/look/test_editor.py says what it must be after an update.
STYLE_HASH = "'sha256-PlumsSlvJ7vvWzjqibGAYKq92O3y/4JTxWWsWJvyUYA='"


class RichText(forms.Textarea):
    """A text area that `static/js/editor.js` turns into the rich editor. Its style is ours, so no style sheet comes along."""

    def __init__(self) -> None:
        config = {"extensions": expand_extensions(EXTENSIONS)}
        super().__init__(attrs={"rows": 20, "data-rich": json.dumps(config, separators=(",", ":"))})


def editor_media(nonce: str) -> Media:
    """Return the import map and the editor's module, which must come before any other module of the page."""
    return Media(importmap=importmap, js=[prose_editor_js]).with_nonce(nonce)


def is_held(html: str) -> bool:
    """Return whether the rich editor gives this HTML back without losing anything."""
    reader = _Reader()
    reader.feed(Masked(html).html)
    reader.close()
    return reader.is_held and not any(tag.startswith("{%") for tag in TAG.findall(html))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.is_held = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in HOLDS or {name for name, _value in attrs} - HOLDS[tag]:
            self.is_held = False

    def handle_comment(self, data: str) -> None:
        self.is_held = False

    def handle_decl(self, decl: str) -> None:
        self.is_held = False
