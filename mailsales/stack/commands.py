"""The services behind a `manage.py` command: those of the running stack, or some for the command's own duration."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mailsales import environment
from mailsales.environment import ROOT
from mailsales.stack import embedded, lock, state
from mailsales.stack.catalogues import compile_catalogues
from mailsales.stack.updates import Updates

# These need neither database nor broker, or bring their own.
ALONE = frozenset(
    [
        "help",
        "check",
        "makemigrations",
        "makemessages",
        "compilemessages",
        "collectstatic",
        "test",
        "readbounce",
        "checkspf",
        "checkdmarc",
        "stack",
        "version",
    ]
)
# These look after the schema themselves; every other command finds it up to date.
SCHEMA = frozenset(["migrate", "showmigrations", "sqlmigrate", "squashmigrations", "dbshell", "flush", "restore"])
SECONDS_TO_FIND = 60.0


class NoServices(Exception):
    """Somebody holds the lock, yet no stack answers."""


@contextmanager
def services_for(argv: Sequence[str]) -> Iterator[None]:
    """Let the command find its services: settings read them from the state file, so nothing goes into the environment."""
    environment.load()
    name = argv[1] if len(argv) > 1 else "help"
    compile_catalogues()
    wanted = not (environment.text("DATABASE_URL") and environment.text("REDIS_URL"))
    if name in ALONE or name.startswith("-") or not wanted or {"-h", "--help"} & set(argv):
        yield
        return
    var = (ROOT / environment.text("MAILSALES_VAR", "var")).resolve()
    ownership, users = embedded.Ownership(var), lock.users(var)
    until = time.monotonic() + SECONDS_TO_FIND
    while time.monotonic() < until:
        if ownership.take():
            with own(ownership, name):
                yield
            return
        if users.take(shared=True):
            if (found := state.read(var)) and found.is_ready and lock.owner_lives(var):
                try:
                    yield
                finally:
                    users.release()
                return
            users.release()
        time.sleep(lock.STEP)
    raise NoServices(f"Another process holds {ownership.owner.path}, but no stack answers.")


@contextmanager
def own(ownership: embedded.Ownership, name: str) -> Iterator[None]:
    """Run services for this command, and for others that come while they run; stop them when the last is done."""
    var, users = ownership.var, lock.users(ownership.var)
    database, redis = environment.text("DATABASE_URL"), environment.text("REDIS_URL")
    try:
        with embedded.started(ownership, database=database, redis=redis) as found:
            ports = (environment.number("PORT", 8000), 2525, 2526)
            said = state.State(found.database_url, found.redis_url, *ports, owner=name, pid=os.getpid(), is_ready=True)
            if name not in SCHEMA and not database:
                variables = {**os.environ, "DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
                Updates(var, ownership.owner.descriptor, found.database_url, variables).run("migrate")
            state.write(var, said)
            try:
                yield
            finally:
                if not users.take():
                    print("Waiting for another command that uses the same services …", file=sys.stderr)
                    users.take(wait=float("inf"))
                state.remove(var)
                users.release()
    finally:
        ownership.release()
