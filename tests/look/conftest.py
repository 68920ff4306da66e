from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="package")
def site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[object]:
    """One browser, one server and one company for all pages: made anew for each test they would cost minutes."""
    from tests.look.site import open_site  # noqa: PLC0415 -- needs settings, which are not there yet

    with django_db_blocker.unblock(), open_site() as opened:
        yield opened
