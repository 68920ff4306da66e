"""Mail of the system itself to people: plain text, one row each, handed over by the installation's own route.

A row that waits is the queue; the broker only rings. It is tried for a day, with growing pauses (RFC 5321 §4.5.4.1), and a
lost reply may mean a second copy: both have one Message-ID. RFC 3834 §5: nobody's vacation is to answer it.
"""

from __future__ import annotations

import asyncio
import time
from binascii import b2a_base64
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from accounts.models import Domain, Notice
from delivery.compose import Mail, date_header
from delivery.dkim import HeaderForm, Signers
from delivery.handover import deliver
from delivery.mime import CRLF, GROUP, crlf, mailbox, unstructured
from delivery.renditions import signers_of
from delivery.routes import read_route
from delivery.smtp import Reply, Timeouts
from mailsales import tokens
from mailsales.addresses import on_the_wire

PATIENCE = Timeouts(connect=5, greeting=8, ehlo=8, starttls=8, mail=8, rcpt=8, data=8, block=8, dot=20)
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120)]  # the last again and again
LONGEST = timedelta(days=1)
NAME = "Mailsales"


def send_next() -> bool:
    """Send the notice that has been due the longest; return whether there was one."""
    with transaction.atomic():
        due = Notice.objects.select_for_update(skip_locked=True).waiting().filter(due_at__lte=now())
        notice = due.order_by("due_at", "pk").first()
        if notice is None:
            return False
        _settle(notice, send(notice), now())
    return True


def send(notice: Notice) -> Reply:
    """Hand the notice over; return the last reply, or why there was none."""
    try:
        mail = mail_of(notice, int(time.time()))
    except (UnicodeError, ValueError) as error:
        return Reply(553, f"the address cannot be written to: {error}", "mail", "")
    return asyncio.run(deliver(mail, notice.address.rpartition("@")[2], read_route(), PATIENCE))


def mail_of(notice: Notice, t: int) -> Mail:
    """Return the notice as a mail, signed at `t` if we hold the domain of NOTICES_FROM. All of it is 7-bit."""
    sender, recipient = on_the_wire(settings.NOTICES_FROM), on_the_wire(notice.address)
    recipient.encode("ascii")
    name = sender.rpartition("@")[2]
    own = Domain.objects.proven().filter(name=name).first()
    token = tokens.notice_token(notice.account_id or 0, notice.pk)
    headers = HeaderForm(
        [
            (b"From", mailbox("From", NAME, sender)),
            (b"To", recipient.encode()),
            (b"Subject", unstructured("Subject", notice.subject)),
            (b"Date", date_header(t)),
            (b"Message-ID", f"<n{token}@{name}>".encode()),
            (b"MIME-Version", b"1.0"),
            (b"Content-Type", b"text/plain; charset=utf-8"),
            (b"Content-Transfer-Encoding", b"base64"),
            (b"Auto-Submitted", b"auto-generated"),
        ]
    )
    signers = signers_of(own.account_id, own.name) if own else Signers([])
    envelope = f"n+{token}@{own.bounce_name if own else name}"
    return Mail(envelope.encode(), recipient.encode(), signers.sign(headers.fill(), _body(notice.text), t))


# -- inside ------------------------------------------------------------------------------------


def _body(text: str) -> bytes:
    data = crlf(text.strip() + "\n")
    lines = [b2a_base64(data[at : at + GROUP], newline=False) for at in range(0, len(data), GROUP)]
    return CRLF.join(lines) + CRLF


def _settle(notice: Notice, reply: Reply, at: datetime) -> None:
    """Note the answer; what is refused for good, or for a day, is given up."""
    notice.tries += 1
    notice.reply = f"{reply.code or ''} {reply.text}".strip()[:500]
    notice.is_sent = reply.is_positive
    pause = PAUSES[min(notice.tries, len(PAUSES)) - 1]
    is_over = reply.is_positive or reply.code >= 500 or at + pause > notice.created_at + LONGEST
    notice.settled_at = at if is_over else None
    notice.due_at = notice.due_at if is_over else at + pause
    notice.save(update_fields=["tries", "reply", "is_sent", "settled_at", "due_at"])
