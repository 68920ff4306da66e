"""How long the harness may take: MAILSALES_FAULTS=long for `make faults`, anything else for `make test`."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("MAILSALES_FAULTS") == "long"
PATIENCE = 90.0  # seconds for one thing to happen, on a busy machine


def either(short: int, long: int) -> int:
    return long if IS_LONG else short
