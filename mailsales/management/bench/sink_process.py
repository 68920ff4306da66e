"""The sink of a bench as a process: started, and asked at its end what it received."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailsales.management.bench.sink import Received


class BenchFailed(Exception):
    """The ledger and the sink do not agree, or something did not come to its end."""


@dataclass(frozen=True)
class Sink:
    """Where the bench sends. `finish` ends it and returns what it received; None for a sink that somebody else runs."""

    port: int
    host: str
    process: subprocess.Popen[bytes] | None
    report: Path

    def finish(self) -> Received | None:
        if self.process is None:
            return None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return Received(**json.loads(self.report.read_text()))


@contextmanager
def sink(address: str | None) -> Iterator[Sink]:
    """Start a sink process, or use the one at HOST:PORT."""
    if address:
        host, _colon, port = address.rpartition(":")
        yield Sink(int(port), host, None, Path())
    else:
        with own_sink("127.0.0.1") as started:
            yield started


@contextmanager
def own_sink(host: str, port: int = 0, seconds: float = 0.0) -> Iterator[Sink]:
    """Start a sink at a loopback address (port 0: any) that answers a final dot after so many seconds."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        place = [host, str(port), str(seconds)]
        with process("sink", Path(folder) / "port", str(report), *place) as (child, port):
            yield Sink(port, host, child, report)


@contextmanager
def process(module: str, port_file: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run a server of the bench, told where to write its port; wait for that, and kill it at the end."""
    child = subprocess.Popen([sys.executable, "-m", f"mailsales.management.bench.{module}", str(port_file), *arguments])
    try:
        while not (port_file.exists() and port_file.read_text()):
            if child.poll() is not None:
                raise BenchFailed(f"The {module} of the bench did not start.")
            time.sleep(0.02)
        yield child, int(port_file.read_text())
    finally:
        child.kill()
        child.wait()
