"""The packages of the servers, unpacked once for each run of the tests."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FETCHED = Path(__file__).parents[3] / ".tools/mail_servers"  # by .ci/need


@cache
def unpacked() -> Path:
    """Return the folder of all packages, which any user may read and no file in which changes who it runs as."""
    packages = sorted(FETCHED.glob("*.deb"))
    if not packages:
        raise FileNotFoundError(f"{FETCHED} has no packages. .ci/need fetches them.")
    folder = Path(tempfile.mkdtemp(prefix="mailsales-servers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)
    return folder


def library(name: str) -> Path:
    [path] = unpacked().glob(f"usr/lib/*/{name}")
    return path


def library_path() -> str:
    return f"{library('libnss_wrapper.so').parent}:{unpacked() / 'usr/lib/postfix'}"
