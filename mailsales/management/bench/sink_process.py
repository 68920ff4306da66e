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
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        if address:
            host, _colon, port = address.rpartition(":")
            yield Sink(int(port), host, None, report)
            return
        port_file = Path(folder) / "port"
        process = subprocess.Popen([sys.executable, "-m", "mailsales.management.bench.sink", port_file, report])
        try:
            while not (port_file.exists() and port_file.read_text()):
                if process.poll() is not None:
                    raise BenchFailed("The sink did not start.")
                time.sleep(0.02)
            yield Sink(int(port_file.read_text()), "127.0.0.1", process, report)
        finally:
            process.kill()
            process.wait()
