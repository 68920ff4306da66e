"""How a worker process ends in the harness: it stands still, the harness takes stock of what it was about, then kill -9.

Standing still and dying at the same instant, it leaves what a kill at that instant leaves; but what stood between the
final dot and the recorded reply is known exactly.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from django.db import connection

from delivery import journal
from delivery.journal import Kind
from tests.faults.installation import Installation
from tests.faults.pace import PATIENCE

POINTS = ("claim", "connect", "mail", "rcpt", "half", "dot", "journal", "reply", "heard", "record", "burial")
_serial = count()


@dataclass(frozen=True)
class Stock:
    """What a process that stands still had not recorded, by the last word of its journal about each message."""

    pid: int
    generation: int
    untouched: set[int] = field(default_factory=set)  # no dot
    doubtful: set[int] = field(default_factory=set)  # a dot and no reply
    answered: dict[int, int] = field(default_factory=dict)  # the code of the reply

    @property
    def bound(self) -> int:
        """How many stood between the final dot and the recorded reply."""
        return len(self.doubtful) + len(self.answered)


def stop(pid: int) -> None:
    """Freeze the process, and return once it stands."""
    os.kill(pid, signal.SIGSTOP)
    until_stopped(pid)


def until_stopped(pid: int) -> None:
    until = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < until, f"{pid} does not stand still"
        time.sleep(0.002)


def lay_trap(installation: Installation, point: str, log: Path, *, nth: int = 1) -> None:
    """Have the process that passes the point for the nth time stand still there."""
    draft = installation.traps / "draft"
    draft.write_text(f"{point} {nth} {next(_serial)} {log}")
    draft.rename(installation.traps / "trap")


def sprung(installation: Installation) -> int | None:
    """Return the pid of the process that stands in the trap; the trap is gone then."""
    for path in installation.traps.glob("sprung-*"):
        pid = int(path.name.removeprefix("sprung-"))
        until_stopped(pid)
        path.unlink()
        return pid
    return None


def take_stock(installation: Installation, pid: int) -> Stock:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM generation WHERE pid = %s AND closed_at IS NULL", [pid])
        (generation,) = cursor.fetchone()
        cursor.execute(
            """SELECT m.id, l.id FROM lease l JOIN message m ON m.lease_id = l.id AND m.status = 'sending'
            WHERE l.generation_id = %s AND l.unsettled > 0""",
            [generation],
        )
        open_ones = cursor.fetchall()
    stock = Stock(pid, generation)
    entries = entries_of(installation, generation)
    for key in open_ones:
        entry = entries.get(key)
        if entry is None or entry.kind == Kind.ANNUL:
            stock.untouched.add(key[0])
        elif entry.reply is None:
            stock.doubtful.add(key[0])
        else:
            stock.answered[key[0]] = entry.reply.code
    return stock


def folder_of(installation: Installation, generation: int) -> Path:
    """Return the journal of a generation that has not ended."""
    (folder,) = journals(installation, generation)
    return folder


def journals(installation: Installation, generation: int) -> list[Path]:
    found = []
    for folder in (installation.var / "journal").glob("*/"):
        with suppress(FileNotFoundError):  # settled meanwhile
            reading = journal.read(folder)
            found += [folder] if reading and reading.generation_id == generation else []
    return found


def entries_of(installation: Installation, generation: int) -> dict[tuple[int, int], journal.Entry]:
    reading = journal.read(folder_of(installation, generation))
    assert reading
    return reading.entries


def kill(installation: Installation, pid: int) -> Stock:
    """Kill a process that stands still, and return what it left."""
    stock = take_stock(installation, pid)
    os.kill(pid, signal.SIGKILL)
    return stock


def kill_at_once(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
