"""A mail server from its first to its last second: a home with its users and its resolver, a port, a process group."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.delivery.real_servers.packages import library, library_path

NOBODY = 65534
PATIENCE = 15.0  # seconds until a server must listen, and until it must have ended
ENVIRONMENT = (
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "NSS_WRAPPER_PASSWD",
    "NSS_WRAPPER_GROUP",
    "UID_WRAPPER",
    "UID_WRAPPER_ROOT",
    "RESOLV_WRAPPER_CONF",
)


@dataclass(frozen=True)
class Place:
    """Where a server lives and whom it knows. It listens at `port`; mail to `bounces` and to `refusing.example` leaves for
    the ports of our own servers, every other domain is looked up at `resolver`, or not at all.
    """

    home: Path
    port: int
    bounces: str
    bounces_port: int
    refusing_port: int
    resolver: str = ""

    @property
    def uid(self) -> int:
        return os.geteuid() or NOBODY


@contextmanager
def running(configure: Callable[[Place], list[str]], **place: object) -> Iterator[Place]:
    """Let a server run. `configure` writes its configuration and returns its command line."""
    with TemporaryDirectory(prefix="mailsales-server-") as folder:
        here = Place(home=Path(folder), port=_free_port(), **place)  # type: ignore[arg-type]
        environment, argv = _disguise(here), configure(here)
        as_whom: dict[str, object] = {}
        if os.geteuid() == 0:
            as_whom = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            for path in [here.home, *here.home.rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        with open(here.home / "said", "wb") as said:
            process = subprocess.Popen(
                argv, env=environment, stdout=said, stderr=said, start_new_session=True, **as_whom
            )  # type: ignore[call-overload]
        try:
            _until_it_listens(process, here)
            yield here
        finally:
            _end(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _disguise(place: Place) -> dict[str, str]:
    """Write users, groups and resolver of a server, and return the environment that makes it believe in them."""
    home, uid = place.home, place.uid
    users = {"root": 0, "postfix": uid, "Debian-exim": uid, "nobody": uid + 1}
    groups = {**users, "postdrop": uid + 2, "nogroup": uid + 1}
    home.joinpath("passwd").write_text("".join(f"{name}:x:{n}:{n}::/:/bin/false\n" for name, n in users.items()))
    home.joinpath("group").write_text("".join(f"{name}:x:{n}:\n" for name, n in groups.items()))
    home.joinpath("resolv.conf").write_text(f"nameserver {place.resolver or '127.0.0.1'}\noptions attempts:1\n")
    wrappers = ("libnss_wrapper.so", "libuid_wrapper.so", "libresolv_wrapper.so")
    return {
        "LD_PRELOAD": " ".join(str(library(name)) for name in wrappers),
        "LD_LIBRARY_PATH": library_path(),
        "NSS_WRAPPER_PASSWD": str(home / "passwd"),
        "NSS_WRAPPER_GROUP": str(home / "group"),
        "RESOLV_WRAPPER_CONF": str(home / "resolv.conf"),
        "UID_WRAPPER": "1",
    }


def _until_it_listens(process: subprocess.Popen[bytes], place: Place) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", place.port)).close()
            return
        except ConnectionRefusedError:
            said = place.home.joinpath("said").read_text(errors="replace")
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"The server does not listen. It said: {said}") from None
            time.sleep(0.02)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and all its children, which are a process group of their own."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
