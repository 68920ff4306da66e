"""Machines that open mail and follow links before a person does, told by the name they give themselves.

- Apple's Mail Privacy Protection fetches every picture, read or not, and names itself just `Mozilla/5.0`
  (https://wordtothewise.com/2021/09/apple-mpp/).
- Gmail's and Yahoo's proxies fetch pictures when a person opens, and so does Outlook for Windows, which names itself
  `ms-office` (https://github.com/matomo-org/device-detector/issues/5359). None of them follows links for a person.
- Scanners of mail gateways follow links at delivery, many at once, most under a browser's name
  (https://github.com/mautic/mautic/issues/16263): `delivery/events.py` looks at the time.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext_noop

APPLE = gettext_noop("Apple Mail Privacy Protection")  # rows keep the English, pages translate it
SCANNER = gettext_noop("security check")
NAMELESS = gettext_noop("program without a name")
PROGRAM = gettext_noop("program that is no browser")

APPLE_AGENT = "Mozilla/5.0"
PICTURE_LOADERS = re.compile(
    r"googleimageproxy|yahoomailproxy|ms-office|microsoft (office|outlook)|okhttp", re.IGNORECASE
)
SCANNERS = re.compile(
    r"barracuda|proofpoint|mimecast|safelinks|symantec|messagelabs|fireeye|trendmicro|sophos|forcepoint|cloudmark|"
    r"zscaler|paloalto|checkpoint|bitdefender|kaspersky|virustotal|urlscan",
    re.IGNORECASE,
)
PROGRAMS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|preview|monitor|curl|wget|python|java/|go-http-client|libwww|perl|ruby|"
    r"headlesschrome|phantomjs|axios|node-fetch|facebookexternalhit|whatsapp|skypeuri|linkcheck",
    re.IGNORECASE,
)


def opened_by(agent: str) -> str:
    """Return what kind of machine fetched the pixel, or nothing for a person's mail program."""
    if agent.strip() == APPLE_AGENT:
        return APPLE
    return "" if PICTURE_LOADERS.search(agent) else _machine(agent)


def followed_by(agent: str) -> str:
    """Return what kind of machine followed a link, or nothing for a person's browser."""
    is_no_browser = agent.strip() == APPLE_AGENT or PICTURE_LOADERS.search(agent)
    return PROGRAM if is_no_browser else _machine(agent)


def _machine(agent: str) -> str:
    if not agent.strip():
        return NAMELESS
    if SCANNERS.search(agent):
        return SCANNER
    return PROGRAM if PROGRAMS.search(agent) else ""
