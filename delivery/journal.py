"""The journal of a worker process: what it sent and heard, in the kernel before anything depends on it (docs/ledger.md §5).

A folder of its own with `lock`, held by flock from before the generation exists until the process is gone, and
append-only files `000001`, `000002` … Little-endian. `write` survives the process; nothing waits for a disk.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import time
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from delivery.smtp import Reply

MAGIC, VERSION = b"MSLJ", 1
HEADER = struct.Struct("<4sHHQ16sIIQ12x")  # and the CRC-32 of these 60 bytes
HEADER_LENGTH = HEADER.size + 4
HEAD = struct.Struct("<HBBI")  # length, kind, version, CRC-32 of the record without this field
HEAD_START = struct.Struct("<HBB")
BODY = struct.Struct("<QQQ")  # message, lease, Unix milliseconds
REPLY = struct.Struct("<HBB")  # code, command, length of the host
COMMANDS = ("connect", "greeting", "ehlo", "starttls", "mail", "rcpt", "data", "dot", "auth")
FILE_BYTES = 64 * 2**20
LONGEST_TEXT = 500


class Kind(IntEnum):
    DOT = 1
    REPLY = 2
    ANNUL = 3


class JournalBroken(Exception):
    """A record could not be written whole: nothing may be sent any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The last word of a journal about a message under a lease."""

    kind: Kind
    message_id: int
    lease_id: int
    reply: Reply | None = None


def boot_id() -> uuid.UUID:
    """Return what tells one boot of this machine from another."""
    try:
        return uuid.UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    except OSError:  # not Linux: the host's start is not known, so no journal is believed after this process's own time
        return uuid.uuid5(uuid.NAMESPACE_DNS, f"{socket.gethostname()}-{int(time.time() - time.monotonic())}")


class Journal:
    """The open journal of this process. Opened after the fork, close-on-exec. Once it `is_broken`, no dot may leave."""

    def __init__(self, root: Path) -> None:
        self.folder = root / uuid.uuid4().hex
        self.is_broken = False
        self._lock = _locked(self.folder)
        self._generation_id = 0
        self._number = 0
        self._path: Path
        self._file = -1
        self._bytes = 0
        self._pending = b""
        self._newest_lease = 0
        self._older: list[tuple[int, Path]] = []  # files that are full, each with the newest lease until its end

    def begin(self, generation_id: int) -> None:
        """Start the first file. Call it once the generation exists, and before its first claim."""
        self._generation_id = generation_id
        self._next_file()

    def dot(self, message_id: int, lease_id: int) -> None:
        """Note that the final dot is about to leave, together with the replies heard since. Raise JournalBroken."""
        self._newest_lease = max(self._newest_lease, lease_id)
        self._write(self._take_pending() + _record(Kind.DOT, message_id, lease_id))

    def annul(self, message_id: int, lease_id: int) -> None:
        """Note that the dot did not leave after all."""
        self._write(self._take_pending() + _record(Kind.ANNUL, message_id, lease_id))

    def reply(self, message_id: int, lease_id: int, reply: Reply) -> None:
        """Note the receiver's word; it is in the kernel after `flush`, or with the next dot."""
        self._pending += _reply_record(message_id, lease_id, reply)

    def flush(self) -> None:
        """Write what is pending, before any verdict enters a `record`; nothing once it is broken. Raise JournalBroken."""
        if self._pending and not self.is_broken:
            self._write(self._take_pending())

    def forget(self, oldest_lease: int | None) -> None:
        """Drop the files that speak only of leases older than the oldest that is unsettled; None: all are settled."""
        while self._older and (oldest_lease is None or self._older[0][0] < oldest_lease):
            self._older.pop(0)[1].unlink(missing_ok=True)

    def close(self, *, remove: bool) -> None:
        """Let go of the lock; remove the folder when everything in it was recorded."""
        if remove:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._file >= 0:
            os.close(self._file)
        os.close(self._lock)

    def _take_pending(self) -> bytes:
        pending, self._pending = self._pending, b""
        return pending

    def _write(self, data: bytes) -> None:
        if self.is_broken:
            raise JournalBroken("an earlier record could not be written")
        try:
            written = os.write(self._file, data)
            self.is_broken = written != len(data)
            self._bytes += written
            if self._bytes > FILE_BYTES:
                self._next_file()
        except OSError as error:
            self.is_broken = True
            raise JournalBroken(str(error)) from error
        if self.is_broken:
            raise JournalBroken(f"{written} of {len(data)} bytes were written")

    def _next_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._older.append((self._newest_lease, self._path))
        self._number += 1
        self._path = self.folder / f"{self._number:06}"
        self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._bytes = 0
        header = HEADER.pack(
            MAGIC,
            VERSION,
            HEADER_LENGTH,
            self._generation_id,
            boot_id().bytes,
            os.getpid(),
            self._number,
            time.time_ns(),
        )
        self._write(header + struct.pack("<I", zlib.crc32(header)))


def _locked(folder: Path) -> int:
    """Make the folder and return the descriptor of its lock. The lock is held before anybody can find it there."""
    waiting = folder.with_suffix(".lock")
    lock = os.open(waiting, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder.mkdir()
    waiting.rename(folder / "lock")
    return lock


# -- reading what a dead process left ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A dead process's journal. Where it `is_whole`, the absence of a record proves that nothing was sent."""

    generation_id: int
    is_whole: bool
    entries: dict[tuple[int, int], Entry]


def dead_folders(root: Path) -> Iterator[tuple[Path, int]]:
    """Yield the folders whose process is gone, each with its lock held; the caller closes the descriptor."""
    for folder in sorted(root.glob("*/")):
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        yield folder, lock


def read(folder: Path) -> Reading | None:
    """Return what a dead process's journal says; None when it has not begun, so that nothing was ever claimed."""
    files = sorted(path for path in folder.iterdir() if path.name.isdecimal())
    if not files:
        return None
    generation_id, is_whole = 0, True
    entries: dict[tuple[int, int], Entry] = {}
    for path in files:
        data = path.read_bytes()
        header = _header(data)
        if header is None:
            is_whole = is_whole and path == files[-1] and len(data) < HEADER_LENGTH and generation_id > 0
            continue
        generation_id, boot = header
        is_whole = is_whole and boot == boot_id()
        for entry in _entries(data[HEADER_LENGTH:], may_be_torn=path == files[-1]):
            if entry is None:
                is_whole = False
            else:
                entries[entry.message_id, entry.lease_id] = entry
    return Reading(generation_id, is_whole, entries) if generation_id else Reading(0, False, {})


def _header(data: bytes) -> tuple[int, uuid.UUID] | None:
    if len(data) < HEADER_LENGTH:
        return None
    (crc,) = struct.unpack_from("<I", data, HEADER.size)
    magic, version, _length, generation_id, boot, _pid, _number, _at = HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION or crc != zlib.crc32(data[: HEADER.size]):
        return None
    return generation_id, uuid.UUID(bytes=boot)


def _entries(data: bytes, *, may_be_torn: bool) -> Iterator[Entry | None]:
    """Yield the records; None where bad bytes make all that follows unreadable. A torn end of the last file is no record."""
    at = 0
    while at + HEAD.size <= len(data):
        length, kind, version, crc = HEAD.unpack_from(data, at)
        if at + length > len(data) and length >= HEAD.size + BODY.size and may_be_torn:
            return
        whole = data[at : at + length]
        if length < HEAD.size + BODY.size or version != VERSION or crc != zlib.crc32(whole[:4] + whole[8:]):
            yield None
            return
        message_id, lease_id, _ms = BODY.unpack_from(whole, HEAD.size)
        reply = _reply_of(whole[HEAD.size + BODY.size :]) if kind == Kind.REPLY else None
        yield Entry(Kind(kind), message_id, lease_id, reply)
        at += length
    if at < len(data) and not may_be_torn:
        yield None


def _reply_of(data: bytes) -> Reply:
    code, command, host_length = REPLY.unpack_from(data)
    host = data[REPLY.size : REPLY.size + host_length].decode("utf-8", "replace")
    return Reply(code, data[REPLY.size + host_length :].decode("utf-8", "replace"), COMMANDS[command], host)


def _record(kind: Kind, message_id: int, lease_id: int, rest: bytes = b"") -> bytes:
    body = BODY.pack(message_id, lease_id, time.time_ns() // 1_000_000) + rest
    length = HEAD.size + len(body)
    crc = zlib.crc32(body, zlib.crc32(HEAD_START.pack(length, kind, VERSION)))
    return HEAD.pack(length, kind, VERSION, crc) + body


def _reply_record(message_id: int, lease_id: int, reply: Reply) -> bytes:
    host = reply.host.encode()[:255]
    text = reply.text.encode()[:LONGEST_TEXT]
    rest = REPLY.pack(reply.code, COMMANDS.index(reply.command), len(host)) + host + text
    return _record(Kind.REPLY, message_id, lease_id, rest)
