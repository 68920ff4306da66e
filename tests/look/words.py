"""Which words the code and the templates ask for, and which the catalogue has."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Message
from babel.messages.extract import extract
from django.conf import settings
from django.utils.translation.template import templatize

ROOT: Path = settings.BASE_DIR
CATALOGUE = ROOT / "locale/ja/LC_MESSAGES/django.po"
APPS = ("mailsales", "accounts", "campaigns", "delivery", "reports")
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
Key = tuple[str | None, str]  # context and msgid


def used() -> set[Key]:
    """Return every word that templates and Python code ask for."""
    found = set()
    for source in _sources():
        options = {"encoding": "utf-8"}
        for _line, message, _comments, context in extract("python", source, keywords=KEYWORDS, options=options):
            found.add((context, message if isinstance(message, str) else message[0]))
    return found


def known() -> dict[Key, Message]:
    """Return every word of the catalogue."""
    return {
        (message.context, message.id if isinstance(message.id, str) else message.id[0]): message
        for message in pofile.read_po(io.BytesIO(CATALOGUE.read_bytes()))
        if message.id
    }


def translations(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or [""])


def _sources() -> Iterator[io.BytesIO]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            yield io.BytesIO(path.read_bytes())
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")]:
        text = templatize(path.read_text(), origin=str(path))
        yield io.BytesIO(re.sub(r"\n\s*", "\n", text).encode())
