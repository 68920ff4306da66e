"""PostgreSQL and Valkey for as long as somebody needs them: a command, a run of tests, the whole stack."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mailsales.stack import lock, processes, state
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


@dataclass
class Ownership:
    """The right to start services under `var`; `is_fresh` tells whether the former owner left in order."""

    var: Path
    is_fresh: bool = True
    owner: lock.Lock = field(init=False)
    alive: lock.Lock = field(init=False)

    def __post_init__(self) -> None:
        self.owner, self.alive = lock.owner(self.var), lock.alive(self.var)

    def take(self, *, wait: float = 0) -> bool:
        if not self.owner.take(wait=wait):
            return False
        self.alive.take(wait=1)
        self.is_fresh = not state.remove(self.var)
        return True

    def release(self) -> None:
        self.alive.release()
        self.owner.release()


@contextmanager
def services(var: Path, *, durable: bool = True) -> Iterator[Services]:
    """Run PostgreSQL and Valkey under `var` for the block; raise `StackIsRunning` when somebody runs them already.

    Without `durable` nothing is synced to disk: for tests. Call it from the main thread (`processes.spawn` says why).
    """
    var = var.resolve()
    ownership = Ownership(var)
    if not ownership.take(wait=SECONDS_TO_DIE):
        raise StackIsRunning(f"The services under {var} are already running.")
    try:
        with started(ownership, durable=durable) as found:
            yield found
    finally:
        ownership.release()


@contextmanager
def started(ownership: Ownership, *, durable: bool = True, database: str = "", redis: str = "") -> Iterator[Services]:
    """Run for the block what has no address yet; the ownership must be taken."""
    var, held = ownership.var, ownership.owner.descriptor
    wanted: list[Valkey | Postgres] = []
    if not redis:
        wanted.append(Valkey(var, held, durable))
    if not database:
        wanted.append(Postgres(var, held, durable))
    running: list[tuple[Valkey | Postgres, subprocess.Popen[bytes]]] = []
    try:
        for service in wanted:
            service.prepare()
            running.append((service, service.start()))
        for service, child in running:
            service.wait(child)
        found = {service.name: service.url for service in wanted}
        yield Services(database or found["postgres"], redis or found["valkey"])
    finally:
        for service, child in reversed(running):
            processes.stop(child, service.stop_signal, within=SECONDS_TO_STOP)
