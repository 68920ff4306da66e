from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import installation


@pytest.fixture(autouse=True, scope="package")
def _installation(django_db_blocker: Any) -> Iterator[None]:
    """One installation for all scenarios: its start takes longer than most of them."""
    with django_db_blocker.unblock(), installation.running():
        yield
