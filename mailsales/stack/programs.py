"""The processes of the stack: what each runs, how it is seen to be up, and when it may be started again."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailsales.environment import ROOT
from mailsales.stack import ports, processes

PYTHON = [sys.executable]
CELERY = [*PYTHON, "-m", "celery", "-A", "mailsales.celery"]
WORKER = [*CELERY, "worker", "--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "INFO"]
PROCESSES = {"bulk": 2, "fast": 2, "slow": 1}  # of each worker
SETTLED_SECONDS = 10.0  # who lived this long is started again at once
LONGEST_PAUSE = 30.0


@dataclass
class Program:
    """One process that is kept running. `is_up` is asked only while it runs."""

    name: str
    command: list[str]
    log: Path
    lock: int
    is_up: Callable[[Program], bool]
    environment: Mapping[str, str] | None = None
    stop_signal: int = signal.SIGTERM
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    log_start: int = field(default=0, init=False)
    began: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)
    failures: int = field(default=0, init=False)
    was_up: bool = field(default=False, init=False)

    def start(self) -> subprocess.Popen[bytes]:
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        death = self.stop_signal
        self.child = processes.spawn(
            self.command, log=self.log, lock=self.lock, death=death, environment=self.environment
        )
        self.began, self.was_up = time.monotonic(), False
        return self.child

    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def answers(self) -> bool:
        """Return whether it runs and was seen to work since its start."""
        self.was_up = self.is_running() and (self.was_up or self.is_up(self))
        return self.was_up

    def bury(self) -> str | None:
        """Return how the child ended, once, and set when it is due again; None while it lives or was not started."""
        if self.child is None or self.child.poll() is None:
            return None
        code = self.child.returncode
        self.failures = 0 if time.monotonic() - self.began > SETTLED_SECONDS else self.failures + 1
        self.due = time.monotonic() + (min(0.2 * 2**self.failures, LONGEST_PAUSE) if self.failures > 1 else 0)
        self.child = None
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"

    def logged(self, words: bytes) -> bool:
        """Return whether the log has these words from this start of the program."""
        with self.log.open("rb") as log:
            log.seek(min(self.log_start, self.log.stat().st_size))
            return words in log.read()


@dataclass(frozen=True)
class Plan:
    """What the processes of Django need to know."""

    var: Path
    lock: int
    host: str
    port: int
    sandbox_port: int
    inbound_port: int
    environment: Mapping[str, str]

    def program(self, name: str, command: list[str], is_up: Callable[[Program], bool]) -> Program:
        environment = {**self.environment, "MAILSALES_PROCESS": name.partition("-")[0]}
        return Program(name, command, self.var / "log" / f"{name}.log", self.lock, is_up, environment)

    def web(self) -> Program:
        place = ["--host", self.host, "--port", str(self.port)]
        options = ["--interface", "wsgi", "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "2"]
        command = [
            *PYTHON,
            "-m",
            "granian",
            *place,
            *options,
            "--blocking-threads",
            "4",
            "--workers",
            "2",
            "mailsales.wsgi:application",
        ]
        return self.program("web", command, lambda _: ports.answers(self.port) and ports.serves(self.port))

    def mail(self) -> list[Program]:
        """The two SMTP servers: the sandbox takes mail in place of the world, inbound takes what the world sends back."""
        manage = [*PYTHON, str(ROOT / "manage.py")]
        return [
            self.program("sandbox", [*manage, "sandbox"], lambda _: ports.answers(self.sandbox_port)),
            self.program("inbound", [*manage, "receivemail"], lambda _: ports.answers(self.inbound_port)),
        ]

    def workers(self) -> list[Program]:
        return [
            self.program(
                f"worker-{queue}",
                [*WORKER, "-Q", queue, "-n", f"{queue}@%h", "-c", str(count)],
                lambda program: program.logged(b" ready."),
            )
            for queue, count in PROCESSES.items()
        ]

    def beat(self) -> Program:
        # No pidfile: after a kill -9 a stale one, its pid used again, would keep beat from starting.
        command = [*CELERY, "beat", "--pidfile=", "-s", str(self.var / "run" / "beat"), "-l", "WARNING"]
        return self.program("beat", command, lambda program: time.monotonic() - program.began > 1)
