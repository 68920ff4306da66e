"""Machines that open mail and follow links before a person does, told by the name they give themselves.

Apple: Mail Privacy Protection fetches every image through proxies whose agent is just `Mozilla/5.0`
(https://support.apple.com/guide/iphone/iphf084865c7/ios says that it hides reading). Gmail's image proxy
(`GoogleImageProxy`) fetches when a person opens, so it is nobody's machine. Scanners of mail gateways follow links
within seconds of delivery, many at once (docs/design.md §1); `delivery/events.py` looks at the time.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext_noop

APPLE = gettext_noop("Apple Mail Privacy Protection")  # rows keep the English, pages translate it
SCANNER = gettext_noop("security check")
NAMELESS = gettext_noop("program without a name")
PROGRAM = gettext_noop("program that is no browser")

SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|safelinks|microsoft office|ms-office|symantec|messagelabs|fireeye|trendmicro|"
    r"sophos|forcepoint|cloudmark|zscaler|paloalto|checkpoint|bitdefender|kaspersky|virustotal|urlscan",
    re.IGNORECASE,
)
PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|monitor|curl|wget|python|java/|okhttp|go-http-client|libwww|perl|ruby|"
    r"headlesschrome|phantomjs|axios|node-fetch|facebookexternalhit|slackbot|whatsapp|skypeuri|linkcheck",
    re.IGNORECASE,
)


def machine_of(agent: str) -> str:
    """Return what kind of machine the agent names, or nothing for a person's program."""
    agent = agent.strip()
    if not agent:
        return NAMELESS
    if agent == "Mozilla/5.0":
        return APPLE
    if "GoogleImageProxy" in agent or "YahooMailProxy" in agent:
        return ""
    if SCANNERS.search(agent):
        return SCANNER
    return PROGRAM if PROGRAMS.search(agent) else ""
