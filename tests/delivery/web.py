"""An HTTPS server inside the test, which remembers what was posted to it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Post:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Web:
    """Answers every request with `answer`, or not at all where that is empty."""

    tls: ssl.SSLContext
    answer: str = "HTTP/1.1 201 Created"
    posts: list[Post] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Web:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (one.partition(":") for one in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.posts.append(Post(line, headers, body))
        if self.answer:
            writer.write(f"{self.answer}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()
