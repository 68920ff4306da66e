"""What people type to leave somebody out: an address, or a domain for all of its addresses."""

from __future__ import annotations

import unicodedata

from campaigns.suppressions.rules import pattern_of
from mailsales.addresses import BadAddress, clean_address


def clean_entry(typed: str) -> str:
    """Return the address, or the pattern "*@example.jp" of "example.jp", "@example.jp" and "*@example.jp". Raise BadAddress."""
    text = unicodedata.normalize("NFKC", typed).strip()
    local, _at, domain = text.rpartition("@")
    if not (local in ("", "*") and "." in domain):
        return clean_address(text)
    try:
        return pattern_of(clean_address(f"all@{domain}"))
    except BadAddress:
        return clean_address(text)  # it fails, too, and says why


def is_entry(typed: str) -> bool:
    try:
        clean_entry(typed)
    except BadAddress:
        return False
    return True
