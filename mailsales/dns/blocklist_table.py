"""The block lists that are looked at, and what their answers mean: lists that receivers use and that answer for free.

Each answers A questions by addresses of 127.0.0.0/8 (RFC 5782 §2.1), whose meaning is its own. What they answer to those
who ask too much, or through a public resolver, is in `refusals`, and in `REFUSALS` for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["ipv4", "ipv6", "domain"]
Meaning = Literal[
    "spam",  # sends spam, or is in it
    "exploited",  # a machine or site that somebody else has taken over
    "hijacked",  # a network whose owner is a criminal
    "policy",  # an address that should not send mail itself: a home connection
    "phishing",
    "malware",
    "grey",  # bulk mail that some have not asked for
]
Refusal = Literal["too_many", "public_resolver", "wrong_question", "blocked"]

# zen.spamhaus.org and dbl.spamhaus.org: www.spamhaus.org/faqs/domain-blocklist and /dnsbl-usage, "return codes".
SPAMHAUS_REFUSALS: dict[str, Refusal] = {
    "127.255.255.252": "wrong_question",
    "127.255.255.254": "public_resolver",
    "127.255.255.255": "too_many",
}
REFUSALS: dict[str, Refusal] = {**SPAMHAUS_REFUSALS, "127.0.0.1": "blocked"}  # RFC 5782 §5: 127.0.0.1 is never listed


@dataclass(frozen=True)
class Blocklist:
    """A list. An answer's meaning is in `codes` or, where the last byte is a sum, in `bits`; any other means "spam".

    `page` tells people what the list is and how to be taken off it. `listed` and `unlisted` are its test points: what must
    and must not be on it (RFC 5782 §5).
    """

    zone: str
    title: str
    page: str
    kinds: frozenset[Kind]
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    bits: Mapping[int, Meaning] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    listed: str = "2.0.0.127"
    unlisted: str = "1.0.0.127"


BLOCKLISTS = (
    Blocklist(
        "zen.spamhaus.org",
        "Spamhaus ZEN",
        "https://check.spamhaus.org/",
        frozenset(["ipv4", "ipv6"]),
        codes={
            "127.0.0.2": "spam",  # SBL
            "127.0.0.3": "spam",  # CSS
            "127.0.0.4": "exploited",  # XBL, as far as .7
            "127.0.0.5": "exploited",
            "127.0.0.6": "exploited",
            "127.0.0.7": "exploited",
            "127.0.0.9": "hijacked",  # DROP
            "127.0.0.10": "policy",  # PBL, by the provider
            "127.0.0.11": "policy",  # PBL, by Spamhaus
        },
    ),
    Blocklist(
        "dbl.spamhaus.org",
        "Spamhaus DBL",
        "https://check.spamhaus.org/",
        frozenset(["domain"]),
        codes={
            "127.0.1.2": "spam",
            "127.0.1.4": "phishing",
            "127.0.1.5": "malware",
            "127.0.1.6": "malware",  # control of botnets
            "127.0.1.102": "exploited",  # from here on: good domains that are abused
            "127.0.1.103": "exploited",
            "127.0.1.104": "exploited",
            "127.0.1.105": "exploited",
            "127.0.1.106": "exploited",
        },
        refusals={"127.0.1.255": "wrong_question"},  # asked about an IP address
        listed="dbltest.com",
        unlisted="invalid",
    ),
    Blocklist(  # answers only name servers that are registered there, for free: barracudacentral.org/rbl/how-to-use
        "b.barracudacentral.org",
        "Barracuda",
        "https://www.barracudacentral.org/lookups/lookup-reputation",
        frozenset(["ipv4"]),
    ),
    Blocklist(  # www.spamcop.net/fom-serve/cache/291.html
        "bl.spamcop.net",
        "SpamCop",
        "https://www.spamcop.net/bl.shtml",
        frozenset(["ipv4"]),
    ),
    Blocklist(  # psbl.org
        "psbl.surriel.com",
        "PSBL",
        "https://psbl.org/",
        frozenset(["ipv4"]),
    ),
    Blocklist(  # www.uceprotect.net; level 1 has single addresses, which the others have not
        "dnsbl-1.uceprotect.net",
        "UCEPROTECT Level 1",
        "https://www.uceprotect.net/en/rblcheck.php",
        frozenset(["ipv4"]),
    ),
    Blocklist(  # www.surbl.org/lists: the last byte is a sum; 127.0.0.1 is for those who ask too much
        "multi.surbl.org",
        "SURBL",
        "https://surbl.org/surbl-analysis",
        frozenset(["domain"]),
        bits={8: "phishing", 16: "malware", 64: "spam", 128: "exploited"},
        refusals={"127.0.0.1": "too_many"},
        unlisted="invalid",
    ),
    Blocklist(  # www.uribl.com/about.shtml: the last byte is a sum; 127.0.0.1 is for those who ask too much
        "multi.uribl.com",
        "URIBL",
        "https://lookup.uribl.com/",
        frozenset(["domain"]),
        bits={2: "spam", 4: "grey", 8: "spam"},
        refusals={"127.0.0.1": "too_many"},
        unlisted="invalid",
    ),
)
