"""What the formats of bounces share: how one is told from others, and what a text for people says of a recipient."""

from __future__ import annotations

import re
from dataclasses import dataclass

ADDRESS = r"""(?:"[^"\s]{1,64}"|[^\s<>()\[\],;:"'@=]{1,80})@[\w.-]{1,250}\w"""


@dataclass(slots=True)
class Notice:
    """A recipient whom a text names, and what it says of them. `command` is the SMTP command that was refused, or `dsn`."""

    recipient: str
    text: str = ""
    command: str = "dsn"
    action: str = "failed"
    status: str = ""


class Format:
    """How one mail system begins a text about a failure.

    `opening` is a regular expression over a line of the text, in lower case. `action` is what such a text says: "failed",
    or "delayed" where the mail is still being tried. `command` is the SMTP command whose replies the system quotes, where it
    never names it. `is_plain` words are such as people write too: they need more signs beside them.
    """

    __slots__ = ("action", "command", "is_plain", "opening", "source")

    def __init__(
        self, source: str, opening: str, *, action: str = "failed", command: str = "dsn", is_plain: bool = False
    ) -> None:
        self.source = source
        self.opening = re.compile(opening)
        self.action = action
        self.command = command
        self.is_plain = is_plain
