"""The daily report on TLS with a domain's mail servers (RFC 8460): who wants it, what it says, how it looks as a mail.

Everything here is a value made of values. `delivery/tlsrpt_sending.py` sends it.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from delivery.compose import Mail, date_header
from delivery.dkim import HeaderForm, Signers
from delivery.models import TlsResult
from mailsales.addresses import BadAddress, clean_address, on_the_wire

MEDIA_TYPE = "application/tlsrpt+gzip"
NO_POLICY = "no-policy-found"
BLANKS = " \t"
VERSION = re.compile(r"v=TLSRPTv1[ \t]*;")
FIELD = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]{0,31})=(?P<value>[\x21-\x3a\x3c\x3e-\x7e]+)", re.ASCII)
RUA = re.compile(r"rua=(?P<value>[\t\x20-\x3a\x3c-\x7e]+)")
URI = re.compile(r"(mailto:|https://)[\x22-\x2b\x2d-\x3a\x3c-\x7e]+", re.IGNORECASE)  # no comma, “!”, “;” in it
MOST_URIS = 8  # of one record: nobody makes us write to a crowd


@dataclass(frozen=True, slots=True)
class Report:
    """What happened on a UTC day with the servers of a domain. `rows` are all of that day and domain.

    `contact` is the address that it comes from, `sending_address` that of the connections, or empty if they had several.
    The report of a day is the same whenever it is made, and so is its id: receivers drop twins.
    """

    domain: str
    on: date
    contact: str
    rows: tuple[TlsResult, ...]
    sending_address: str = ""

    @property
    def submitter(self) -> str:
        return self.contact.rpartition("@")[2]

    @property
    def id(self) -> str:
        return f"{self.on:%Y%m%d}.{self.domain}@{self.submitter}"

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.on, time(), UTC)

    @property
    def end(self) -> datetime:
        return self.begin + timedelta(days=1, seconds=-1)

    @property
    def file_name(self) -> str:
        """Return the name of the packed file (RFC 8460 §5.1)."""
        seconds = f"{self.begin.timestamp():.0f}!{self.end.timestamp():.0f}"
        return f"{self.submitter}!{self.domain}!{seconds}.json.gz"

    def content(self) -> dict[str, Any]:
        """Return what it says (RFC 8460 §4.4), fit for JSON."""
        return {
            "organization-name": self.submitter,
            "date-range": {"start-datetime": f"{self.begin:%FT%TZ}", "end-datetime": f"{self.end:%FT%TZ}"},
            "contact-info": self.contact,
            "report-id": self.id,
            "policies": [self._policy(rows) for rows in _by_policy(self.rows)],
        }

    def packed(self) -> bytes:
        """Return the JSON, compressed (RFC 8460 §5.2), the same bytes each time."""
        return gzip.compress(json.dumps(self.content(), indent=1).encode(), mtime=0)

    def _policy(self, rows: Sequence[TlsResult]) -> dict[str, Any]:
        failures = [row for row in rows if row.result]
        found = {
            "policy": _applied(rows, self.domain),
            "summary": {
                "total-successful-session-count": _sessions(rows) - _sessions(failures),
                "total-failure-session-count": _sessions(failures),
            },
        }
        details = [self._failure(row) for row in failures]
        return found | {"failure-details": details} if details else found

    def _failure(self, row: TlsResult) -> dict[str, Any]:
        optional = {
            "sending-mta-ip": self.sending_address,
            "receiving-mx-hostname": row.mx,
            "failure-reason-code": row.text,
        }
        known = {name: value for name, value in optional.items() if value}
        return {"result-type": row.result, **known, "failed-session-count": row.n}


def destinations(records: Sequence[str]) -> list[str]:
    """Return where a domain wants its reports, as URIs (mailto or https), from its TXT records at `_smtp._tls`.

    A record with an error, or two of them, is none (RFC 8460 §3); fields and schemes that nobody knows are passed over.
    """
    ours = [record for record in records if VERSION.match(record)]
    if len(ours) != 1:
        return []
    fields = [field.strip(BLANKS) for field in ours[0].split(";")[1:]]
    if not fields[-1]:
        fields.pop()
    if not all(RUA.fullmatch(field) or FIELD.fullmatch(field) for field in fields):
        return []
    listed = ",".join(field.removeprefix("rua=") for field in fields if RUA.fullmatch(field))
    uris = [uri.strip(BLANKS) for uri in listed.split(",")]
    return list(dict.fromkeys(uri for uri in uris if _is_destination(uri)))[:MOST_URIS]


def address_of(uri: str) -> str:
    """Return the address of a mailto URI (RFC 6068) as it goes into RCPT, or nothing where it names none or several."""
    if uri[:7].lower() != "mailto:":
        return ""
    try:
        address = on_the_wire(clean_address(unquote(uri[7:].partition("?")[0])))
    except (BadAddress, UnicodeError):
        return ""
    return address if address.isascii() else ""


def mail(report: Report, recipient: str, signers: Signers, t: int) -> Mail:
    """Return the report as a mail (RFC 8460 §5.3), signed at `t`, in Unix seconds.

    It says that TLS is not required for it (RFC 8689): a report of broken TLS must get through.
    """
    domain, submitter = report.domain.encode(), report.submitter.encode()
    headers = HeaderForm(
        [
            (b"From", report.contact.encode()),
            (b"To", recipient.encode()),
            (b"Subject", _subject(report)),
            (b"Date", date_header(t)),
            (b"Message-ID", b"<" + report.id.encode() + b">"),
            (b"TLS-Report-Domain", domain),
            (b"TLS-Report-Submitter", submitter),
            (b"TLS-Required", b"No"),
            (b"Auto-Submitted", b"auto-generated"),
            (b"MIME-Version", b"1.0"),
            (b"Content-Type", b'multipart/report; report-type="tlsrpt";\r\n boundary="=_part"'),
        ]
    )
    return Mail(report.contact.encode(), recipient.encode(), signers.sign(headers.fill(), _body(report), t))


# -- inside ------------------------------------------------------------------------------------


def _by_policy(rows: Sequence[TlsResult]) -> list[list[TlsResult]]:
    """Return the rows of each policy together; a policy that changed during the day is two."""
    found: dict[tuple[object, ...], list[TlsResult]] = {}
    for row in rows:
        found.setdefault((row.policy_type, *row.policy, None, *row.mx_patterns), []).append(row)
    return list(found.values())


def _applied(rows: Sequence[TlsResult], domain: str) -> dict[str, Any]:
    policy = rows[0]
    if policy.policy_type == NO_POLICY:
        return {"policy-type": NO_POLICY, "policy-domain": domain}
    hosts = policy.mx_patterns or sorted({row.mx for row in rows if row.mx})
    return {
        "policy-type": policy.policy_type,
        "policy-string": policy.policy,
        "policy-domain": domain,
        "mx-host": hosts,
    }


def _sessions(rows: Sequence[TlsResult]) -> int:
    return sum(row.n for row in rows)


def _is_destination(uri: str) -> bool:
    if not URI.fullmatch(uri):
        return False
    if address_of(uri):
        return True
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


def _subject(report: Report) -> bytes:
    lines = (f"Report Domain: {report.domain}", f"Submitter: {report.submitter}", f"Report-ID: <{report.id}>")
    return "\r\n ".join(lines).encode()


def _body(report: Report) -> bytes:
    """Return both parts, relaxed as `delivery/dkim.py` wants it, without a line that begins with a dot."""
    failed = sum(row.n for row in report.rows if row.result)
    text = (
        f"This is a report on TLS sessions with the mail servers of {report.domain}\n"
        f"on {report.on} (UTC), made by {report.submitter} for the domain's record\n"
        f"_smtp._tls.{report.domain} (RFC 8460).\n"
        f"\n{_sessions(report.rows) - failed:,} succeeded, {failed:,} failed. The attached file says more.\n"
    )
    lines = (
        "--=_part\nContent-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n",
        text,
        f"--=_part\nContent-Type: {MEDIA_TYPE}\nContent-Transfer-Encoding: base64\n"
        f'Content-Disposition: attachment;\n filename="{report.file_name}"\n',
        encodebytes(report.packed()).decode() + "--=_part--\n",
    )
    return "\n".join(lines).replace("\n", "\r\n").encode()
