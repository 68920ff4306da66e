"""A stack of its own for the tests of the stack: `manage.py stack` as people run it, under a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mailsales.environment import ROOT
from mailsales.stack import lock, state


def environment(var: Path, **more: str) -> dict[str, str]:
    """Return an environment as bare as `env -i` gives, so that nothing of the tests' own services leaks in."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    return {**kept, "MAILSALES_VAR": str(var), **more}


def manage(*words: str, var: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    return subprocess.run(command, env=environment(var, **more), capture_output=True, text=True, timeout=60, cwd="/")


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def is_there(pid: int) -> bool:
    """Return whether the process lives; one that only waits for its parent to take notice does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def relatives(var: Path) -> set[int]:
    """Return every process that was started for this folder: it holds the lock or has the folder's name."""
    return {int(path.name) for path in Path("/proc").glob("[0-9]*") if is_there(int(path.name)) and belongs(path, var)}


def belongs(process: Path, var: Path) -> bool:
    with suppress(OSError):
        if f"MAILSALES_VAR={var}\0".encode() in (process / "environ").read_bytes():
            return True
        return any(os.readlink(link) == str(var / "stack.lock") for link in (process / "fd").iterdir())
    return False


class RunningStack:
    def __init__(self, **more: str) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="mailsales stack "))
        (self.var / "demo.txt").write_text("demo\nfour quiet words\n")  # there is one, so none is made
        self.more = more
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(ROOT / "manage.py"), "stack"]
        self.out = (self.var / "out.txt").open("w+")
        more = {**self.more, "MAILSALES_DIE_WITH_PARENT": str(os.getpid())}
        self.process = subprocess.Popen(
            command, env=environment(self.var, **more), stdout=self.out, stderr=self.out, cwd="/"
        )

    def said(self) -> str:
        self.out.flush()
        return (self.var / "out.txt").read_text()

    def state(self) -> state.State:
        found = state.read(self.var)
        assert found, self.said()
        return found

    def is_ready(self) -> bool:
        return "Ctrl-C" in self.said() or self.process.poll() is not None

    def wait(self) -> None:
        assert until(self.is_ready, seconds=60), self.said()
        assert self.process.poll() is None, self.said()

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://localhost:{self.state().port}{path}", timeout=10) as answer:
            return int(answer.status)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def clear(self) -> None:
        """End whatever a failed test left running, and remove the folder."""
        self.kill()
        until(self.is_gone, seconds=6)
        shutil.rmtree(self.var)

    def stop(self) -> float:
        """Press Ctrl-C and return how many seconds the end took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        self.out.close()
        return time.monotonic() - began

    def is_gone(self) -> bool:
        return not relatives(self.var) and not lock.owner_lives(self.var)


def pids(stack: RunningStack) -> dict[str, int]:
    return dict(json.loads(state.place(stack.var).read_text())["pids"])
