"""Celery, in whose worker processes a trap can be laid: the one that steps on it stands still, at exactly that point.

    python -m tests.faults.victim FOLDER celery's words…

The engine knows nothing of it: its own functions are wrapped before Celery forks. A file `trap` in the folder names a
point, at which passing of one process, and the log of the sink. Who springs it renames the file to `sprung-PID` and stops itself, for the
harness to see what it was about, and to kill it for good (or to wake it).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

LOOK_SECONDS = 0.01
FLUSH_SECONDS = 0.1  # until half a body is surely in the kernel


class Traps:
    def __init__(self, folder: Path) -> None:
        self.trap = folder / "trap"
        self.passed: Counter[str] = Counter()
        self.heard: set[int] = set()  # messages of this process with a reply
        self.log = Path()  # of the sink, once a trap is sprung

    def springs(self, point: str) -> bool:
        """Return whether the trap at this point caught this very process; once."""
        try:
            wanted = self.trap.read_text()
        except FileNotFoundError:
            return False
        name, nth, _serial, log = wanted.split(" ", 3)
        if name != point:
            return False
        self.passed[wanted] += 1
        if self.passed[wanted] < int(nth):
            return False
        try:
            self.trap.rename(self.trap.with_name(f"sprung-{os.getpid()}"))
        except FileNotFoundError:  # another process was faster
            return False
        self.log = Path(log)
        return True

    def passing(self, point: str) -> None:
        if self.springs(point):
            stand_still()

    def has_accepted(self, recipient: str) -> bool:
        return f"\t{recipient}\t" in self.log.read_text()


def stand_still() -> None:
    """Stop the process, and this thread before it returns: sent to the process, the signal would find it lines later."""
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def lay(traps: Traps) -> None:
    """Wrap the engine's functions, so that each point is passed where its name says."""
    watch_ledger(traps)
    watch_envelope(traps)
    watch_body(traps)
    watch_dot(traps)


def watch_ledger(traps: Traps) -> None:
    """`claim`: the rows are ours, nothing else has happened. `record`: replies were heard, and journalled. `burial`: it
    has begun to settle what another dead process left."""
    from delivery.claims import ClaimedMessage  # noqa: PLC0415 -- Django must be ready
    from mailsales.ledger import Ledger  # noqa: PLC0415 -- Django must be ready

    execute, settle = Ledger.execute, ClaimedMessage.settle

    def watched_settle(self: ClaimedMessage, reply: Any) -> None:
        traps.heard.add(self._recipient.message_id)
        settle(self, reply)

    async def watched(self: Ledger, name: str, **values: Any) -> Any:
        if name == "record" and not traps.heard.isdisjoint(values["ids"]):  # else it settles what others left
            traps.passing("record")
        rows = await execute(self, name, **values)
        if name == "claim" and rows:
            traps.passing("claim")
        if name == "close_generation" and values["who"] == "replayer":
            traps.passing("burial")
        return rows

    ClaimedMessage.settle = watched_settle  # type: ignore[method-assign]
    Ledger.execute = watched  # type: ignore[method-assign]


def watch_envelope(traps: Traps) -> None:
    """`connect`: the session is open. `mail`, `rcpt`: the command has left and its reply is here. `heard`: the reply to
    the dot is here, in this process alone."""
    from delivery.connections import Connection  # noqa: PLC0415 -- Django must be ready
    from delivery.sessions import Session  # noqa: PLC0415 -- Django must be ready

    connect, hear = Connection.connect, Connection._hear

    async def watched_connect(self: Session) -> None:
        await connect(self)
        traps.passing("connect")

    def watched_hear(self: Connection, command: str, code: int, lines: list[bytes]) -> None:
        if command in ("mail", "rcpt"):
            traps.passing(command)
        hear(self, command, code, lines)
        if command == "dot":
            traps.passing("heard")

    Connection.connect = watched_connect  # type: ignore[method-assign]
    Connection._hear = watched_hear  # type: ignore[method-assign]


def watch_body(traps: Traps) -> None:
    """`half`: half the body has left."""
    from delivery.connections import Connection  # noqa: PLC0415 -- Django must be ready

    send_body = Connection._send_body

    def watched(self: Connection) -> None:
        if not traps.springs("half"):
            send_body(self)
            return
        assert self._current
        body = self._current.body
        self._transport.write(body[: len(body) // 2])
        self._loop.call_later(FLUSH_SECONDS, stand_still)

    Connection._send_body = watched  # type: ignore[method-assign]


def watch_dot(traps: Traps) -> None:
    """`dot`: before it. `journal`: DOT is journalled, nothing has left. `reply`: the receiver has the message on its disk."""
    from delivery.claims import ClaimedMessage  # noqa: PLC0415 -- Django must be ready
    from delivery.connections import Connection  # noqa: PLC0415 -- Django must be ready

    begin_dot, send_dot = ClaimedMessage.begin_dot, Connection._send_dot

    def watched_begin(self: ClaimedMessage) -> bool:
        traps.passing("dot")
        may_go = begin_dot(self)
        if may_go:
            traps.passing("journal")
        return may_go

    def watched_send(self: Connection, rest: bytes) -> None:
        send_dot(self, rest)
        if self._last and traps.springs("reply"):
            wait_for_disk(self._last.recipient.decode(), self._loop.call_later)

    def wait_for_disk(recipient: str, call_later: Callable[..., Any]) -> None:
        if traps.has_accepted(recipient):
            stand_still()
        else:
            call_later(LOOK_SECONDS, wait_for_disk, recipient, call_later)

    ClaimedMessage.begin_dot = watched_begin  # type: ignore[method-assign]
    Connection._send_dot = watched_send  # type: ignore[method-assign]


def hasten() -> None:
    """Have workers look for the journals of the dead, and take over their shares, sooner than after 5 and 10 s."""
    from delivery import shares, worker  # noqa: PLC0415 -- Django must be ready

    worker.REPLAY_SECONDS = float(os.environ.get("VICTIM_REPLAY_SECONDS", worker.REPLAY_SECONDS))
    shares.LEASE = float(os.environ.get("VICTIM_LEASE_SECONDS", shares.LEASE))


if __name__ == "__main__":
    from celery.__main__ import main

    import mailsales.celery  # noqa: F401 -- it says where Django's settings are

    django.setup()
    lay(Traps(Path(sys.argv.pop(1))))
    hasten()
    main()
