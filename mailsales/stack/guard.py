"""A process that ends others when its pipe closes: what macOS needs in place of the kernel's death signal.

    python -m mailsales.stack.guard    reads lines "PID SIGNAL" on stdin; at the end of input it signals each of them

Only the parent holds the pipe's other end, so the input ends when the parent does, however it was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

GRACE_SECONDS = 3.0


class Guard:
    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)

    def watch(self, pid: int, death: int) -> None:
        """End the process group of `pid` with this signal once we are gone."""
        if self.process.stdin:
            self.process.stdin.write(f"{pid} {death}\n".encode())
            self.process.stdin.flush()


def keep(lines: Iterable[str]) -> None:
    """Read whom to end until the input is over, then end them: kindly first, for good after the grace."""
    wards = {int(pid): int(death) for pid, death in (line.split() for line in lines)}
    for pid, death in wards.items():
        send(pid, death)
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until and any(send(pid, 0) for pid in wards):
        time.sleep(0.1)
    for pid in wards:
        send(pid, signal.SIGKILL)


def send(pid: int, number: int) -> bool:
    """Return whether there was a group to send the signal to."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
        return True
    return False


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(sys.stdin)
