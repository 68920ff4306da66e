"""Read settings from the environment and `.env` as raw text; a wrong value is collected, never raised.

While settings are being imported no system check can speak yet: each reader puts in a safe value and adds a
`Problem`, which `mailsales/checks.py` reports with its hint.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ

from mailsales import routes

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Problem:
    name: str
    text: str
    hint: str


PROBLEMS: list[Problem] = []


def load() -> None:
    """Read `.env` beside `manage.py`; what the environment already says wins."""
    environ.Env.read_env(ROOT / ".env")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def number(name: str, default: int, *, low: int = 0, high: int = 65_535) -> int:
    """Return a whole number between low and high."""
    raw = text(name)
    if not raw:
        return default
    if raw.isdecimal() and low <= int(raw) <= high:
        return int(raw)
    return _wrong(
        name, f"is “{raw}”", f"Give a whole number from {low} to {high}, for example {name}={default}.", default
    )


def numbers(name: str, default: tuple[int, ...], *, low: int, high: int) -> tuple[int, ...]:
    """Return whole numbers between low and high, of which there is at least one."""
    raw = words(name)
    if not raw:
        return default
    if all(part.isdecimal() and low <= int(part) <= high for part in raw):
        return tuple(int(part) for part in raw)
    example = ",".join(str(number) for number in default)
    hint = f"Give whole numbers from {low} to {high}, for example {name}={example}."
    return _wrong(name, f"is “{text(name)}”", hint, default)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    raw = text(name, default)
    if raw in allowed:
        return raw
    return _wrong(name, f"is “{raw}”", f"Use one of: {', '.join(allowed)}.", default)


def words(name: str, default: str = "") -> list[str]:
    """Return the parts of a comma-separated value."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def addresses(name: str, default: str = "") -> list[str]:
    """Return the IP addresses of a comma-separated value."""
    raw = words(name, default)
    try:
        return [str(ip_address(part)) for part in raw]
    except ValueError:
        hint = f"Give IP addresses, for example {name}=203.0.113.5,2001:db8::5."
        return _wrong(name, f"is “{', '.join(raw)}”", hint, [])


def url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    """Return an address whose scheme is one of the given ones; empty stays empty."""
    raw = text(name, default)
    if not raw:
        return raw
    try:
        parts = urlsplit(raw)
        is_right = parts.scheme in schemes and bool(parts.netloc or parts.path.strip("/"))
        _ = parts.port
    except ValueError:
        is_right = False
    if is_right:
        return raw
    return _wrong(name, f"is “{raw}”", f"Write it as {schemes[0]}://…", default)


def route(name: str, default: str) -> str:
    """Return where mail goes, as `mailsales.routes` reads it."""
    raw = text(name, default)
    try:
        routes.parse(raw)
    except ValueError as error:
        return _wrong(name, f"is wrong: {error}", f"Write {name}=sandbox, mx, or smtp://host:port.", default)
    return raw


def database(name: str, raw: str) -> dict[str, Any]:
    """Return Django's settings of a PostgreSQL database; empty when there is no address."""
    if not raw:
        return {}
    if not raw.startswith(("postgresql://", "postgres://")):
        return _wrong(name, f"is “{raw}”", f"Write {name}=postgresql://user:password@host/mailsales.", {})
    found: dict[str, Any] = dict(environ.Env.db_url_config(raw))
    options = dict(found.pop("OPTIONS", None) or {})
    if host := options.pop("host", None):
        found["HOST"] = host
    if not found.get("NAME"):
        return _wrong(
            name,
            "names no database",
            f"End it with the database, for example {name}=postgresql://user:password@host/mailsales.",
            {},
        )
    return {**found, "OPTIONS": options}


def secret_key(name: str, var: Path, *, is_production: bool) -> str:
    """Return the secret key: from the environment, else (not in production) one made on first use under `var`."""
    if raw := text(name):
        if is_production and len(raw) < 32:
            return _wrong(name, "is too short", "Use at least 32 random characters.", raw)
        return raw
    if is_production:
        hint = f"Set {name} to at least 32 random characters and keep them: links in mail already sent depend on it."
        return _wrong(name, "is missing", hint, secrets.token_urlsafe(48))
    file = var / "secret_key.txt"
    if not file.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = var / f"secret_key.{os.getpid()}"
        with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
            new.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)  # the first of several processes wins
        draft.unlink()
    return file.read_text().strip()


def _wrong(name: str, text: str, hint: str, default: T) -> T:
    PROBLEMS.append(Problem(name, text, hint))
    return default
