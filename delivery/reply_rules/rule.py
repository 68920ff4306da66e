"""One line of the table that reads replies."""

from __future__ import annotations

import re

from mailsales.reasons import Reason


class Rule:
    """A reason, the words that tell it, whose words they are, and how they were heard.

    `text` is a regular expression over the reply's text in lower case, in which every mail address is `x@x`. `heard` is
    an example: `COMMAND CODE TEXT`, with the host in front where the rule asks for one. `codes` are beginnings of codes,
    `commands` the commands answered (`dot` is the end of data, `dsn` a delivery report, which names none); not given,
    they match all.
    """

    __slots__ = ("codes", "commands", "heard", "host", "reason", "source", "text")

    def __init__(
        self, reason: Reason, text: str, source: str, heard: str, *, codes: str = "", commands: str = "", host: str = ""
    ) -> None:
        self.reason = reason
        self.text = re.compile(text)
        self.source = source
        self.heard = heard
        self.codes = tuple(codes.split())
        self.commands = frozenset(commands.split())
        self.host = re.compile(host) if host else None

    def fits(self, code: str, command: str, host: str, text: str) -> bool:
        """Return whether the rule is about such a reply. `host` and `text` are in lower case."""
        if self.commands and command not in self.commands:
            return False
        if self.codes and not code.startswith(self.codes):
            return False
        if self.host and not self.host.search(host):
            return False
        return self.text.search(text) is not None
