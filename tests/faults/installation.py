"""An installation to break: PostgreSQL and Valkey that keep their data, Celery's processes, all under a temporary folder.

While it runs, Django's default connection of the tests leads to its database.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from celery import Celery
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from mailsales.stack import processes
from mailsales.stack.postgres import Postgres
from mailsales.stack.programs import WORKER, Plan, Program
from mailsales.stack.sockets import NAME as SOCKET
from mailsales.stack.valkey import Valkey
from tests.faults.pace import IS_LONG, PATIENCE
from tests.stack.running import environment, is_there

STOP_SECONDS = 2  # of a worker that is asked to end
BULK_PROCESSES = 2
# `make test` has no time for the engine's own pace.
PACE = {} if IS_LONG else {"VICTIM_REPLAY_SECONDS": "0.5", "VICTIM_LEASE_SECONDS": "1.5"}
VICTIM = [sys.executable, "-m", "tests.faults.victim"]

_running: list[Installation] = []


class Installation:
    """One set of processes. All of it is called from the main thread: `processes.spawn` says why."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.traps = var / "traps"
        self.traps.mkdir()
        nothing = os.open(os.devnull, os.O_RDONLY)  # nobody else looks for this stack: there is no lock to inherit
        self.postgres = Postgres(var, nothing)
        self.valkey = Valkey(var, nothing)
        self.plan = Plan(var, nothing, "127.0.0.1", 8000, 2525, 2526, self.environment())
        self.programs: dict[str, Program] = {}
        self.bells = Celery(broker=self.broker_url, set_as_current=False)

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.valkey.socket}?virtual_host=0"

    def environment(self) -> dict[str, str]:
        return environment(
            self.var,
            DATABASE_URL=self.postgres.url,
            REDIS_URL=self.valkey.url,
            SECRET_KEY=settings.SECRET_KEY,
            STOP_SECONDS=str(STOP_SECONDS),
            **PACE,
        )

    # -- starting and ending ---------------------------------------------------------------------

    def start_services(self) -> None:
        for service in (self.valkey, self.postgres):
            service.prepare()
            self.start_again(service)

    def start_workers(self) -> None:
        """Start what is not running, and return when all of it works."""
        fast, beat = self.plan.workers()[1], self.plan.beat()
        for program in (self.bulk(), fast, beat):
            if not self.is_running(program.name):
                self.start(program)
        self.wait_for("worker-bulk", fast.name)

    def bulk(self) -> Program:
        words = [str(self.traps), *WORKER[3:], "-Q", "bulk", "-n", "bulk@%h", "-c", str(BULK_PROCESSES)]
        bulk = self.plan.program("worker-bulk", [*VICTIM, *words], lambda program: program.logged(b" ready."))
        bulk.stop_signal = (
            signal.SIGKILL
        )  # once we are gone: it could not end in order beside a child that stands still
        return bulk

    def another_beat(self) -> Program:
        beat = self.plan.beat()
        return self.plan.program(
            "beat-2", [f"{word}-2" if "run/beat" in word else word for word in beat.command], beat.is_up
        )

    def start(self, program: Program) -> None:
        self.programs[program.name] = program
        program.start()

    def wait_for(self, *names: str) -> None:
        until = time.monotonic() + PATIENCE
        while not all(self.programs[name].answers() for name in names):
            assert time.monotonic() < until, f"{names} did not start; {self.var / 'log'} says why"
            time.sleep(0.05)

    def is_running(self, name: str) -> bool:
        return name in self.programs and self.programs[name].is_running()

    def end(self, name: str, number: int = signal.SIGTERM, *, within: float = 20.0) -> bool:
        """Send the signal and wait; return whether it went by itself."""
        child = self.programs.pop(name).child
        return child is None or processes.stop(child, number, within=within)

    def clear(self) -> None:
        """Leave no process behind, and no file."""
        self.bells.close()
        for program in self.programs.values():
            if program.child and program.name != "postgres":
                processes.kill_group(program.child)
        if "postgres" in self.programs:
            self.end("postgres", signal.SIGQUIT)
        shutil.rmtree(self.var)

    # -- outages ---------------------------------------------------------------------------------

    def stop_postgres(self, number: int) -> None:
        """SIGINT: sessions are cut, a checkpoint is written. SIGQUIT: at once, as if the power had failed."""
        connection.close()
        self.end("postgres", number)

    def start_postgres(self) -> None:
        for stale in (self.postgres.data / "postmaster.pid", self.postgres.sockets / f"{SOCKET}.lock"):
            stale.unlink(missing_ok=True)
        self.start_again(self.postgres)

    def kill_valkey(self) -> None:
        """End it with -9, and everything it knew."""
        self.end("valkey", signal.SIGKILL)
        shutil.rmtree(self.valkey.data)

    def start_valkey(self) -> None:
        self.valkey.prepare()
        self.start_again(self.valkey)

    def start_again(self, service: Postgres | Valkey) -> None:
        program = Program(service.name, service.command(), service.log, service.lock, lambda _: True)
        self.start(program)
        assert program.child
        service.wait(program.child)

    def black_out(self) -> None:
        """End all of it with -9; PostgreSQL the way it ends itself when one of its own is killed."""
        for name in [name for name in self.programs if name not in ("postgres", "valkey")]:
            self.end(name, signal.SIGKILL)
        self.kill_valkey()
        self.stop_postgres(signal.SIGQUIT)

    # -- what it does ----------------------------------------------------------------------------

    def children(self) -> list[int]:
        """Return the processes that send: those with an open generation."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM generation WHERE closed_at IS NULL ORDER BY id")
            return [pid for (pid,) in cursor.fetchall() if is_there(pid)]

    def ring(self, task: str, *args: Any) -> None:
        queue = "bulk" if task == "delivery.run_lane" else "fast"
        self.bells.send_task(task, args=args, queue=queue)


def wake(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def current() -> Installation:
    return _running[-1]


@contextmanager
def running() -> Iterator[Installation]:
    """Run an installation for the block, migrated, and lead Django to it."""
    installation = Installation(Path(tempfile.mkdtemp(prefix="mailsales-faults-")))
    try:
        installation.start_services()
        with leading_to(installation):
            call_command("migrate", verbosity=0)
            installation.start_workers()
            _running.append(installation)
            yield installation
    finally:
        if installation in _running:
            _running.remove(installation)
        installation.clear()


@contextmanager
def leading_to(installation: Installation) -> Iterator[None]:
    """Have Django's default connection lead to the installation's database."""
    kept = {name: connection.settings_dict[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    there = {
        "NAME": "mailsales",
        "USER": "mailsales",
        "PASSWORD": "",
        "HOST": str(installation.postgres.sockets),
        "PORT": "",
    }
    connection.close()
    connection.settings_dict.update(there)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)
