"""The macros of an SPF record, RFC 7208 §7: which text is well-formed, and what it says of one message."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

IN_DOMAINS = "slodiphv"
IN_EXPLANATIONS = IN_DOMAINS + "crt"  # §7.2
LONGEST_NAME = 253
TOKEN = re.compile(
    r"%\{(?P<letter>[a-z])(?P<count>[0-9]*)(?P<reverse>r?)(?P<delimiters>[.\-+,/_=]*)\}|(?P<escape>%[%_-])"
    r"|(?P<literal>[\x21-\x24\x26-\x7e]+)|(?P<blank> +)",
    re.IGNORECASE,
)
ESCAPES = {"%%": "%", "%_": " ", "%-": "%20"}


class BadMacro(ValueError):
    """The text is not one of §7.1's."""


def tokens(text: str, *, letters: str = IN_DOMAINS, allows_blanks: bool = False) -> list[re.Match[str]]:
    """Return the parts of a macro-string (§7.1). Raise BadMacro."""
    found, position = [], 0
    while position < len(text):
        token = TOKEN.match(text, position)
        if not token or (token["blank"] and not allows_blanks) or not _is_known(token, letters):
            raise BadMacro(text[position : position + 20])
        found.append(token)
        position = token.end()
    return found


def check_domain_spec(text: str) -> None:
    """Raise BadMacro unless it is a domain-spec: a macro-string that ends in a macro or a top label (§7.1)."""
    found = tokens(text)
    if not found:
        raise BadMacro(text)
    if found[-1]["literal"] and not _ends_in_top_label(found[-1]["literal"]):
        raise BadMacro(text)


def names_local_part(text: str) -> bool:
    """Return whether a well-formed domain-spec depends on the local part: no label can have one of RFC 6531 (RFC 8616 §4)."""
    return any((token["letter"] or "").lower() in ("s", "l") for token in tokens(text))


def expanded(text: str, value: Callable[[str], str], *, is_explanation: bool = False) -> str:
    """Return what it says, `value` telling what each letter (in lower case) stands for. Raise BadMacro."""
    letters = IN_EXPLANATIONS if is_explanation else IN_DOMAINS
    return "".join(_said(token, value) for token in tokens(text, letters=letters, allows_blanks=is_explanation))


def as_name(expanded_text: str) -> str:
    """Return the name that is asked for: without a last dot, and cut on the left to what DNS can carry (§7.3)."""
    name = expanded_text.removesuffix(".")
    while len(name) > LONGEST_NAME and "." in name:
        name = name.partition(".")[2]
    return name


def _is_known(token: re.Match[str], letters: str) -> bool:
    """Return whether its letter may stand here, and it asks for at least one part."""
    if not token["letter"]:
        return True
    return token["letter"].lower() in letters and (not token["count"] or bool(token["count"].strip("0")))


def _ends_in_top_label(literal: str) -> bool:
    _rest, dot, label = literal.removesuffix(".").rpartition(".")
    if not dot or not label or not label.replace("-", "").isalnum() or not label.isascii():
        return False
    return label[0] != "-" != label[-1] and not label.isdigit()


def _said(token: re.Match[str], value: Callable[[str], str]) -> str:
    if token["escape"]:
        return ESCAPES[token["escape"]]
    if not token["letter"]:
        return token[0]
    parts = re.split(f"[{re.escape(token['delimiters'] or '.')}]", value(token["letter"].lower()))
    if token["reverse"]:
        parts.reverse()
    if token["count"] and len(token["count"]) < 4:
        parts = parts[-int(token["count"]) :]
    said = ".".join(parts)
    return quote(said, safe="") if token["letter"].isupper() else said
