"""The processes that a bench measures: those of the running stack, or workers and a web process of its own."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from mailsales.celery import app
from mailsales.stack import ports, processes
from mailsales.stack.programs import Plan, Program

SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 10.0


class NotStarted(Exception):
    """A process of the bench did not come up; the text names its log."""


@dataclass(frozen=True)
class Processes:
    """Process ids; empty where they run on another machine."""

    workers: list[int]
    postgres: list[int]


@contextmanager
def workers(environment: Mapping[str, str] | None = None) -> Iterator[Processes]:
    """Use the workers that answer, or start all of them and beat for the duration of the block.

    With an environment of their own they must be started here: raise NotStarted if others answer.
    """
    with ExitStack() as stack:
        answering = app.control.ping(timeout=1)
        if answering and environment:
            raise NotStarted("Workers are running already. Stop them (Ctrl-C of make run): this bench needs its own.")
        if not answering:
            plan = _plan(environment or {})
            for program in (*plan.workers(), plan.beat()):
                stack.enter_context(_running(program))
        yield Processes(_worker_pids(), _postgres_pids())


@contextmanager
def web() -> Iterator[None]:
    """Use the web process at PORT, or start one for the duration of the block."""
    if ports.answers(settings.PORT):
        yield
    else:
        with _running(_plan({}).web()):
            yield


def _plan(more: Mapping[str, str]) -> Plan:
    here = {"DATABASE_URL": settings.DATABASE_URL, "REDIS_URL": settings.REDIS_URL, "MAILSALES_VAR": str(settings.VAR)}
    nothing = os.open(os.devnull, os.O_RDONLY)  # these processes are ours, not the stack's: they hold no lock
    environment = {**os.environ, **here, **more}
    return Plan(
        settings.VAR, nothing, "127.0.0.1", settings.PORT, settings.SANDBOX_PORT, settings.INBOUND_PORT, environment
    )


@contextmanager
def _running(program: Program) -> Iterator[None]:
    child = program.start()
    try:
        until = time.monotonic() + SECONDS_TO_START
        while not program.answers():
            if child.poll() is not None or time.monotonic() > until:
                raise NotStarted(f"{program.name} did not start. {program.log} says why.")
            time.sleep(0.05)
        yield
    finally:
        processes.stop(child, signal.SIGTERM, within=SECONDS_TO_STOP)


def _worker_pids() -> list[int]:
    """Return the main processes of the bulk workers on this machine."""
    stats = app.control.inspect(timeout=2).stats() or {}
    here = socket.gethostname()
    return [said["pid"] for name, said in stats.items() if name == f"bulk@{here}"]


def _postgres_pids() -> list[int]:
    """Return the server's main process, if it runs on this machine."""
    if not str(connection.settings_dict["HOST"]).startswith("/"):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    status = Path(f"/proc/{backend}/status").read_text()
    return [int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")]
