"""Compile the message catalogues with Babel, so that no machine needs gettext; `.mo` files are not committed."""

from __future__ import annotations

import os
from pathlib import Path

from mailsales.environment import ROOT


def compile_catalogues() -> list[Path]:
    """Write the `.mo` of each `.po` that changed since, in place and at once, and return what was written.

    Where the tree may not be written to, as in a container, they were compiled when it was made.
    """
    sources = sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po"))
    return [write(source) for source in sources if is_stale(source) and os.access(source.parent, os.W_OK)]


def is_stale(source: Path) -> bool:
    """Return whether the `.mo` is missing or carries another stamp than its source: the `.mo` is as old as its `.po`."""
    target = source.with_suffix(".mo")
    return not target.exists() or target.stat().st_mtime_ns != source.stat().st_mtime_ns


def write(source: Path) -> Path:
    from babel.messages.mofile import write_mo  # noqa: PLC0415 -- slow to import, and seldom needed
    from babel.messages.pofile import read_po  # noqa: PLC0415

    stamp = source.stat().st_mtime_ns
    with source.open("rb") as text:
        catalogue = read_po(text, locale=source.parts[-3])
    draft = source.with_name(f"{source.stem}.{os.getpid()}.draft")
    with draft.open("wb") as binary:
        write_mo(binary, catalogue)
    os.utime(draft, ns=(stamp, stamp))
    return draft.replace(source.with_suffix(".mo"))
