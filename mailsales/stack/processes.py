"""Child processes that never outlive their parent, whatever kills it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mailsales.environment import ROOT
from mailsales.stack.guard import Guard

PR_SET_PDEATHSIG = 1
LOG_BYTES = 10_000_000  # a log beyond this is set aside when its process starts
_libc = ctypes.CDLL(None)
_guard: Guard | None = None


def die_with_parent(parent: int, number: int) -> None:
    """Have the kernel send us a signal when the parent's main thread ends; leave at once when it already has."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def open_log(path: Path) -> int:
    """Return a descriptor that appends to the log; a log grown large becomes `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    lock: int,
    death: int = signal.SIGTERM,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, holding the lock; call it from the main thread alone.

    The kernel's death signal follows the *thread* that forked: a child of a helper thread would die with that thread.
    """
    out = open_log(log)
    try:
        child = subprocess.Popen(
            command,
            preexec_fn=_farewell(os.getpid(), death),
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=(lock,),
            env=environment,
            cwd=ROOT,
        )
    finally:
        os.close(out)
    if sys.platform != "linux":
        guard().watch(child.pid, death)
    return child


def guard() -> Guard:
    """Return the guard that stands in for the death signal where the kernel has none (macOS)."""
    global _guard
    if _guard is None:
        _guard = Guard()
    return _guard


def stop(child: subprocess.Popen[bytes], number: int, *, within: float) -> bool:
    """Ask the child to end by a signal, then wait for it."""
    with suppress(ProcessLookupError):
        child.send_signal(number)
    return await_end(child, within=within)


def await_end(child: subprocess.Popen[bytes], *, within: float) -> bool:
    """Wait for a child that was asked to end, and kill its group when it is late; return whether it went by itself."""
    try:
        child.wait(timeout=max(within, 0))
        return True
    except subprocess.TimeoutExpired:
        kill_group(child)
        return False


def kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _farewell(parent: int, death: int) -> Callable[[], None]:
    return lambda: die_with_parent(parent, death)
