"""Links and the pixel: found and numbered when a campaign is frozen, put in for each recipient when it is sent.

A rendition's parts hold `{{ _link_3 }}` where the third link was, and `{{ _open }}` in the pixel; they are merge tags
like any other, with names that no field of a contact has. Mail, telephone and unsubscribe links stay as they are, and so
does a link whose address itself holds merge tags: it goes out as rendered, uncounted.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator
from dataclasses import dataclass

from campaigns.merge import COMMENT, STYLE, TAG

LINK_FIELD, OPEN_FIELD = "_link_%d", "_open"
PIXEL = '<img src="{{ _open }}" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">'
LINK_PATH = "/c/"  # before the token; delivery/urls.py answers
PATHS = ("/u/", "/v/", "/o/")  # to unsubscribe, to see the mail in a browser, the pixel

ELEMENT = re.compile(r"""<(?:a|area|v:\w+)\s(?:[^"'<>]|"[^"]*"|'[^']*')*+>""", re.IGNORECASE)  # v: Outlook's buttons
HREF = re.compile(r"""\shref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)
UNSEEN = re.compile(rf"(?!<!--\[if){COMMENT.pattern}|{STYLE.pattern}", re.IGNORECASE | re.DOTALL)
MARKUP = re.compile(r"<[^>]*>")
ALT = re.compile(r"""\salt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
MASK, END = "\ue000", "\ue001"  # stand for each character of a merge tag, so that places stay; END for `{% end… %}`
ANOTHER_BRANCH = re.compile(r"\{%-?\s*(?:els|when)")
WEB = re.compile(rf"https?://[\w./?#\[\]@!$&'()*+,;=%~:{MASK}-]+", re.IGNORECASE | re.ASCII)
GOES_ON = re.compile(rf"{END}+[\w/?#&=%{MASK}-]", re.ASCII)
END_OF_BODY = re.compile(r"</body\s*>", re.IGNORECASE)
LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class TrackedLink:
    """One address that a campaign links to, however often. `label` is the text of its first link."""

    number: int
    url: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Tracked:
    """Both parts with merge tags where links were, and the links in order."""

    html: str
    text: str
    links: tuple[TrackedLink, ...]


def track(html: str, text: str) -> Tracked:
    """Return both parts with their links numbered in order of appearance, and the pixel at the end of the HTML."""
    numbers: dict[str, int] = {}
    labels: dict[str, str] = {}
    html_links = list(_html_links(html))
    for found in html_links:
        numbers.setdefault(found.url, len(numbers) + 1)
        labels[found.url] = labels.get(found.url) or found.label
    text_links = list(_text_links(text, list(numbers)))
    for found in text_links:
        numbers.setdefault(found.url, len(numbers) + 1)
    links = tuple(TrackedLink(number, url, labels.get(url, "")) for url, number in numbers.items())
    return Tracked(_with_pixel(_replaced(html, html_links, numbers)), _replaced(text, text_links, numbers), links)


# -- inside ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Place:
    """A link in a part: from where to where its address stands."""

    start: int
    stop: int
    url: str
    label: str = ""


def _masked(source: str, *patterns: re.Pattern[str]) -> str:
    source = TAG.sub(lambda tag: _mask(tag[0]) * len(tag[0]), source)
    for pattern in patterns:
        source = pattern.sub(lambda match: MASK * len(match[0]), source)
    return source


def _mask(tag: str) -> str:
    if ANOTHER_BRANCH.match(tag):
        return " "
    return END if re.match(r"\{%-?\s*end", tag) else MASK


def _html_links(html: str) -> Iterator[_Place]:
    masked = _masked(html, UNSEEN)
    for element in ELEMENT.finditer(masked):
        href = HREF.search(element[0])
        if not href:
            continue
        start, stop = href.span(href.lastindex or 0)
        url = markup.unescape(element[0][start:stop]).strip()
        if url.lower().startswith(("http://", "https://")) and not {MASK, END} & set(url):
            yield _Place(element.start() + start, element.start() + stop, url, _label(html, masked, element.end()))


def _label(html: str, masked: str, start: int) -> str:
    """Return what a reader sees of the link that begins here: its text, or the words for its picture."""
    end = re.compile(r"</a\b", re.IGNORECASE).search(masked, start)
    inside = html[start : end.start() if end else start]
    alt = ALT.search(inside)
    words = " ".join(markup.unescape(MARKUP.sub(" ", inside)).split())
    return (words or (markup.unescape(alt[1] or alt[2] or "") if alt else ""))[:LONGEST_LABEL]


def _text_links(text: str, known: list[str]) -> Iterator[_Place]:
    """Yield the web addresses in plain text, among them those of the HTML even if they hold Japanese."""
    longest_first = sorted(known, key=len, reverse=True)
    same = "|".join(re.escape(url) + rf"(?![\w/?#&=%{MASK}-])" for url in longest_first) or r"(?!)"
    masked = _masked(text)
    for match in re.compile(f"(?P<same>{same})|{WEB.pattern}", re.IGNORECASE | re.ASCII).finditer(masked):
        url = match[0] if match["same"] else match[0].rstrip(".,;:!?'")
        if url.endswith(")") and "(" not in url:
            url = url.rstrip(").")
        if MASK not in match[0] and not GOES_ON.match(masked, match.end()):
            yield _Place(match.start(), match.start() + len(url), url)


def _replaced(source: str, places: list[_Place], numbers: dict[str, int]) -> str:
    pieces, end = [], 0
    for place in places:
        pieces += [source[end : place.start], "{{ ", LINK_FIELD % numbers[place.url], " }}"]
        end = place.stop
    return "".join([*pieces, source[end:]])


def _with_pixel(html: str) -> str:
    ends = [match.start() for match in END_OF_BODY.finditer(_masked(html, UNSEEN))]
    at = ends[-1] if ends else len(html)
    return html[:at] + PIXEL + html[at:]
