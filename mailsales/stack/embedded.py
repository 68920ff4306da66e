"""PostgreSQL and Valkey for as long as somebody needs them: a command, a run of tests, the whole stack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailsales.stack import lock, processes
from mailsales.stack.postgres import Postgres
from mailsales.stack.valkey import Valkey

SECONDS_TO_STOP = 30.0  # of a server that nobody is waiting for; `make run` is stricter
SECONDS_TO_DIE = 5.0  # until the last child of a killed run is gone


@dataclass(frozen=True)
class Services:
    database_url: str
    redis_url: str


class StackIsRunning(Exception):
    """Somebody else holds the lock: the services under this folder are already up."""


@contextmanager
def services(var: Path, *, durable: bool = True) -> Iterator[Services]:
    """Run PostgreSQL and Valkey under `var` for the duration of the block; raise `StackIsRunning` when they run already.

    Without `durable` nothing is synced to disk: for tests. Call it from the main thread (`processes.spawn` says why).
    """
    var = var.resolve()
    owner = lock.owner(var)
    if not owner.take(wait=SECONDS_TO_DIE):
        raise StackIsRunning(f"The services under {var} are already running.")
    try:
        with started(Postgres(var, owner.descriptor, durable), Valkey(var, owner.descriptor, durable)) as (
            postgres,
            valkey,
        ):
            yield Services(postgres.url, valkey.url)
    finally:
        owner.release()


@contextmanager
def started(postgres: Postgres, valkey: Valkey) -> Iterator[tuple[Postgres, Valkey]]:
    """Run both for the duration of the block; the lock must be held."""
    running: list[tuple[Postgres | Valkey, subprocess.Popen[bytes]]] = []
    try:
        for service in (valkey, postgres):
            service.prepare()
            running.append((service, service.start()))
        for service, child in running:
            service.wait(child)
        yield postgres, valkey
    finally:
        for service, child in reversed(running):
            processes.stop(child, service.stop_signal, within=SECONDS_TO_STOP)
