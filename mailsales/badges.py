"""A state as pages show it: a word, an icon and, as a third hint only, a tone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise

Tone = Literal["", "good", "warn", "bad", "live"]


@dataclass(frozen=True)
class Badge:
    label: str | Promise
    icon: str
    tone: Tone = ""
