"""Texts in a returned mail that look like tokens of ours: in the address that it came to, and in the returned header.

The envelope sender of each message holds its token (VERP), and so do Message-ID and List-Unsubscribe
(`delivery/compose.py`): a system that returns anything of a message returns one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from delivery.parts import Group

# Written 0 and hexadecimal, or in base32 as the first tokens were; link tokens are base64url (`mailsales/tokens.py`).
IN_ADDRESS = re.compile(r"(?<![0-9a-z])(0(?:[0-9a-f]{2}){11,29}|[a-z2-7]{18,64})(?![0-9a-z])", re.IGNORECASE)
OWN_FIELDS = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "apparently-to", "to")
RETURNED_FIELDS = (
    "return-path",
    "x-envelope-from",
    "x-mailsales",
    "message-id",
    "list-unsubscribe",
    "cfbl-feedback-id",
    "feedback-id",
    "errors-to",
)
GROUP_FIELDS = (
    "original-mail-from",
    "x-postfix-sender",
    "original-envelope-id",
    "x-original-message-id",
    "original-message-id",
)
ANSWERED_FIELDS = ("in-reply-to", "references")
MOST = 20


def tokens_in(header: Group, groups: list[Group], returned: Group, text: str) -> list[str]:
    """Return the texts, each once, the likeliest first."""
    return list(dict.fromkeys(_found(header, groups, returned, text)))[:MOST]


def _found(header: Group, groups: list[Group], returned: Group, text: str) -> Iterator[str]:
    values = [header.get(name, "") for name in OWN_FIELDS]
    values += [returned.get(name, "") for name in RETURNED_FIELDS]
    values += [group.get(name, "") for group in groups[:2] for name in GROUP_FIELDS]
    values += [header.get(name, "") for name in ANSWERED_FIELDS]
    values += [line for line in text.split("\n")[:200] if "@" in line]
    for value in values:
        yield from IN_ADDRESS.findall(value)
