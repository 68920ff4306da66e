"""The terms by which a domain's SPF record names the servers of this installation (RFC 7208 §5)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from django.conf import settings

VERSION = "v=spf1"
ALL = re.compile(r"[-+?~]?all", re.IGNORECASE)
FULL_NAME = re.compile(r"([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]*", re.IGNORECASE)
STRICT = ("-all", "~all")  # the others say nothing, or let everybody send


def own_terms() -> list[str]:
    """Return what names our servers; nothing where the settings do not know them.

    An include keeps its record right when addresses change. Without one, and without SENDING_ADDRESSES, the EHLO name
    stands for them, since it must lead to the address of the connections anyway.
    """
    if settings.SPF_INCLUDE:
        return [f"include:{settings.SPF_INCLUDE}"]
    if settings.SENDING_ADDRESSES:
        return [f"ip{ip_address(address).version}:{address}" for address in settings.SENDING_ADDRESSES]
    return [f"a:{settings.EHLO_NAME}"] if FULL_NAME.fullmatch(settings.EHLO_NAME) else []


def merged(texts: Sequence[str], terms: Sequence[str]) -> str:
    """Return one record that says what these say, and names our servers; a new one where there is none.

    It ends in what was said of all others, or in ~all where that was nothing, or everybody (RFC 7208 §5.1, §10.1.2).
    """
    said = [term for text in texts for term in text.split()[1:]]
    redirect = [term for term in said if term.lower().startswith("redirect=")][:1]
    others = [term for term in said if not ALL.fullmatch(term) and not term.lower().startswith("redirect=")]
    known = {term.lower().removeprefix("+") for term in others}
    missing = [term for term in terms if term.lower() not in known]
    ends = [term.lower() for term in said if ALL.fullmatch(term)]
    end = next((end for end in STRICT if end in ends), "~all")
    last = redirect if redirect and not ends else [end]
    return " ".join([VERSION, *missing, *dict.fromkeys(others), *last])
