"""The mail that the sandbox sends back: a delivery report (RFC 3464) or a report of abuse (RFC 5965), as providers write them."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from django.conf import settings

CRLF = "\r\n"


def delivery_report(mail_from: str, recipient: str, raw: bytes) -> bytes:
    """Return what Postfix sends when the mailbox it relays to refuses after all."""
    explanation = (
        f"This is the mail system at host mx.example.jp.{CRLF * 2}I'm sorry to have to inform you that your message could"
        f" not{CRLF}be delivered to one or more recipients. It's attached below.{CRLF * 2}<{recipient}>: host"
        f" imap.example.jp[192.0.2.25] said: 550 5.1.1 <{recipient}>:{CRLF}    Recipient address rejected: User unknown in"
        f" local recipient table{CRLF}    (in reply to RCPT TO command){CRLF}"
    )
    groups = (
        f"Reporting-MTA: dns; mx.example.jp{CRLF}X-Postfix-Queue-ID: 4XyZ1b2c3dz9sT{CRLF}"
        f"Arrival-Date: {formatdate(localtime=True)}{CRLF * 2}Final-Recipient: rfc822; {recipient}{CRLF}"
        f"Original-Recipient: rfc822;{recipient}{CRLF}Action: failed{CRLF}Status: 5.1.1{CRLF}"
        f"Remote-MTA: dns; imap.example.jp{CRLF}Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: Recipient address{CRLF}"
        f"    rejected: User unknown in local recipient table{CRLF}"
    )
    parts = [("text/plain; charset=us-ascii", explanation), ("message/delivery-status", groups)]
    subject = "Undelivered Mail Returned to Sender"
    return _report(mail_from, subject, "delivery-status", [*parts, ("text/rfc822-headers", _headers(raw))])


def abuse_report(mail_from: str, recipient: str, raw: bytes) -> bytes:
    """Return what a mailbox provider's feedback loop sends when its reader presses “spam”; the reader is blacked out."""
    explanation = f"This is an email abuse report for an email message received from IP 192.0.2.1.{CRLF}"
    feedback = (
        f"Feedback-Type: abuse{CRLF}User-Agent: Mailsales-Sandbox/1.0{CRLF}Version: 1{CRLF}"
        f"Original-Mail-From: <{mail_from}>{CRLF}Arrival-Date: {formatdate(localtime=True)}{CRLF}"
        f"Source-IP: 192.0.2.1{CRLF}Reported-Domain: {mail_from.rpartition('@')[2]}{CRLF}"
    )
    parts = [("text/plain; charset=us-ascii", explanation), ("message/feedback-report", feedback)]
    returned = ("message/rfc822", raw.decode("utf-8", "replace").replace(recipient, "redacted@example.jp"))
    return _report(mail_from, "Abuse report", "feedback-report", [*parts, returned])


def send_back(mail_from: str, report: bytes) -> None:
    """Send the report to our own inbound server, from the empty sender (RFC 5321 §4.5.5)."""
    with smtplib.SMTP("127.0.0.1", settings.INBOUND_PORT, local_hostname="localhost", timeout=30) as server:
        server.starttls()
        server.sendmail("", [mail_from], report)


def _headers(raw: bytes) -> str:
    return raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace") + CRLF


def _report(to: str, subject: str, kind: str, parts: list[tuple[str, str]]) -> bytes:
    """Return the multipart/report (RFC 6522) of the parts."""
    boundary = make_msgid().strip("<>").replace("@", "=_")
    header = EmailMessage()
    header["From"] = "Mail Delivery System <MAILER-DAEMON@mx.example.jp>"
    header["To"] = f"<{to}>"
    header["Subject"] = subject
    header["Date"] = formatdate(localtime=True)
    header["Message-ID"] = make_msgid(domain="mx.example.jp")
    header["Auto-Submitted"] = "auto-replied"
    header["MIME-Version"] = "1.0"
    lines = [header.as_bytes(policy=header.policy.clone(linesep=CRLF)).decode().rstrip()]
    lines.append(f'Content-Type: multipart/report; report-type={kind};{CRLF} boundary="{boundary}"{CRLF}')
    for content_type, text in parts:
        lines.append(f"--{boundary}{CRLF}Content-Type: {content_type}{CRLF}{CRLF}{text}")
    return CRLF.join([*lines, f"--{boundary}--{CRLF}"]).encode()
