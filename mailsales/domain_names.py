"""Names of sending domains, as people type them: the domain itself, an address in it, or the address of a web page.

Non-ASCII names become A-labels by UTS 46 and IDNA 2008 (RFC 5891): that is what stands in DNS and in signatures.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from email_validator import EmailNotValidError, validate_email

from mailsales.providers import DOMAINS

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
LONGEST = 200  # characters: names of keys and return paths stand before it, and 253 is the end (RFC 1035 §2.3.4)
# Mailboxes for everybody, besides those of `mailsales.providers`: nobody can prove that such a domain is theirs.
PUBLIC_MAIL = frozenset(
    [
        *(domain for domains in DOMAINS.values() for domain in domains),
        *("nifty.com", "biglobe.ne.jp", "so-net.ne.jp", "ocn.ne.jp", "plala.or.jp", "dion.ne.jp", "excite.co.jp"),
        *("goo.jp", "goo.ne.jp", "infoseek.jp", "livedoor.com", "rakuten.jp", "rakumail.jp", "eonet.ne.jp"),
        *("jcom.home.ne.jp", "zaq.ne.jp", "asahi-net.or.jp", "hi-ho.ne.jp", "wakwak.com", "sannet.ne.jp"),
        *("gmx.com", "gmx.net", "gmx.de", "web.de", "mail.com", "mail.ru", "yandex.com", "yandex.ru", "proton.me"),
        *("protonmail.com", "zoho.com", "fastmail.com", "qq.com", "163.com", "126.com", "naver.com", "daum.net"),
        *("yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.com.tw", "yahoo.com.hk", "hotmail.co.uk", "hotmail.fr"),
    ]
)
# Under which others register: a name that has nothing before it is nobody's.
REGISTRIES = frozenset(
    [f"{kind}.jp" for kind in ("ac", "ad", "co", "ed", "go", "gr", "lg", "ne", "or")]
    + [f"{kind}.uk" for kind in ("co", "org", "ac", "gov")]
    + [f"com.{land}" for land in ("au", "br", "cn", "hk", "sg", "tw")]
    + [f"co.{land}" for land in ("kr", "nz", "th", "in", "id")]
)


class BadDomain(ValueError):
    """The text names no domain that somebody can send from. `advice` is a sentence for people."""

    def __init__(self, reason: str, advice: str | Promise) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def clean_domain(typed: str) -> str:
    """Return the domain that was typed, as A-labels in lower case. Raise BadDomain when nobody can send from it."""
    text = unicodedata.normalize("NFKC", typed).strip().strip("<>").replace("。", ".")
    if not text:
        raise BadDomain("empty", _("Enter a domain."))
    name = _in_ascii(_host(text))
    labels = name.split(".")
    if len(labels) < 2 or len(name) > LONGEST or labels[-1].isdecimal() or not all(map(LABEL.fullmatch, labels)):
        raise BadDomain("no_domain", _("This is no domain. Enter it in the form “example.jp”."))
    if is_public_mail(name):
        raise BadDomain(
            "public_mail",
            _("Only the provider itself may send from this domain. Enter a domain that belongs to your company."),
        )
    if name in REGISTRIES:
        raise BadDomain("registry", _("Something is missing before this name. Enter it in the form “example.co.jp”."))
    return name


def is_public_mail(name: str) -> bool:
    """Return whether the domain, or one above it, is a provider's at which everybody has mailboxes."""
    while name:
        if name in PUBLIC_MAIL:
            return True
        name = name.partition(".")[2]
    return False


# -- inside ------------------------------------------------------------------------------------


def _host(text: str) -> str:
    """Return the part of an address or URL that is a domain; of a web page without its "www."."""
    is_page = "://" in text or "/" in text
    if is_page:
        try:
            text = urlsplit(text if "://" in text else f"//{text}").hostname or ""
        except ValueError:
            text = ""
    name = text.rpartition("@")[2].strip().rstrip(".").lower()
    return name.removeprefix("www.") if is_page or name.count(".") > 1 else name


def _in_ascii(name: str) -> str:
    """Return the name as A-labels, or nothing when there is no such name."""
    try:
        found = validate_email(f"postmaster@{name}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return ""
    return found.ascii_domain.lower()
