"""A name server for tests and benches: it answers from a zone file's text (RFC 1035 §5), or misbehaves as told.

    python -m mailsales.management.bench.names PORT_FILE ZONE_FILE

serves the second file on a free port of the loopback and writes that port into the first. A change of the second is seen
within a moment.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zonefile

Fault = Literal["servfail", "refused", "silence", "nxdomain", "truncated"]
TTL = 300
REREAD = 0.2  # seconds between two looks at a zone file
SOA = "ns.invalid. hostmaster.invalid. 1 3600 600 86400 60"


@dataclass
class Names:
    """Serves `zone` over UDP and TCP while it is entered: any names, each absolute (`example.jp. MX 10 mx.example.jp.`).

    `faults` says what becomes of questions for a name ("example.jp", or "example.jp A" for one kind); `secure` lists
    the names whose answers carry the AD flag. `asked` remembers the questions. All may change while it runs.
    """

    zone: str = ""
    faults: dict[str, Fault] = field(default_factory=dict)
    secure: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    host: str = "127.0.0.1"

    async def __aenter__(self) -> Names:
        self._read = ("", self._rrsets(""))
        self._existing: set[dns.name.Name] = set()  # names that are in the zone, or above one that is
        self._tcp = await asyncio.start_server(self._talk, self.host, self.port)
        self.port = self._tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _protocol = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self), local_addr=(self.host, self.port)
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        self._udp.close()
        self._tcp.close()

    @property
    def server(self) -> str:
        """The server as a resolver's setting names it."""
        return f"{self.host}:{self.port}"

    def answer(self, wire: bytes, *, is_udp: bool) -> bytes | None:
        """Return the answer to a question; None is silence."""
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = _key(question.name), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        fault = self.faults.get(f"{name} {kind}") or self.faults.get(name)
        response = dns.message.make_response(query, recursion_available=True)
        if fault == "silence":
            return None
        if fault == "truncated" and is_udp:
            response.flags |= dns.flags.TC
        elif fault in ("servfail", "refused", "nxdomain"):
            response.set_rcode(dns.rcode.from_text(fault.upper()))
        else:
            self._fill(response, question)
        if name in self.secure:
            response.flags |= dns.flags.AD
        return response.to_wire()

    def _fill(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        """Put in what the zone has, along aliases, or that it has nothing (RFC 2308 §2)."""
        rrsets = self._current()
        name = question.name
        while question.rdtype != dns.rdatatype.CNAME and (alias := rrsets.get((name, dns.rdatatype.CNAME))):
            response.answer.append(alias)
            name = alias[0].target
        if found := rrsets.get((name, question.rdtype)):
            response.answer.append(found)
            return
        response.authority.append(dns.rrset.from_text(dns.name.root, TTL, "IN", "SOA", SOA))
        if name not in self._existing:
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _current(self) -> dict[tuple[dns.name.Name, int], dns.rrset.RRset]:
        if self._read[0] != self.zone:
            self._read = (self.zone, self._rrsets(self.zone))
            self._existing = {above for owner, _kind in self._read[1] for above in _with_ancestors(owner)}
        return self._read[1]

    @staticmethod
    def _rrsets(zone: str) -> dict[tuple[dns.name.Name, int], dns.rrset.RRset]:
        found = dns.zonefile.read_rrsets(zone, origin=dns.name.root, relativize=False, rdclass="IN", default_ttl=TTL)
        return {(rrset.name, rrset.rdtype): rrset for rrset in found}

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                answer = self.answer(await reader.readexactly(length), is_udp=False)
                if answer is not None:
                    writer.write(len(answer).to_bytes(2, "big") + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answer = self._names.answer(data, is_udp=True)
        if answer is not None:
            self._transport.sendto(answer, address)


def _with_ancestors(name: dns.name.Name) -> list[dns.name.Name]:
    return [name.split(depth)[1] for depth in range(1, len(name) + 1)]


def _key(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


async def _serve(arguments: Iterable[str]) -> None:
    port_file, zone_file = map(Path, arguments)
    async with Names(zone_file.read_text()) as names:
        port_file.write_text(str(names.port))
        while True:
            await asyncio.sleep(REREAD)
            names.zone = zone_file.read_text()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1:]))
