"""Debian's `opendkim-testmsg` as a second, foreign judge of our signatures.

It asks DNS for keys and can be told of no other source. So it runs in a network namespace of its own (`unshare`, no root
needed) where `/etc/resolv.conf` names 127.0.0.1, and this file, run as a script in there, answers on port 53. Where user
namespaces are closed, the library behind the program is asked directly, with the keys in a file.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

PROGRAM = "/usr/sbin/opendkim-testmsg"
INSIDE = 'mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)" && exec "$2" "$3" "$1"'


def complaints(raw: bytes, records: Mapping[str, str]) -> str:
    """Return what opendkim says of a message: nothing if the signature holds. `records` are TXT records by name."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        place.joinpath("resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
        place.joinpath("records.json").write_text(json.dumps(dict(records)))
        argv = ["unshare", "-rmn", "sh", "-c", INSIDE, "sh", folder, sys.executable, __file__]
        if subprocess.run(["unshare", "-rmn", "true"], capture_output=True, check=False).returncode:
            return _asked_directly(raw, records, place)
        done = subprocess.run(argv, input=raw, capture_output=True, check=False, timeout=30)
        said = (done.stdout + done.stderr).decode().strip()
        return said or (f"exit status {done.returncode}" if done.returncode else "")


# -- inside the namespace ----------------------------------------------------------------------


def answer(query: bytes, records: Mapping[str, str]) -> bytes:
    """Return a DNS answer (RFC 1035 §4.1) that holds the TXT record asked for, or says that there is none."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    question = query[12 : at + 5]
    text = records.get(".".join(labels).lower(), "").encode()
    strings = b"".join(bytes([len(text[n : n + 255])]) + text[n : n + 255] for n in range(0, len(text), 255))
    header = query[:2] + struct.pack("!HHHHH", 0x8580 if text else 0x8583, 1, 1 if text else 0, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 16, 1, 60, len(strings)) + strings if text else b""
    return header + question + record


def _raise_loopback() -> None:
    """Do what `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: UP, RUNNING


def _main(place: Path) -> int:
    records = json.loads(place.joinpath("records.json").read_text())
    _raise_loopback()
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def serve() -> None:
        while True:
            query, asker = server.recvfrom(4096)
            server.sendto(answer(query, records), asker)

    threading.Thread(target=serve, daemon=True).start()
    return subprocess.run([PROGRAM, "-t", str(place)], stdin=sys.stdin, check=False).returncode


# -- without a namespace -----------------------------------------------------------------------


def _asked_directly(raw: bytes, records: Mapping[str, str], place: Path) -> str:
    """Return what libopendkim says, with the keys in a file (`DKIM_OPTS_QUERYMETHOD`, `DKIM_OPTS_QUERYINFO`)."""
    keys = place / "keys"
    keys.write_text("".join(f"{name} {text}\n" for name, text in records.items()))
    library = ctypes.CDLL("libopendkim.so.11")
    library.dkim_init.restype = library.dkim_verify.restype = ctypes.c_void_p
    library.dkim_geterror.restype = ctypes.c_char_p
    opened = ctypes.c_void_p(library.dkim_init(None, None))
    for option, value in ((6, ctypes.c_int(1)), (7, ctypes.create_string_buffer(str(keys).encode(), 1024))):
        library.dkim_options(opened, 1, option, ctypes.byref(value), ctypes.c_size_t(ctypes.sizeof(value)))
    message = ctypes.c_void_p(library.dkim_verify(opened, b"test", None, ctypes.byref(ctypes.c_int())))
    head, _, body = raw.partition(b"\r\n\r\n")
    for header in re.split(rb"\r\n(?![ \t])", head):
        library.dkim_header(message, header, ctypes.c_size_t(len(header)))
    library.dkim_eoh(message)
    library.dkim_body(message, body, ctypes.c_size_t(len(body)))
    status = library.dkim_eom(message, None)
    return f"{status}: {(library.dkim_geterror(message) or b'').decode()}" if status else ""


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
