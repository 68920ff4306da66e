"""What the style sheets define, and what the templates use of it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
CSS = ROOT / "static/css"
TEMPLATES = ROOT / "templates"
# written by htmx and by the rich editor, or read by a parser alone
FOREIGN = {"htmx-indicator", "htmx-request", "htmx-settling", "htmx-added", "htmx-swapping", "tiptap", "lucide"}
FOREIGN |= {"prose-editor", "ProseMirror", "ProseMirror-trailingBreak", "ProseMirror-focused", "ProseMirror-separator"}
CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")


def sheets() -> list[Path]:
    """Return the style sheets in the order in which pages load them."""
    first = [CSS / name for name in ("tokens.css", "base.css", "layout.css")]
    return [*first, *sorted((CSS / "components").glob("*.css"))]


def rules(sheet: Path) -> str:
    """Return a style sheet without comments, strings and addresses."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    return re.sub(r'url\([^)]*\)|"[^"]*"', "", text)


@lru_cache
def classes() -> frozenset[str]:
    """Return every class that has a rule, and those that need none."""
    return frozenset(FOREIGN | {name for sheet in sheets() for name in CLASS.findall(rules(sheet))})


def classes_of(sheet: Path) -> set[str]:
    return set(CLASS.findall(rules(sheet))) - FOREIGN


def used() -> str:
    """Return the text of all templates and scripts, and of the code that names classes."""
    files = [*TEMPLATES.rglob("*.html"), *(ROOT / "static/js").glob("*.js")]
    return "\n".join(path.read_text() for path in [*files, *_code()])


def said_as_class() -> set[str]:
    """Return the words that stand in class attributes: a plain word elsewhere in a text says nothing."""
    text = "\n".join(path.read_text() for path in [*TEMPLATES.rglob("*.html"), *_code()])
    attributes = re.findall(r"""class(?:=|": )["']([^"]*)["']|return f?"(icon[^"]*)\"""", text)
    return {word for pair in attributes for one in pair for word in re.findall(r"[\w-]+", one)}


def _code() -> list[Path]:
    apps = ("accounts", "campaigns", "delivery", "reports", "mailsales")
    return [path for app in apps for path in (ROOT / app).rglob("*.py")]
