"""What a mail that came back says, as JSON: one object for each recipient on a line; nothing for a mail that is no bounce."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from delivery.bounces import Reading, read_bounce
from mailsales import tokens

FROM_LINE = re.compile(rb"^From \S{1,320} [^\r\n]{8,60}\d{4}\r?\n(?=[!-9;-~]{1,76}:)", re.MULTILINE)
READERS = (
    tokens.read_bounce_token,
    tokens.read_test_token,
    tokens.read_notice_token,
    tokens.read_unsubscribe_address_token,
)


class Command(BaseCommand):
    help = "Print the reading of returned mails. A folder stands for the files in it, - for the standard input."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a mail, a folder of mails, or -")

    def handle(self, *args: Any, files: list[str], **options: Any) -> None:
        failures = 0
        for name in _files(files):
            try:
                raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
            except OSError as error:
                self.stderr.write(f"{name} cannot be read: {error.strerror}.")
                failures += 1
                continue
            for mail in mails_in(raw):
                for line in lines(name, read_bounce(mail)):
                    self.stdout.write(json.dumps(line, ensure_ascii=False))
        if failures:
            raise CommandError(f"{failures:,} {'file' if failures == 1 else 'files'} could not be read.")


def mails_in(raw: bytes) -> list[bytes]:
    """Return the mails of a file: one, or those of a mailbox (RFC 4155), which begins with a From_ line."""
    if not raw.startswith(b"From "):
        return [raw]
    starts = [found.start() for found in FROM_LINE.finditer(raw)]
    if not starts:
        return [raw]
    return [raw[start:end] for start, end in zip(starts, [*starts[1:], len(raw)], strict=True)]


def lines(name: str, reading: Reading) -> Iterator[dict[str, Any]]:
    """Yield what is printed of a mail. A report of abuse has the reason "complaint" and its type."""
    token = next((text for text in reading.tokens if is_ours(text)), None)
    for one in reading.recipients:
        yield {
            "file": name,
            "recipient": one.recipient or None,
            "action": one.action,
            "status": one.status or None,
            "code": one.code,
            "reason": str(one.reason),
            "hard": one.is_hard,
            "feedback_type": None,
            "token": token,
        }
    if reading.feedback:
        for recipient in reading.feedback.recipients or (None,):
            yield {
                "file": name,
                "recipient": recipient,
                "action": None,
                "status": None,
                "code": None,
                "reason": "complaint",
                "hard": False,
                "feedback_type": reading.feedback.feedback_type,
                "token": token,
            }


def is_ours(text: str) -> bool:
    """Return whether the text is a token made here."""
    for read in READERS:
        try:
            read(text)
        except tokens.BadToken:
            continue
        return True
    return False


# -- inside ------------------------------------------------------------------------------------


def _files(names: list[str]) -> Iterator[str]:
    for name in names:
        if name != "-" and Path(name).is_dir():
            yield from (str(path) for path in sorted(Path(name).iterdir()) if path.is_file())
        else:
            yield name
