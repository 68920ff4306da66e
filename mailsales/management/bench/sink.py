"""The receiving end of `bench send`: a small, fast SMTP server with STARTTLS (RFC 5321, 2920, 3207) that keeps nothing.

    python -m mailsales.management.bench.sink PORT_FILE REPORT_FILE [HOST PORT SECONDS]

writes its port into the first file, and on SIGTERM what it received into the second. With SECONDS it answers a final dot
only so much later. It is a process of its own, so that its work is not counted as the workers'.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
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
SAMPLES = 5  # at least so many messages are kept whole, for a look at what was sent
BACKLOG = 1_024  # hundreds of connections come at once; what finds no place is tried again seconds later
READ_SIZE = 64 * 1024
KEPT = len(END) - 1  # bytes before what was just read, in which a final dot may have begun


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


class Session(asyncio.BufferedProtocol):
    """One connection. Replies of one read leave in one write.

    It shares two cores with what is measured, so it reads into one buffer of its own (a fresh one for each read is
    mapped and unmapped by the kernel every time) and looks for the final dot from behind: nothing but one envelope can
    follow it, since the next content waits for our 354.
    """

    def __init__(self, received: Received, tls: ssl.SSLContext, seconds: float) -> None:
        self.received, self.tls, self.seconds = received, tls, seconds
        self.late: list[bytes] | None = None  # replies that wait for the one to a dot
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray(READ_SIZE)
        self.view = memoryview(self.buffer)
        self.rest = b""
        self.is_content = False
        self.is_sample = False
        self.parts: list[bytes] = []  # of a sample
        self.recipient = ""
        self.is_encrypted = False
        self.upgrade: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self.is_encrypted:
            self.received.sessions += 1
            self.transport.write(b"220 bench.test ESMTP\r\n")

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view[KEPT:]

    def buffer_updated(self, nbytes: int) -> None:
        out: list[bytes] = []
        start, end = KEPT, KEPT + nbytes
        if self.is_content:
            start = self.read_content(end, out)
        if start < end:
            self.read_lines(self.buffer[start:end], out)
        if self.late is not None:
            self.late += out
        elif out and self.transport:
            self.transport.write(b"".join(out))

    def answer_late(self) -> None:
        late, self.late = self.late or [], None
        if self.transport and not self.transport.is_closing():
            self.transport.write(b"".join(late))

    def read_content(self, end: int, out: list[bytes]) -> int:
        """Take what the buffer holds of a message; return where its final dot ends, or `end`."""
        at = self.buffer.rfind(END, 0, end)
        stop = at + len(END) if at >= 0 else end
        self.received.bytes += stop - KEPT
        if self.is_sample:
            self.parts.append(bytes(self.view[KEPT:stop]))
        if at >= 0:
            self.take()
            out.append(b"250 2.0.0 Ok: queued\r\n")
        else:
            self.buffer[:KEPT] = self.buffer[end - KEPT : end]
        return stop

    def take(self) -> None:
        now, received = time.time(), self.received
        received.first_at = received.first_at or now
        received.last_at = now
        received.messages += 1
        received.recipients.append(self.recipient)
        if self.is_sample:
            received.samples.append(b"".join(self.parts)[:-3].decode("ascii", "replace"))
            self.parts.clear()
        self.is_content = False
        if self.seconds and self.late is None:
            self.late = []
            asyncio.get_running_loop().call_later(self.seconds, self.answer_late)

    def read_lines(self, data: bytearray, out: list[bytes]) -> None:
        """Answer the commands; what is left over waits for the rest of its line."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.answer(line, out)

    def answer(self, line: bytes, out: list[bytes]) -> None:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self.recipient = line[line.find(b"<") + 1 : line.rfind(b">")].decode("ascii", "replace")
            out.append(b"250 2.1.5 Ok\r\n")
        elif verb == b"DATA":
            self.is_content, self.is_sample = True, len(self.received.samples) < SAMPLES
            self.buffer[:KEPT] = b"\0\0\r\n"  # a dot may come first
            out.append(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        elif verb == b"EHLO":
            out.append(HELLO % (b"" if self.is_encrypted else b"250-STARTTLS\r\n"))
        elif verb == b"STAR":
            self.upgrade = asyncio.ensure_future(self.start_tls())
        elif verb == b"QUIT" and self.transport:
            self.transport.write(b"".join([*out, b"221 2.0.0 Bye\r\n"]))
            self.transport.close()
            out.clear()
        else:
            out.append(b"250 2.0.0 Ok\r\n")

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


async def serve(port_file: Path, report_file: Path, host: str, port: int, seconds: float) -> None:
    received, tls, stop = Received(), certificate(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Session(received, tls, seconds), host, port, backlog=BACKLOG)
    port_file.write_text(str(server.sockets[0].getsockname()[1]))
    await stop.wait()
    report_file.write_text(json.dumps(asdict(received)))


def give_way() -> None:
    """Let our wake-ups interrupt nobody, as if we ran elsewhere: at each message we took a worker's core, warm as it was."""
    if hasattr(os, "SCHED_BATCH"):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


if __name__ == "__main__":
    give_way()
    place = sys.argv[3:] or ["127.0.0.1", "0", "0"]
    uvloop.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), place[0], int(place[1]), float(place[2])))
