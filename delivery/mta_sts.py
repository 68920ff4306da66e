"""MTA-STS (RFC 8461): a domain says over HTTPS which mail servers are its own, and that TLS with them must be proven.

Only values and the fetching of a policy's text; `delivery/tls_policy.py` decides when to fetch, and what follows.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from delivery.resolver import DnsTrouble, NoSuchDomain, Resolver, is_public

MODES = ("enforce", "testing", "none")
LONGEST_AGE = 31_557_600  # seconds, RFC 8461 §3.2
LONGEST_BODY = 64 * 1024  # bytes, §3.3
LONGEST_HEAD = 16 * 1024
SECONDS = 60.0  # §3.3
MOST_ADDRESSES = 2  # that are tried when connections fail
PATH = "/.well-known/mta-sts.txt"


class PolicyFault(Exception):
    """A policy that was announced could not be had. `result` is its name in TLS reports (RFC 8460 §4.3.2.2)."""

    def __init__(self, result: str, text: str) -> None:
        super().__init__(text)
        self.result = result


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain demands until `expires_at`. `policy_id` is that of the TXT record that announced it."""

    domain: str
    policy_id: str
    mode: str
    mx: tuple[str, ...]
    text: str
    fetched_at: datetime
    expires_at: datetime

    @property
    def is_enforced(self) -> bool:
        return self.mode == "enforce"

    def fits(self, host: str) -> bool:
        """Return whether the policy names the host; a `*` stands for exactly one label at the left (RFC 8461 §4.1)."""
        _label, _dot, rest = host.lower().partition(".")
        return any(pattern in (host.lower(), f"*.{rest}") for pattern in self.mx)


def announced_id(texts: list[str]) -> str:
    """Return the id in the TXT records of `_mta-sts.<domain>`; nothing unless there is exactly one (RFC 8461 §3.1)."""
    records = [text for text in texts if text.replace(" ", "").startswith("v=STSv1;")]
    if len(records) != 1:
        return ""
    fields = dict(field.strip().partition("=")[::2] for field in records[0].split(";"))
    name = fields.get("id", "").strip()
    return name if name.isascii() and name.isalnum() and len(name) <= 32 else ""


def parse(domain: str, policy_id: str, text: str, fetched_at: datetime) -> Policy:
    """Return the policy that the text spells out. Raise PolicyFault."""
    pairs = [
        (key.strip(), value.strip())
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    ]
    fields = dict(reversed(pairs))  # of a field that comes twice, the first counts (§3.2)
    mx = tuple(value.lower().rstrip(".") for key, value in pairs if key == "mx")
    mode, age = fields.get("mode", ""), fields.get("max_age", "")
    if fields.get("version") != "STSv1" or mode not in MODES or not (age.isascii() and age.isdecimal()):
        raise PolicyFault("sts-policy-invalid", "the policy lacks its version, mode or max_age")
    if mode != "none" and not mx:
        raise PolicyFault("sts-policy-invalid", "the policy names no mail server")
    expires_at = fetched_at + timedelta(seconds=min(int(age), LONGEST_AGE))
    return Policy(domain, policy_id, mode, mx, text, fetched_at, expires_at)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches policies from `mta-sts.<domain>`, whose certificate must be valid; redirects are not followed (§3.3)."""

    resolver: Resolver
    allows_private: bool = False
    port: int = 443
    context: ssl.SSLContext | None = None

    async def fetch(self, domain: str, policy_id: str) -> Policy:
        """Return the domain's policy. Raise PolicyFault."""
        host = f"mta-sts.{domain}"
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._get(host)
        except ssl.SSLError as error:
            raise PolicyFault("sts-webpki-invalid", f"{host}: {error}") from error
        except (NoSuchDomain, DnsTrouble, OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            raise PolicyFault("sts-policy-fetch-error", f"{host}: {error or 'no answer in time'}") from error
        return parse(domain, policy_id, answer.decode("utf-8", "replace"), datetime.now(UTC))

    async def _get(self, host: str) -> bytes:
        """Return the body. Raise OSError, EOFError, ValueError and those of the resolver."""
        found = await self.resolver.addresses(host)
        addresses = [address for address in found if self.allows_private or is_public(address)]
        fault: OSError | ValueError = ValueError("it has no address that may be asked")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._get_from(address, host)
            except ConnectionError as error:
                fault = error
        raise fault

    async def _get_from(self, address: str, host: str) -> bytes:
        reader, writer = await asyncio.open_connection(
            address, self.port, ssl=self.context or _web_context(), server_hostname=host, limit=LONGEST_BODY
        )
        try:
            request = f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
            writer.write(request.encode("ascii"))
            return await _read_answer(reader)
        finally:
            writer.close()


# -- inside ------------------------------------------------------------------------------------


@cache
def _web_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _read_answer(reader: asyncio.StreamReader) -> bytes:
    """Return the body of a 200 of the right media type (RFC 9112). Raise ValueError for any other answer."""
    head = await _until(reader, b"\r\n\r\n", LONGEST_HEAD)
    status, *lines = head.decode("latin-1").split("\r\n")
    if status.split(" ")[1:2] != ["200"]:
        raise ValueError(f"it answers “{status[:80]}”")
    headers = {name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "text/plain":
        raise ValueError("its policy is not text/plain")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = headers.get("content-length", "")
    if not length:
        body = await reader.read(LONGEST_BODY + 1)
        while len(body) <= LONGEST_BODY and (more := await reader.read(LONGEST_BODY)):
            body += more
    else:
        body = await reader.readexactly(min(int(length), LONGEST_BODY + 1))
    return _bounded(body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """Return a body in chunks (RFC 9112 §7.1)."""
    body = b""
    while size := int((await _until(reader, b"\r\n", LONGEST_HEAD)).partition(b";")[0], 16):
        if size < 0 or len(body) + size > LONGEST_BODY:
            raise ValueError("its policy is too long")
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return body


async def _until(reader: asyncio.StreamReader, end: bytes, most: int) -> bytes:
    try:
        text = await reader.readuntil(end)
    except asyncio.LimitOverrunError as error:
        raise ValueError("its answer is too long") from error
    if len(text) > most:
        raise ValueError("its answer is too long")
    return text[: -len(end)]


def _bounded(body: bytes) -> bytes:
    if len(body) > LONGEST_BODY:
        raise ValueError("its policy is too long")
    return body
