"""Ask a web process for many paths over a few kept connections, and time each answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@dataclass(frozen=True)
class Answers:
    """What came back: how many of each status, requests a second, and the 99th percentile in milliseconds."""

    statuses: dict[int, int]
    per_second: float
    p99_ms: float


async def load(base: str, paths: list[str], *, connections: int) -> Answers:
    """Fetch every path once."""
    address, queue = urlsplit(base), iter(paths)
    took: list[float] = []
    statuses: dict[int, int] = {}
    began = time.perf_counter()
    await asyncio.gather(
        *(_fetch(address.hostname or "", address.port or 80, queue, took, statuses) for _ in range(connections))
    )
    seconds = time.perf_counter() - began
    took.sort()
    return Answers(statuses, len(took) / seconds, 1_000 * took[len(took) * 99 // 100])


async def _fetch(host: str, port: int, queue: Iterator[str], took: list[float], statuses: dict[int, int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for path in queue:
        began = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {AGENT}\r\n\r\n".encode())
        status = await _read(reader)
        took.append(time.perf_counter() - began)
        statuses[status] = statuses.get(status, 0) + 1
    writer.close()
    await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> int:
    """Read one answer with a Content-Length; return its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
    if length:
        await reader.readexactly(length)
    return int(head[9:12])
