"""The inbound server: takes what the world sends back to our tokens, and reads it afterwards (RFC 5321).

Only addresses with a valid token of ours exist: `b+` for reports about a message, `u+` to unsubscribe by mail. A mail
is answered 250 after its row is committed; `read_new` reads rows later. Whoever knows no token can change nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from email.errors import MessageError

from aiosmtpd.smtp import Envelope, Session
from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from accounts.models import Account
from delivery.bounces import Failure, Kind, Reading, read_bounce
from delivery.certificates import server_context
from delivery.complaints import Feedback
from delivery.models import Bounce, Complaint, InboundMail, Message, Unsubscribe
from delivery.refusals import suppress, unsubscribe
from delivery.servers import BUSY, Handler, Server, Shelf, serve, until_stopped
from mailsales.reasons import Reason
from mailsales.tokens import (
    BadToken,
    Token,
    read_bounce_token,
    read_test_token,
    read_unsubscribe_address_token,
)

LARGEST = 4_000_000  # bytes of one mail
NO_SUCH_ADDRESS = "550 5.1.1 There is no such address here"
READERS = {"b": (read_bounce_token, read_test_token), "u": (read_unsubscribe_address_token,)}
BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError)  # the stdlib on odd mail
logger = logging.getLogger(__name__)


class Inbound(Handler):
    """The conversation: recipients by token, one row for each."""

    def __init__(self) -> None:
        self._shelf = Shelf(keep)

    async def close(self) -> None:
        await self._shelf.close()

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if read_address(address) is None:
            return NO_SUCH_ADDRESS
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        mail_from = (envelope.mail_from or "").removeprefix("<").removesuffix(">")
        for recipient in envelope.rcpt_tos:
            token = read_address(recipient)
            mail = InboundMail(
                account_id=token.account_id if token else None,
                recipient=recipient[:320],
                mail_from=mail_from[:320],
                raw=envelope.original_content or b"",
            )
            if not await self._shelf.put(mail):
                return BUSY
        return "250 2.0.0 Ok"


def read_address(address: str) -> Token | None:
    """Return what the token in an address says, or None for an address that is not ours."""
    prefix, _plus, text = address.partition("@")[0].partition("+")
    for read in READERS.get(prefix.lower(), ()):
        try:
            return read(text)
        except BadToken:
            continue
    return None


def keep(mails: Sequence[InboundMail]) -> None:
    """Save the mails. Beat rings the task that reads them every few seconds."""
    wanted = {mail.account_id for mail in mails if mail.account_id}
    known = set(Account.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for mail in mails:
        mail.account_id = mail.account_id if mail.account_id in known else None
    InboundMail.objects.bulk_create(mails)


def read_new(limit: int = 100) -> bool:
    """Read the oldest mails that nobody has read; return whether there were any. Others may do the same beside."""
    with transaction.atomic():
        unread = InboundMail.objects.select_for_update(skip_locked=True).filter(read_at=None)
        mails = list(unread.order_by("pk")[:limit])
        for mail in mails:
            mail.outcome = read_mail(mail)
            mail.read_at = now()
        InboundMail.objects.bulk_update(mails, ["outcome", "read_at"])
    return bool(mails)


def read_mail(mail: InboundMail) -> str:
    """Act on a mail and return, in a word, what it was. Whatever it says, it can only concern its token's message."""
    local = mail.recipient.partition("@")[0]
    kind, _plus, text = local.partition("+")
    try:
        token = READERS[kind.lower()][0](text)
    except BadToken:
        return "test"  # a report about a test send, which has no message
    message = Message.objects.filter(account_id=token.account_id, pk=token.row_id).select_related("campaign").first()
    if message is None:
        return "message_gone"
    try:
        reading = read_bounce(bytes(mail.raw))
    except BROKEN:
        logger.exception("Inbound mail %s cannot be read and changes nothing.", mail.pk)
        return "unreadable"
    return _take_wish(message, reading) if kind.lower() == "u" else _take_reading(message, reading)


def _take_wish(message: Message, reading: Reading) -> str:
    """Unsubscribe by mail (RFC 2369 §3.2). A machine's reply is nobody's wish (RFC 3834 §5)."""
    if reading.is_automatic:
        return "automatic"
    return "unsubscribe" if unsubscribe(message, Unsubscribe.How.MAIL) else "repeated"


def _take_reading(message: Message, reading: Reading) -> str:
    if reading.kind is Kind.COMPLAINT and reading.feedback:
        return _take_complaint(message, reading.feedback)
    if failure := reading.failure_of(message.address):
        return _take_failure(message, failure)
    return "no_failure" if reading.kind is not Kind.ORDINARY else "no_report"


def _take_complaint(message: Message, feedback: Feedback) -> str:
    if Complaint.objects.filter(message=message).exists():
        return "repeated"
    Complaint.objects.create(
        account_id=message.account_id,
        campaign_id=message.campaign_id,
        message=message,
        feedback_type=feedback.feedback_type,
        text=feedback.text,
    )
    suppress(message, Reason.COMPLAINT, feedback.text)
    return "complaint"


def _take_failure(message: Message, failure: Failure) -> str:
    if Bounce.objects.filter(message_id=message.pk, reason=failure.reason).exists():
        return "repeated"
    Bounce.objects.create(
        account_id=message.account_id,
        campaign_id=message.campaign_id,
        message_id=message.pk,
        is_hard=failure.is_hard,
        reason=failure.reason,
        enhanced=failure.status[:12],
        code=failure.code,
        text=failure.text,
    )
    if failure.is_hard:
        suppress(message, failure.reason, failure.text)
    return "hard_bounce" if failure.is_hard else "soft_bounce"


async def run() -> None:
    """Serve until stopped."""
    tls = server_context(settings.VAR / "run")
    inbound = Inbound()
    server = await serve(inbound, settings.HOST, settings.INBOUND_PORT, size=LARGEST, tls=tls)
    logger.info("The inbound server takes reports on %s port %s.", settings.HOST, settings.INBOUND_PORT)
    await until_stopped()
    server.close()
    await inbound.close()
