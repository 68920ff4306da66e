"""multipart/report as mail systems write it (RFC 6522): its parts and their groups of fields, read leniently.

Only structure is read here. What a delivery report means stands in `bounces.py`, what a feedback report means in
`complaints.py`; both take a mail as bytes and are safe with any bytes at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesParser, HeaderParser

LARGEST = 2_000_000  # bytes that are parsed; what follows is only the returned body
MOST_GROUPS = 500
EMPTY_LINE = re.compile(r"\n[ \t]*\n")
LONGEST_TEXT = 20_000  # characters of the text for people

Group = dict[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A mail taken apart. `groups` are those of the machine-readable part, names in lower case; `returned` the header of
    the mail that came back, in the same form; `text` what a person is to read."""

    kind: str = ""  # of the report: delivery-status, feedback-report, or nothing
    header: Group = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    returned: Group = field(default_factory=dict)
    text: str = ""


def read_report(raw: bytes) -> Report:
    """Return the parts of a mail; a mail that is no report has no groups."""
    mail = BytesParser(policy=policy.compat32).parsebytes(_unix(raw[:LARGEST]))
    kind, groups, returned, text = "", list[Group](), Group(), ""
    for part in mail.walk():
        match part.get_content_type():
            case "message/delivery-status" | "message/global-delivery-status":  # RFC 3464 §2, RFC 6533 §3
                kind, groups = kind or "delivery-status", groups or groups_of(part)
            case "message/feedback-report":  # RFC 5965 §3
                kind, groups = kind or "feedback-report", groups or groups_of(part)
            case "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers":
                returned = returned or fields_of(_inner(part))
            case "text/plain" if not text and not returned:
                text = _text(part)[:LONGEST_TEXT]
    return Report(kind, fields_of(mail), groups, returned, text)


def groups_of(part: Message) -> list[Group]:
    """Return the groups of fields, which empty lines divide."""
    blocks = [fields_of(HeaderParser().parsestr(block)) for block in EMPTY_LINE.split(_text(part))]
    return [block for block in blocks if block][:MOST_GROUPS]


def fields_of(mail: Message | None) -> Group:
    """Return the first value of each field, unfolded."""
    fields: Group = {}
    for name, value in mail.items() if mail else ():
        fields.setdefault(name.lower(), " ".join(str(value).split()))
    return fields


def _inner(part: Message) -> Message | None:
    found = part.get_payload()
    if isinstance(found, list):
        return found[0] if found and isinstance(found[0], Message) else None
    return HeaderParser().parsestr(_text(part))


def _text(part: Message) -> str:
    """Return the text of a part, also where the stdlib took it for messages, as it does with any `message/*`."""
    found = part.get_payload()
    if isinstance(found, list):
        raw = b"\n\n".join(inner.as_bytes().strip(b"\n") for inner in found if isinstance(inner, Message))
        holder = Message()
        holder["Content-Transfer-Encoding"] = part.get("Content-Transfer-Encoding", "8bit")
        holder.set_payload(raw.decode("ascii", "surrogateescape"))
        part = holder
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _unix(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
