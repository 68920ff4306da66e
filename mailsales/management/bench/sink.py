"""The receiving end of `bench send`: a small, fast SMTP server with STARTTLS (RFC 5321, 2920, 3207) that keeps nothing.

    python -m mailsales.management.bench.sink PORT_FILE REPORT_FILE

writes its port into the first file, and on SIGTERM what it received into the second. It is a process of its own, so
that its work is not counted as the workers'.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import signal
import ssl
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

END = b"\r\n.\r\n"
HELLO = b"250-bench.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE 20000000\r\n%s250 ENHANCEDSTATUSCODES\r\n"
SAMPLES = 5  # messages kept whole, for a look at what was sent


@dataclass
class Received:
    """What the sink took. Times are Unix seconds."""

    messages: int = 0
    bytes: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    sessions: int = 0
    encrypted: int = 0
    recipients: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)


class Session(asyncio.Protocol):
    """One connection. Replies of one read leave in one write."""

    def __init__(self, received: Received, tls: ssl.SSLContext) -> None:
        self.received, self.tls = received, tls
        self.transport: asyncio.Transport | None = None
        self.rest = b""
        self.body: list[bytes] | None = None
        self.tail = b""
        self.recipient = b""
        self.is_encrypted = False
        self.upgrade: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self.is_encrypted:
            self.received.sessions += 1
            self.transport.write(b"220 bench.test ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        out: list[bytes] = []
        while data:
            data = self.read_body(data, out) if self.body is not None else self.read_line(data, out)
        if out and self.transport:
            self.transport.write(b"".join(out))

    def read_body(self, data: bytes, out: list[bytes]) -> bytes:
        """Take the message content; return what follows its final dot."""
        assert self.body is not None
        seen = self.tail + data
        at = seen.find(END)
        if at < 0:
            self.body.append(data)
            self.tail = seen[-4:]
            return b""
        used = at + len(END) - len(self.tail)
        self.body.append(data[:used])
        self.take()
        out.append(b"250 2.0.0 Ok: queued\r\n")
        return data[used:]

    def take(self) -> None:
        now, received = time.time(), self.received
        received.first_at = received.first_at or now
        received.last_at = now
        received.messages += 1
        received.bytes += sum(map(len, self.body or ()))
        received.recipients.append(self.recipient.decode("ascii", "replace"))
        if len(received.samples) < SAMPLES:
            received.samples.append(b"".join(self.body or ())[:-3].decode("ascii", "replace"))
        self.body = None

    def read_line(self, data: bytes, out: list[bytes]) -> bytes:
        """Answer one command; return what follows it."""
        line, end, data = (self.rest + data).partition(b"\n")
        if not end:
            self.rest = line
            return b""
        self.rest = b""
        verb = line[:4].upper()
        if verb == b"RCPT":
            self.recipient = line[line.find(b"<") + 1 : line.rfind(b">")]
            out.append(b"250 2.1.5 Ok\r\n")
        elif verb == b"DATA":
            self.body, self.tail = [], b"\r\n"
            out.append(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        elif verb == b"EHLO":
            out.append(HELLO % (b"" if self.is_encrypted else b"250-STARTTLS\r\n"))
        elif verb == b"STAR":
            self.upgrade = asyncio.ensure_future(self.start_tls())
            return b""
        elif verb == b"QUIT" and self.transport:
            self.transport.write(b"".join([*out, b"221 2.0.0 Bye\r\n"]))
            self.transport.close()
            out.clear()
            return b""
        else:
            out.append(b"250 2.0.0 Ok\r\n")
        return data

    async def start_tls(self) -> None:
        assert self.transport
        self.is_encrypted = True
        self.transport.write(b"220 2.0.0 Ready to start TLS\r\n")
        loop = asyncio.get_running_loop()
        self.transport = await loop.start_tls(self.transport, self, self.tls, server_side=True)
        self.received.encrypted += 1


def certificate() -> ssl.SSLContext:
    """Return a server context with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench.test")])
    today = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        made.serial_number(x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + datetime.timedelta(days=2))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile() as file:
        plain = serialization.NoEncryption()
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
        file.write(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


async def serve(port_file: Path, report_file: Path) -> None:
    received, tls, stop = Received(), certificate(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Session(received, tls), "127.0.0.1", 0)
    port_file.write_text(str(server.sockets[0].getsockname()[1]))
    await stop.wait()
    report_file.write_text(json.dumps(asdict(received)))


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), Path(sys.argv[2])))
