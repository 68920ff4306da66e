"""Where Unix sockets of the embedded services live: beside their data, or in the temp folder when that path is long."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path

LONGEST = 100  # bytes; Linux allows 107 in an address, macOS 103
NAME = ".s.PGSQL.5432"  # the longest name put into a folder


class SocketFolderTaken(Exception):
    """The folder for sockets in the temp folder belongs to somebody else."""


def folder(var: Path, name: str) -> Path:
    """Return a folder of mode 0700 for one service's sockets, short enough for a socket address."""
    wanted = var / "run" / name
    if len(os.fsencode(wanted / NAME)) <= LONGEST:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted.chmod(0o700)
        return wanted
    digest = hashlib.blake2s(os.fsencode(var), digest_size=6).hexdigest()
    base = Path(tempfile.gettempdir()) / f"mailsales-{os.geteuid()}-{digest}"
    base.mkdir(mode=0o700, exist_ok=True)
    found = base.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise SocketFolderTaken(f"{base} is not a private folder of this user. Remove it, or set TMPDIR to another.")
    (base / name).mkdir(mode=0o700, exist_ok=True)
    return base / name
