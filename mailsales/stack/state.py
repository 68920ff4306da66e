"""What a running stack says of itself, in `var/run/stack.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class State:
    database_url: str
    redis_url: str
    port: int
    sandbox_port: int
    inbound_port: int


def read(var: Path) -> State | None:
    """Return what the stack under `var` wrote, or None where none runs."""
    try:
        said = json.loads((var / "run" / "stack.json").read_text())
        return State(**{name: said[name] for name in State.__dataclass_fields__})
    except (OSError, ValueError, KeyError):
        return None
