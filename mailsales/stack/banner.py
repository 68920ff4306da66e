"""What `make run` tells the person who typed it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mailsales.environment import ROOT

UPDATED = {"migrate": "The database is up to date.", "collectstatic": "The static files are collected."}
ROW = "  {:<12}{}"


def say(text: str) -> None:
    print(text, flush=True)


def show(var: Path, *, port: int, sandbox_port: int, up: Mapping[str, bool], is_given: bool) -> None:
    """Say where to go, how to sign in, what is up and where the logs are."""
    address = f"http://localhost:{port}"
    note = "" if is_given or port == 8000 else "   (port 8000 is in use by another program)"
    rows = [("Mailsales", address + note)]
    if demo := sign_in(var):
        rows.append(("Sign in", f"{demo[0]}   password: {demo[1]}"))
    rows.append(("Sandbox", f"SMTP on localhost:{sandbox_port}, its mail at {address}/sandbox/"))
    rows.append(("Up", " ".join(name for name, is_up in up.items() if is_up)))
    if down := [name for name, is_up in up.items() if not is_up]:
        rows.append(("Not up", f"{' '.join(down)}   (their logs say why)"))
    rows += [("Logs", shown(var / "log")), ("Stop", "Ctrl-C")]
    say("\n" + "\n".join(ROW.format(*row) for row in rows) + "\n")


def sign_in(var: Path) -> list[str] | None:
    """Return login and password of the demo, or None where there is no demo."""
    try:
        lines = (var / "demo.txt").read_text().split("\n")
    except FileNotFoundError:
        return None
    return lines[:2] if len(lines) >= 2 else None


def shown(path: Path) -> str:
    """Return the path as seen from the project, when it lies within."""
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}/"
