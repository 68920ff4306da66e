"""The receiver of the harness: what it takes responsibility for stands on disk before it says so."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.delivery.sink import Sink

MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Copy:
    """One accepted message. `at` is Unix seconds."""

    at: float
    recipient: str
    message_id: str


@dataclass
class LoggingSink(Sink):
    """Bodies are not kept. The log is append-only: time, recipient, Message-ID, with tabs between."""

    log: Path = field(kw_only=True)

    def __post_init__(self) -> None:
        self._file = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.count = 0

    def accept(self, recipient: str, body: bytes) -> None:
        found = MESSAGE_ID.search(body)
        os.write(self._file, f"{time.time():.6f}\t{recipient}\t{found[1].decode() if found else ''}\n".encode())
        self.count += 1

    def copies(self) -> list[Copy]:
        lines = [line.split("\t") for line in self.log.read_text().splitlines()]
        return [Copy(float(at), recipient, message_id) for at, recipient, message_id in lines]

    def recipients(self) -> set[str]:
        return {copy.recipient for copy in self.copies()}
