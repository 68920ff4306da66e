"""Every run of tests has a PostgreSQL and a Valkey of its own, started before Django reads its settings: that is why they name no settings in pyproject.toml."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import django
import pytest

from mailsales import stack
from mailsales.stack.catalogues import compile_catalogues

RUNNING = ExitStack()


def pytest_configure() -> None:
    var = Path(tempfile.mkdtemp(prefix="mailsales-"))
    RUNNING.callback(shutil.rmtree, var, ignore_errors=True)
    found = RUNNING.enter_context(stack.services(var, durable=False))
    os.environ.update(
        MAILSALES_VAR=str(var),
        DATABASE_URL=found.database_url,
        REDIS_URL=found.redis_url,
        DJANGO_SETTINGS_MODULE="mailsales.settings",
        DJANGO_ALLOW_ASYNC_UNSAFE="1",  # Playwright keeps a loop running in the thread of the tests
    )
    compile_catalogues()
    django.setup()


def pytest_unconfigure() -> None:
    RUNNING.close()


@pytest.fixture(autouse=True, scope="session")
def _static_files_without_a_manifest() -> Iterator[None]:
    """Nothing is collected for tests: pages name static files as they lie in the tree."""
    from django.conf import settings  # noqa: PLC0415 -- not to be touched before pytest_configure
    from django.test import override_settings  # noqa: PLC0415

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield
