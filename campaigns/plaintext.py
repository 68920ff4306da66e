"""The text alternative of an HTML mail: what it says, for readers and filters that want no HTML.

Headings get a mark, list items a dot, links their address on the line below, tables become lines. Line ends between
Japanese characters vanish instead of becoming blanks, and no line is wrapped: readers do that better.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from campaigns.merge import COMMENT, Masked

SKIPPED = {"head", "style", "script", "title", "template", "noscript", "object", "iframe"}
HEADINGS = {"h1": "■ ", "h2": "■ ", "h3": "● ", "h4": "● ", "h5": "● ", "h6": "● "}
APART = {"p", "ul", "ol", "dl", "table", "blockquote", "pre", "figure", "hr", *HEADINGS}  # a blank line around them
OWN_LINE = {
    "div",
    "li",
    "tr",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "center",
    "dt",
    "dd",
    "caption",
    "form",
}
DEEPEST = 100  # elements within each other; what is deeper gives its words alone
RULE = "―" * 12
WIDE = r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]"
LINE_END = "\u2028"  # of the source: a blank, or nothing between Japanese characters
JOINED = re.compile(rf"(?<={WIDE}){LINE_END}(?={WIDE})")
BODY, END = re.compile(r"<body\b", re.IGNORECASE), re.compile(r"</(?:body|html)\s*>", re.IGNORECASE)
HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden", re.IGNORECASE)


def text_of(html: str) -> str:
    """Return the text of an HTML body. Merge tags stay what they are, and stay in their order."""
    masked = Masked(html)
    start = BODY.search(masked.html)
    before, rest = (
        (masked.html[: start.start()], masked.html[start.start() :]) if start else ("", "<body>" + masked.html)
    )
    conditions = "".join(comment for comment in COMMENT.findall(before) if masked.owns(comment))
    body = LexborHTMLParser(END.sub("", rest)).body
    writer = _Writer(masked)
    if body is not None:
        writer.children(body)
    return masked.restored(conditions + writer.text())


# -- inside ------------------------------------------------------------------------------------


class _Writer:
    """Walks the tree and writes lines."""

    def __init__(self, masked: Masked, depth: int = 0) -> None:
        self._masked, self._depth = masked, depth
        self._out: list[str] = []
        self._has_begun = False  # with words; conditions alone need no line ends
        self._ends = 0  # line ends at the end of what is written
        self._owed = 0  # line ends that the next word must have before it
        self._is_after_link = False  # then a full stop has nothing to end
        self._lists: list[int] = []  # for each list around: the number of its last item, or -1 without numbers

    def text(self) -> str:
        joined = JOINED.sub("", "".join(self._out)).replace(LINE_END, " ")
        return "\n".join(line.rstrip(" ") for line in joined.split("\n")).strip("\n")

    def children(self, node: LexborNode) -> None:
        if self._depth > DEEPEST:
            self._words(node.text(separator=" "))
            return
        self._depth += 1
        child = node.child
        while child is not None:
            self._node(child)
            child = child.next
        self._depth -= 1

    def _node(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self._words(node.text(deep=False))
        elif tag == "-comment":
            self._out += [node.html or ""] if self._masked.owns(node.html or "") else []
        elif tag not in SKIPPED and not HIDDEN.search(node.attributes.get("style") or ""):
            self._element(node, tag)

    def _element(self, node: LexborNode, tag: str) -> None:
        lines = 1 if tag in OWN_LINE or (tag in ("ul", "ol") and self._lists) else 2 if tag in APART else 0
        self._break(lines)
        if tag == "br":
            self._put("\n")
        elif tag == "img":
            self._words(node.attributes.get("alt") or "")
        elif tag == "a":
            self._link(node)
        elif tag in ("ul", "ol"):
            self._list(node, tag)
        elif tag in ("td", "th"):
            self._cell(node)
        else:
            self._put(self._mark(node, tag))
            self.children(node)
        self._break(lines)

    def _mark(self, node: LexborNode, tag: str) -> str:
        """Return what stands before the words of a heading, an item or a rule."""
        if tag == "hr":
            return RULE
        if tag == "li":
            number = self._lists[-1] + 1 if self._lists else 0
            if number and self._lists:
                self._lists[-1] = number
            return "  " * (len(self._lists) - 1) + (f"{number}. " if number else "・")
        return HEADINGS.get(tag, "") if tag in HEADINGS and node.text().strip() else ""

    def _list(self, node: LexborNode, tag: str) -> None:
        start = node.attributes.get("start") or "1"
        self._lists.append(int(start) - 1 if tag == "ol" and start.isdecimal() else 0 if tag == "ol" else -1)
        self.children(node)
        self._lists.pop()

    def _link(self, node: LexborNode) -> None:
        inside = _Writer(self._masked, self._depth)
        inside.children(node)
        words, target = inside.text(), (node.attributes.get("href") or "").strip()
        scheme, _, rest = target.partition(":")
        if not target or target.startswith("#"):
            self._put(words)
        elif scheme in ("mailto", "tel"):
            reached = rest.partition("?")[0]
            self._put(words if reached in words else f"{words}（{reached}）" if words else reached)
        else:
            self._put("" if words in (target, rest.strip("/")) else words)
            self._break(1)
            self._put(target)
            self._break(1)
            self._is_after_link = True

    def _cell(self, node: LexborNode) -> None:
        """Write a cell: beside the one before it in a table of words, below it in a table that only places things."""
        before = node.prev
        while before is not None and before.tag not in ("td", "th"):
            before = before.prev
        if _is_layout(node):
            self._break(1)
        elif before is not None and not self._owed and not self._ends:
            self._put("　")
        self.children(node)
        if _is_layout(node):
            self._break(1)

    def _words(self, text: str) -> None:
        text = re.sub(r"[ \t\f]*[\r\n][ \t\r\n\f]*", LINE_END, text.replace("\xa0", " "))
        text = re.sub(r"[ \t\f]+", " ", text)
        if self._owed or self._ends or not self._has_begun:
            text = text.lstrip(" " + LINE_END + ("。、" if self._is_after_link else ""))
        self._put(text)

    def _put(self, text: str) -> None:
        if not text:
            return
        if self._has_begun and text != "\n":
            self._out.append("\n" * (self._owed - self._ends))
        self._owed = 0 if text != "\n" else self._owed
        self._is_after_link = False
        self._out.append(text)
        self._has_begun = True
        self._ends = self._ends + 1 if text == "\n" else 0

    def _break(self, lines: int) -> None:
        self._owed = max(self._owed, lines) if self._has_begun else 0


def _is_layout(cell: LexborNode) -> bool:
    row = cell.parent
    table = row.parent if row else None
    while table is not None and table.tag != "table":
        table = table.parent
    is_presentation = table is not None and table.attributes.get("role") in ("presentation", "none")
    return is_presentation or cell.css_first("table, p, div, h1, h2, h3, h4, ul, ol, img, a") is not None
