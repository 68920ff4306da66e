"""Bring the database and the static files up to date before anything is served, and skip it when nothing changed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mailsales.environment import ROOT
from mailsales.stack import processes

SHARED = ("requirements/base.txt", "mailsales/settings.py")  # what also decides which migrations and files there are
COMMANDS = {
    "migrate": ("migrate", "--no-input", "-v", "0"),
    "collectstatic": ("collectstatic", "--no-input", "--clear", "-v", "0"),
}


class UpdateFailed(Exception):
    """`migrate` or `collectstatic` failed; the text is what it said."""


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a hash over names and contents."""
    found = hashlib.blake2s()
    for path in sorted(paths):
        found.update(os.fsencode(path.relative_to(ROOT)) + b"\0" + hashlib.blake2s(path.read_bytes()).digest())
    return found.hexdigest()


def applied(database_url: str) -> str:
    """Return how many migrations the database has seen and which was the last; empty when it has seen none."""
    try:
        with psycopg.connect(database_url) as db:
            return "/".join(map(str, db.execute("SELECT count(*), max(id) FROM django_migrations").fetchone() or ()))
    except psycopg.errors.UndefinedTable:
        return ""


@dataclass
class Updates:
    """What must have been run, each with a stamp under `var/run` that says over which inputs it ran last."""

    var: Path
    lock: int
    database_url: str
    environment: Mapping[str, str]

    def run(self, *names: str) -> list[str]:
        """Run those of `migrate` and `collectstatic` that are due, side by side, and return their names."""
        due = [name for name in names if self.is_due(name)]
        for name, child in [(name, self.begin(name)) for name in due]:
            if child.wait():
                raise UpdateFailed(f"manage.py {name} failed:\n{self.log(name).read_text().strip()}")
            self.stamp(name).parent.mkdir(parents=True, exist_ok=True)
            self.stamp(name).write_text(self.inputs(name))
        return due

    def is_due(self, name: str) -> bool:
        if name == "collectstatic" and not (self.var / "static" / "staticfiles.json").exists():
            return True
        try:
            return self.stamp(name).read_text() != self.inputs(name)
        except FileNotFoundError:
            return True

    def inputs(self, name: str) -> str:
        shared = [ROOT / path for path in SHARED]
        if name == "migrate":
            migrations = fingerprint([*ROOT.glob("*/migrations/*.py"), ROOT / "mailsales/wall.py", *shared])
            return f"{migrations} {applied(self.database_url)}"
        files = (path for top in ("static", "*/static") for path in ROOT.glob(f"{top}/**/*") if path.is_file())
        return fingerprint([*files, *shared])

    def begin(self, name: str) -> subprocess.Popen[bytes]:
        self.log(name).unlink(missing_ok=True)
        command = [sys.executable, str(ROOT / "manage.py"), *COMMANDS[name]]
        return processes.spawn(command, log=self.log(name), lock=self.lock, environment=self.environment)

    def stamp(self, name: str) -> Path:
        return self.var / "run" / f"{name}.stamp"

    def log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"
