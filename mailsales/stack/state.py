"""What a running stack says of itself, in `var/run/stack.json`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class State:
    database_url: str
    redis_url: str
    port: int
    sandbox_port: int
    inbound_port: int
    owner: str = "stack"  # `stack` or the manage.py command that started the services
    pid: int = 0
    is_ready: bool = False  # migrated, and the web process answers
    pids: dict[str, int] = field(default_factory=dict)

    def with_pids(self, pids: dict[str, int]) -> State:
        return replace(self, pids=pids)


def place(var: Path) -> Path:
    return var / "run" / "stack.json"


def read(var: Path) -> State | None:
    """Return what the stack under `var` wrote, or None where none runs."""
    try:
        said = json.loads(place(var).read_text())
        return State(**{name: said[name] for name in State.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(var: Path, state: State) -> None:
    """Put the state in place whole, readable by this user alone: its addresses may carry passwords."""
    place(var).parent.mkdir(parents=True, exist_ok=True)
    draft = place(var).with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as new:
        json.dump(asdict(state), new, indent=2)
    draft.replace(place(var))


def remove(var: Path) -> bool:
    """Return whether there was one: after a kill -9 there is."""
    try:
        place(var).unlink()
    except FileNotFoundError:
        return False
    return True
