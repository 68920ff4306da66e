"""What may stand in a mail's HTML.

The rich editor's HTML is rebuilt from what is allowed; HTML written as code stays letter for letter as written, but for
what no mail client runs and spam filters punish: scripts, handlers, forms, frames and plug-ins.
"""

from __future__ import annotations

import html as markup
import re
from html.parser import HTMLParser

import nh3

from campaigns.merge import COMMENT, TAG, Masked

BLOCKS = {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "hr", "br", "center"}
WORDS = {"a", "span", "strong", "b", "em", "i", "u", "s", "small", "sub", "sup", "code", "font", "img"}
TABLES = {"table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"}
ATTRIBUTES = {
    "*": {"style", "class", "align", "valign", "width", "height", "bgcolor", "dir", "lang", "title", "role"},
    "a": {"href", "name", "target"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "col": {"span"},
    "ol": {"start", "type"},
    "font": {"color", "face", "size"},
}
SIDES = ("top", "right", "bottom", "left")
STYLES = {
    *(
        "color",
        "background-color",
        "opacity",
        "vertical-align",
        "display",
        "white-space",
        "word-break",
        "overflow-wrap",
    ),
    *("font", "font-family", "font-size", "font-style", "font-weight", "line-height", "letter-spacing"),
    *("text-align", "text-decoration", "text-indent", "list-style-type", "border-collapse", "border-spacing"),
    *("width", "height", "max-width", "min-width", "max-height", "table-layout", "float", "clear"),
    *("border", "border-color", "border-style", "border-width", "border-radius", "margin", "padding"),
    *(f"{what}-{side}" for what in ("margin", "padding", "border") for side in SIDES),
}
SCHEMES = {"http", "https", "mailto", "tel"}

GONE_WITH_CONTENT = {"script", "iframe", "object", "applet", "select", "textarea", "noscript", "frameset"}
GONE = {"form", "input", "button", "option", "label", "fieldset", "embed", "base", "link", "frame", "param", "dialog"}
ADDRESSES = {"href", "src", "action", "formaction", "background", "xlink:href", "poster"}
RUNS = re.compile(r"(?:javascript|vbscript|data:text/html|data:image/svg)", re.IGNORECASE)
RISKY = re.compile(r"<\s*(?:script|iframe|object|embed|form|applet)\b", re.IGNORECASE)


def clean_rich(html: str) -> str:
    """Return the rich editor's HTML with nothing in it but what mail needs. Merge tags survive, wherever they stand."""
    masked = Masked(TAG.sub(_unformatted, html))
    cleaned = nh3.clean(
        masked.html,
        tags=BLOCKS | WORDS | TABLES,
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        filter_style_properties=STYLES,
        strip_comments=False,
        link_rel=None,
    )
    return masked.restored(COMMENT.sub(lambda comment: comment[0] if masked.owns(comment[0]) else "", cleaned))


def clean_code(html: str) -> str:
    """Return HTML as it was written, without scripts, handlers, forms, frames and plug-ins."""
    masked = Masked(TAG.sub(lambda tag: markup.unescape(tag[0]), html))
    before, after = None, masked.html
    while after != before:  # what is left when something was cut out may be new
        before, after = after, _Cutter(after).rest()
    return masked.restored(after)


# -- inside ------------------------------------------------------------------------------------


def _unformatted(tag: re.Match[str]) -> str:
    """Return a merge tag as it was meant, when an editor escaped it or put a part of it in bold."""
    return markup.unescape(re.sub(r"</?[a-z][^>]*>", "", tag[0])).replace("\xa0", " ")


class _Cutter(HTMLParser):
    """Finds the pieces of a source that must go, and leaves all others as they are."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self._source = source
        self._lines = [0, *(match.end() for match in re.finditer("\n", source))]
        self._cuts: list[tuple[int, int, str]] = []
        self._inside: list[tuple[str, int]] = []  # elements that go with their content, and where they begin
        self.feed(source[: source.rfind(">") + 1])  # no element ends after it, and HTMLParser is slow to notice
        self.close()

    def rest(self) -> str:
        cuts = [*self._cuts, *((start, len(self._source), "") for _tag, start in self._inside[:1])]
        pieces, end = [], 0
        for start, stop, instead in sorted(cuts):
            if start >= end:
                pieces += [self._source[end:start], instead]
                end = stop
        return "".join([*pieces, self._source[end:]])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start, written = self._here(), self.get_starttag_text() or ""
        if tag in GONE_WITH_CONTENT:
            self._inside.append((tag, start))
        elif tag in GONE or (tag == "meta" and ("http-equiv", "refresh") in [(n, (v or "").lower()) for n, v in attrs]):
            self._cuts.append((start, start + len(written), ""))
        elif any(_is_risky(name, value) for name, value in attrs):
            self._cuts.append((start, start + len(written), _rebuilt(tag, attrs, written)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        start = self._here()
        stop = self._source.find(">", start) + 1 or len(self._source)
        if self._inside and self._inside[-1][0] == tag:
            self._cuts.append((self._inside.pop()[1], stop, ""))
        elif tag in GONE | GONE_WITH_CONTENT:
            self._cuts.append((start, stop, ""))

    def handle_comment(self, data: str) -> None:
        if RISKY.search(data):
            start = self._here()
            stop = self._source.find("-->", start) + 3
            self._cuts.append((start, stop if stop > 2 else len(self._source), ""))

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column


def _is_risky(name: str, value: str | None) -> bool:
    return (
        name.startswith("on")
        or name == "srcdoc"
        or (name in ADDRESSES and bool(RUNS.match(re.sub(r"[\x00-\x20]", "", value or ""))))
    )


def _rebuilt(tag: str, attrs: list[tuple[str, str | None]], written: str) -> str:
    kept = [
        f" {name}" if value is None else f' {name}="{markup.escape(value)}"'
        for name, value in attrs
        if not _is_risky(name, value)
    ]
    return f"<{tag}{''.join(kept)}{' /' if written.endswith('/>') else ''}>"
