"""From what a marketer wrote to what is sent: both parts, complete with preheader and the footer that the law asks for.

特定電子メール法 (the act on regulation of e-mail, art. 4): every mail names its sender, postal address, a contact for complaints, and
a way to refuse further mail. Whatever of this the body does not show by itself is put at its end, in both parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import override
from markupsafe import escape

from campaigns import merge
from campaigns.cleaning import clean_code, clean_rich
from campaigns.plaintext import RULE, text_of

LARGEST_HTML = 102 * 1024  # bytes; Gmail shows no more (docs/design.md)
UNSUBSCRIBE = "unsubscribe_url"
SHOWN_LINK = re.compile(r"""<a\s[^>]*?\bhref\s*=\s*["']?\s*\{\{-?\s*unsubscribe_url\b""", re.IGNORECASE)
BODY = re.compile(r"<body\b(?:[^\"'<>]|\"[^\"]*\"|'[^']*')*+>", re.IGNORECASE)
END = re.compile(r"</body\s*>|</html\s*>", re.IGNORECASE)
HALF_WIDTH = re.compile(r"[\uff66-\uff9f]")
VENDOR = re.compile(
    r"[\u2460-\u2473\u2160-\u2169\u2170-\u2179\u2116\u2121\u3231\u3232\u3239\u32a4-\u32a8\u3303-\u33cd\u337b-\u337e]"
)
SEEN_PADDING = "&zwnj;&nbsp;" * 40  # keeps the body's first words out of the inbox's preview line

DOCUMENT = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin:0;padding:0;background-color:#ffffff">
<div style="max-width:600px;margin:0 auto;padding:24px 16px;font-family:'Hiragino Sans','Noto Sans JP',Meiryo,sans-serif;font-size:16px;line-height:1.8;color:#222222">
{body}
</div>
</body>
</html>
"""
PREHEADER = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;color:#ffffff">{text}{padding}</div>'
FOOTER = '<div style="margin:32px auto 0;max-width:600px;padding:16px;border-top:1px solid #d0d0d0;font-size:12px;line-height:1.7;color:#555555">{lines}</div>'
LINK = '<a href="{url}" style="color:#555555;text-decoration:underline">{words}</a>'


@dataclass(frozen=True, slots=True)
class Source:
    """What a marketer wrote. `text` is empty when it is to be made from the HTML."""

    subject: str
    html: str
    text: str = ""
    preheader: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who sends, as the law wants it said. `contact_address` takes complaints."""

    sender_name: str
    postal_address: str
    contact_address: str
    language: str = "ja"


@dataclass(frozen=True, slots=True)
class Parts:
    """A subject and both parts: templates as `finish` returns them, texts as `preview` does."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Caution:
    """Something to look at before sending. `code` is for the page, `text` for the reader."""

    code: str
    text: str


def finish(source: Source, imprint: Imprint) -> Parts:
    """Return the templates that are sent. Raise MergeError when a merge tag in them is wrong."""
    body = clean_code(source.html) if source.is_code else clean_rich(source.html)
    text = source.text.replace("\r\n", "\n").rstrip("\n") if source.text.strip() else text_of(body)
    html = _document(_with_footer(body, imprint), source.subject, imprint.language)
    return Parts(source.subject, _with_preheader(html, source.preheader), _with_text_footer(text, imprint))


def preview(parts: Parts, values: Mapping[str, object]) -> Parts:
    """Return what one contact would read. Links go nowhere in particular. Raise MergeError."""
    known = {UNSUBSCRIBE: "#", "view_url": "#", **values}
    return Parts(
        merge.render(parts.subject, known),
        merge.render(parts.html, known, html=True),
        merge.render(parts.text, known),
    )


def warnings_of(parts: Parts) -> list[Caution]:
    """Return what may go wrong with readers' programs, for finished parts or a preview."""
    found = []
    size = len(parts.html.encode())
    if size > LARGEST_HTML:
        text = _("The HTML is %(size)d KB. Gmail cuts it off at 102 KB: shorten it.")
        found.append(Caution("size", text % {"size": size // 1024}))
    everything = parts.subject + parts.text
    narrow = "".join(dict.fromkeys(HALF_WIDTH.findall(everything)))
    if narrow:
        text = _("Half-width katakana (%(characters)s) can turn into other characters. Write them full-width.")
        found.append(Caution("half_width", text % {"characters": narrow}))
    vendor = "".join(dict.fromkeys(VENDOR.findall(everything)))
    if vendor:
        text = _("Some phones cannot show these characters: %(characters)s")
        found.append(Caution("vendor", text % {"characters": vendor}))
    return found


# -- inside ------------------------------------------------------------------------------------


def _missing(shown: str, imprint: Imprint, *, has_link: bool) -> tuple[list[str], bool]:
    """Return what the footer must say of the sender, and whether it must hold the link to unsubscribe."""
    said = [line for line in (imprint.sender_name, imprint.postal_address, imprint.contact_address) if line]
    if _shows(shown, imprint.postal_address):  # without an address a name is only a word in a sentence
        said = [line for line in said if not _shows(shown, line)]
    return said, not has_link


def _shows(text: str, line: str) -> bool:
    return any(_bare(form) in _bare(text) for form in (line, merge.literal(line)))


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def _with_footer(html: str, imprint: Imprint) -> str:
    has_link = bool(SHOWN_LINK.search(merge.COMMENT.sub("", html))) and merge.compile(html, html=True).always_shows(
        UNSUBSCRIBE
    )
    said, needs_link = _missing(text_of(html), imprint, has_link=has_link)
    lines = []
    with override(imprint.language):
        for line in said:
            words = str(escape(line)).replace("{", "&#123;").replace("\n", "<br>")
            contact = LINK.format(url=f"mailto:{words}", words=words)
            lines.append(_("Contact: %(address)s") % {"address": contact} if line == imprint.contact_address else words)
        if needs_link:
            lines.append(_("If you no longer want these emails, you can stop them here:"))
            lines.append(LINK.format(url="{{ unsubscribe_url }}", words=_("Unsubscribe from emails")))
    if not lines:
        return html
    footer = FOOTER.format(lines="<br>\n".join(lines))
    end = END.search(html)
    return html[: end.start()] + footer + html[end.start() :] if end else f"{html}\n{footer}"


def _with_text_footer(text: str, imprint: Imprint) -> str:
    has_link = merge.compile(text).always_shows(UNSUBSCRIBE)
    said, needs_link = _missing(text, imprint, has_link=has_link)
    lines = []
    with override(imprint.language):
        for line in said:
            is_contact = line == imprint.contact_address
            lines.append(merge.literal(_("Contact: %(address)s") % {"address": line} if is_contact else line))
        if needs_link:
            lines += [_("If you no longer want these emails, you can stop them here:"), "{{ unsubscribe_url }}"]
    return text + ("\n\n" + "\n".join([RULE, *lines]) if lines else "") + "\n"


def _document(html: str, subject: str, language: str) -> str:
    """Return a whole document. What is one already stays as it was written."""
    if re.search(r"<(?:html|body)\b", html, re.IGNORECASE):
        return html
    return DOCUMENT.format(language=language, title=_escaped(subject), body=html)


def _with_preheader(html: str, preheader: str) -> str:
    if not preheader.strip():
        return html
    block = PREHEADER.format(text=_escaped(preheader.strip()), padding=SEEN_PADDING)
    body = BODY.search(html)
    at = body.end() if body else 0
    return html[:at] + block + html[at:]


def _escaped(template: str) -> str:
    """Return a plain text's template as HTML: its words escaped, its merge tags as they are."""
    pieces, end = [], 0
    for tag in merge.TAG.finditer(template):
        pieces += [str(escape(template[end : tag.start()])), tag[0]]
        end = tag.end()
    return "".join([*pieces, str(escape(template[end:]))])
