"""Mail addresses as they are in Japan: RFC 5321, and what carriers sold before 2009.

docomo and au handed out local parts with two dots in a row or a dot at an end (`abc.@docomo.ne.jp`). They still work,
quoted, on the wire: `RCPT TO:<"abc."@docomo.ne.jp>` (RFC 5321 §4.1.2, Quoted-string).
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

CARRIERS = (
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
    "i.softbank.jp",
    "vodafone.ne.jp",
    "disney.ne.jp",
    "ymobile.ne.jp",
    "wcm.ne.jp",
    "willcom.com",
    "pdx.ne.jp",
)
PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
ORDINARY = re.compile(
    r"[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}", re.IGNORECASE
)


class BadAddress(ValueError):
    """The text is not an address. `reason` is a code for reports, `advice` a sentence for people."""

    def __init__(self, reason: str, advice: str | Promise) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def clean_address(typed: str) -> str:
    """Return a typed address in the form that is stored: full-width folded, no blanks, the domain in lower case.

    The local part keeps its case. Raise BadAddress when it cannot be one.
    """
    text = typed.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        raise BadAddress("empty", _("The address is empty."))
    if len(text) <= 254 and ORDINARY.fullmatch(text):
        local, _at, domain = text.rpartition("@")
        if len(local) <= 64 and "xn--" not in domain.lower():
            return f"{local}@{domain.lower()}"
    return _clean_unusual(text)


def is_carrier(domain: str) -> bool:
    """Return whether the domain is a mobile carrier's, whose old addresses break RFC 5321."""
    return any(domain == carrier or domain.endswith("." + carrier) for carrier in CARRIERS)


def on_the_wire(address: str) -> str:
    """Return the address as it goes into MAIL, RCPT and To: the local part quoted where it must be, the domain as A-labels."""
    local, _at, domain = address.rpartition("@")
    if not domain.isascii():
        domain = domain.encode("idna").decode()
    if not DOT_ATOM.fullmatch(local) and local.isascii():
        local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{local}@{domain}"


def _clean_unusual(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        raise BadAddress("no_at", _("There is no “@”."))
    domain = domain.strip().lower()
    unquoted = local[1:-1] if len(local) > 2 and local[0] == local[-1] == '"' else local
    if is_carrier(domain) and PLAIN.fullmatch(unquoted):
        return f"{unquoted}@{domain}"
    if "." not in domain:
        raise BadAddress("cut_off", _("It breaks off after the “@”."))
    try:
        found = validate_email(f"{local}@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise BadAddress("not_an_address", _("It is not in the form “name@example.jp”.")) from error
    return f"{found.local_part}@{found.ascii_domain}"
