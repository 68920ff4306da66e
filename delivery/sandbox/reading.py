"""Reading a kept mail for its page, however broken it is (RFC 5322, RFC 2045)."""

from __future__ import annotations

from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

from delivery.models import SandboxMail

# What the stdlib's parser raises on headers and bodies that no standard allows.
BROKEN = (MessageError, ValueError, LookupError, IndexError, AttributeError, KeyError)


def parsed(mail: SandboxMail) -> EmailMessage:
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(bytes(mail.raw))


def headers_of(message: EmailMessage) -> list[tuple[str, str]]:
    """Return the headers in their order, decoded where that is possible."""
    return [(name, _decoded(name, str(value))) for name, value in message.raw_items()]


def part_of(message: EmailMessage, kind: str) -> str:
    """Return the part of the kind `html` or `plain` as text, or nothing."""
    try:
        part = message.get_body(preferencelist=(kind,))
    except BROKEN:
        part = None
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except BROKEN:
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _decoded(name: str, raw: str) -> str:
    try:
        return str(policy.default.header_fetch_parse(name, raw))
    except BROKEN:
        return raw
