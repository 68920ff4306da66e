"""Which mailbox provider a recipient's domain belongs to, for reports and, later, for pacing."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Provider(models.TextChoices):
    GMAIL = "gmail", "Gmail"
    DOCOMO = "docomo", "docomo"
    YAHOO_JAPAN = "yahoo_japan", "Yahoo! JAPAN"
    AU = "au", "au"
    SOFTBANK = "softbank", "SoftBank"
    MICROSOFT = "microsoft", "Microsoft"
    ICLOUD = "icloud", "iCloud"
    YAHOO = "yahoo", "Yahoo"
    OTHER = "other", _("Companies and others")


DOMAINS = {
    Provider.GMAIL: ("gmail.com", "googlemail.com"),
    Provider.DOCOMO: ("docomo.ne.jp", "mopera.net"),
    Provider.YAHOO_JAPAN: ("yahoo.co.jp", "ybb.ne.jp", "ymail.ne.jp"),
    Provider.AU: ("ezweb.ne.jp", "au.com", "uqmobile.jp"),
    Provider.SOFTBANK: (
        "softbank.ne.jp",
        "i.softbank.jp",
        "vodafone.ne.jp",
        "disney.ne.jp",
        "ymobile.ne.jp",
        "ymobile1.ne.jp",
        "willcom.com",
        "pdx.ne.jp",
        "wcm.ne.jp",
    ),
    Provider.MICROSOFT: ("outlook.com", "outlook.jp", "hotmail.com", "hotmail.co.jp", "live.jp", "live.com", "msn.com"),
    Provider.ICLOUD: ("icloud.com", "me.com", "mac.com"),
    Provider.YAHOO: ("yahoo.com", "ymail.com", "aol.com"),
}
CARRIERS = frozenset({Provider.DOCOMO, Provider.AU, Provider.SOFTBANK})  # the last with Y!mobile
RAKUTEN_MOBILE = "rakumail.jp"  # counted with others: it is too small for a row of its own
BY_DOMAIN = {domain: provider for provider, domains in DOMAINS.items() for domain in domains}


def provider_of(domain: str) -> Provider:
    """Return the provider of a recipient's domain; carriers' old subdomains count as the carrier."""
    while "." in domain:
        if domain in BY_DOMAIN:
            return BY_DOMAIN[domain]
        domain = domain.partition(".")[2]
    return Provider.OTHER


def is_mobile(domain: str) -> bool:
    """Return whether the domain is a mobile carrier's, who blocks a network that mails to many unknown users."""
    return provider_of(domain) in CARRIERS or domain == RAKUTEN_MOBILE
