"""The system check of SHAPING_FILE: `manage.py check` names what is wrong in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags

from delivery import shaping


@checks.register(Tags.files)
def shaping_file_is_right(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what is wrong in the file that overrides delivery/shaping.toml."""
    try:
        shaping.load(settings.SHAPING_FILE)
    except shaping.ShapingError as wrong:
        return [Error(f"SHAPING_FILE: {wrong}", hint=wrong.hint, id="delivery.E001")]
    return []
