"""Commands that answer each line of JSON on standard input with one line, at once, so that another program can talk to them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mailsales.dns.questions import Questions


def answer_lines(command: BaseCommand, answer: Callable[[dict[str, Any], Questions], str], *, bad: str) -> None:
    """Write a line for each line read. One that is wrong is answered by `bad` and named on standard error.

    A blank line is wrong too: the nth line of the answer is always that of the nth line read. Raise CommandError, which
    ends the process with status 2, when all is read and some were wrong.
    """
    count = 0
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            asked = json.loads(line)
            if not isinstance(asked, dict):
                raise ValueError("it is no object")
            said = answer(asked, _questions(asked))
        except (ValueError, KeyError) as error:
            count += 1
            said = bad
            wanting = f"{error} is missing" if isinstance(error, KeyError) else error
            command.stderr.write(f"Line {number} cannot be read: {wanting}")
        command.stdout.write(said)
        command.stdout.flush()
    if count:
        raise CommandError(f"{count:,} {'line was' if count == 1 else 'lines were'} wrong.", returncode=2)


def text(asked: dict[str, Any], name: str, *, default: str | None = None) -> str:
    """Return a text of the line; null is the default. Raise KeyError where it is missing, ValueError where it is no text."""
    value = asked[name] if default is None else asked.get(name)
    value = default if value is None else value
    if not isinstance(value, str):
        raise ValueError(f"“{name}” is no text")
    return value


def _questions(asked: dict[str, Any]) -> Questions:
    """Return who asks the line's name server, or the configured ones where it names none; each line hears anew."""
    server, port = text(asked, "server", default=""), asked.get("port") or 53
    if not server:
        return Questions(settings.DNS_SERVERS)
    return Questions([f"[{server}]:{port}" if ":" in server else f"{server}:{port}"])
