"""How much processor time processes have used, and how much memory, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """Return the process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = task.read_text().split()
        except OSError:
            continue
        for child in below:
            found += children_of(int(child))
    return found


def seconds(pids: Iterable[int]) -> float:
    """Return the processor seconds of process trees, with those of children that have ended."""
    return sum(_seconds(each) for pid in pids for each in children_of(pid))


def peak_rss_mb(pids: Iterable[int]) -> float:
    """Return the largest resident size that any process of the trees has had, in MB."""
    return max((_peak(each) for pid in pids for each in children_of(pid)), default=0.0)


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICK


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)
