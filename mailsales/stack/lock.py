"""Three locks under `var`: who owns the embedded services, who uses them, and whether the owner itself lives.

`stack.lock` belongs to the process that starts PostgreSQL and Valkey, and every child inherits its descriptor: whoever
gets it knows that nothing of the former run is alive. `users.lock` is held in common by commands that use services
which somebody else started, so that a starter which is done first waits for them. `alive.lock` is the owner's alone: no child inherits it.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

STEP = 0.05  # seconds between two looks at a lock that is taken


class Lock:
    """A lock on a file, held until it is released or until its last holder is dead."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = -1

    def take(self, *, wait: float = 0, shared: bool = False) -> bool:
        """Return whether the lock could be had within `wait` seconds."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(descriptor)
                    return False
                time.sleep(STEP)
            else:
                self.descriptor = descriptor
                return True

    def release(self) -> None:
        """Close our descriptor; children that inherited it go on holding the lock."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def owner(var: Path) -> Lock:
    return Lock(var / "stack.lock")


def users(var: Path) -> Lock:
    return Lock(var / "users.lock")


def alive(var: Path) -> Lock:
    return Lock(var / "alive.lock")


def owner_lives(var: Path) -> bool:
    """Return whether the process that started the services is there, and not only children on their way out."""
    probe = alive(var)
    if probe.take(shared=True):
        probe.release()
        return False
    return True
