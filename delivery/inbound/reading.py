"""Reads what was kept: which message of ours a mail is about, and what follows from it.

The token says that, never a name in the text: the one in the address that the mail came to (VERP), else those in the
header that it returns. Whatever a mail says, it can only concern its token's message. Without a valid token it stays for
the operator and changes no contact (backscatter and forged reports are common).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from email.errors import MessageError

from django.db import DataError, connection, transaction
from django.utils.timezone import now

from accounts.models import Account, Notice
from delivery import leaving, readers
from delivery.bounces import Kind, Reading, read_bounce
from delivery.complaints import Feedback
from delivery.inbound.addresses import ROLES, Address, Box, read_address, read_any_token, read_mailbox_address
from delivery.models import Bounce, Complaint, InboundMail, Message, Unsubscribe
from delivery.refusals import suppress
from delivery.strikes import take_failure
from mailsales.reasons import Reason
from mailsales.tokens import Token

BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError, DataError)
WISH = "unsubscribe-"  # the subject that asks for it at a mailbox that takes no plus sign
LOCK = 11_2526  # one reads at a time, so that a report that came twice is seen twice
ONE_READER = "SELECT pg_try_advisory_xact_lock(%s)"
DAYS_KEPT, DAYS_KEPT_OF_NOBODY = 90, 30
SLICE = 500  # mails deleted in one statement
Outcome = InboundMail.Outcome
OUTCOMES = {
    Kind.DELAYED: Outcome.DELAYED,
    Kind.DELIVERED: Outcome.DELIVERED,
    Kind.FEEDBACK: Outcome.FEEDBACK,
    Kind.VACATION: Outcome.AUTOMATIC,
    Kind.CHALLENGE: Outcome.AUTOMATIC,
    Kind.RECEIPT: Outcome.AUTOMATIC,
}
logger = logging.getLogger(__name__)


def read_new(limit: int = 100) -> bool:
    """Read the oldest mails that nobody has read; return whether there were any. Who comes beside finds nothing to do."""
    unread = InboundMail.objects.filter(read_at=None).order_by("pk").values_list("pk", flat=True)
    waiting = list(unread[:limit])
    return bool(waiting) and all(_read_one(pk) for pk in waiting)


def forget() -> bool:
    """Delete a slice of mails that are old; return whether there were any. They hold personal data."""
    old = InboundMail.objects.filter(received_at__lt=now() - timedelta(days=DAYS_KEPT))
    of_nobody = InboundMail.objects.filter(account=None, received_at__lt=now() - timedelta(days=DAYS_KEPT_OF_NOBODY))
    slices = [list(mails.order_by("received_at").values_list("pk", flat=True)[:SLICE]) for mails in (old, of_nobody)]
    return InboundMail.objects.filter(pk__in=[*slices[0], *slices[1]]).delete()[0] > 0


def address_of(mail: InboundMail, reading: Reading) -> Address | None:
    """Return the address of ours, with its token, that a mail is about; None where it names none.

    A token in the mail itself counts only where the address has none by its nature.
    """
    read = read_address if mail.source == InboundMail.Source.SMTP else read_mailbox_address
    found = read(mail.recipient)
    if found and found.box not in ROLES:
        return found
    wish = reading.header.get("subject", "").strip().lower()
    if wish.startswith(WISH) and (asked := read_any_token(wish.removeprefix(WISH))):
        return asked if asked.box is Box.UNSUBSCRIBE else None
    if reading.kind is Kind.ORDINARY:  # a person's reply holds the token of what it answers, too
        return None
    return next((_as_report(known) for text in reading.tokens if (known := read_any_token(text))), None)


# -- inside ------------------------------------------------------------------------------------


def _read_one(pk: int) -> bool:
    """Read a mail in a transaction of its own, so that no row is locked for long; return False where another one reads."""
    with transaction.atomic():
        if not _is_only_reader():
            return False
        if mail := InboundMail.objects.filter(pk=pk, read_at=None).first():
            mail.outcome = _outcome_of(mail, bytes(mail.raw))
            mail.read_at = now()
            mail.save(update_fields=["account", "outcome", "read_at"])
    return True


def _is_only_reader() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(ONE_READER, [LOCK])
        return bool(cursor.fetchone()[0])


def _outcome_of(mail: InboundMail, raw: bytes) -> InboundMail.Outcome:
    try:
        with transaction.atomic():
            return _read_mail(mail, raw)
    except BROKEN:
        logger.exception("Inbound mail %s cannot be read and changes nothing.", mail.pk)
        return Outcome.UNREADABLE


def _read_mail(mail: InboundMail, raw: bytes) -> InboundMail.Outcome:
    """Act on a mail, and return what it was."""
    reading = read_bounce(raw)
    address = address_of(mail, reading)
    if address is None:
        return Outcome.FOR_OPERATOR if reading.kind is Kind.ORDINARY else Outcome.NO_TOKEN
    if address.token is None:
        return Outcome.FORGED if address.is_forged else Outcome.NO_TOKEN
    mail.account = Account.objects.filter(pk=address.token.account_id).first()
    if address.box is Box.TEST:
        return Outcome.TEST
    if address.box is Box.NOTICE:
        return _take_notice(address.token, reading)
    if address.box is Box.UNSUBSCRIBE:
        return _take_wish(address.token, reading)
    token = address.token
    message = Message.objects.filter(account_id=token.account_id, pk=token.row_id).select_related("campaign").first()
    return _take_reading(message, reading) if message else Outcome.MESSAGE_GONE


def _as_report(found: Address) -> Address:
    """Return what is reported: a returned mail holds its own unsubscribe address, and is no wish."""
    return Address(Box.BOUNCE, found.token) if found.box is Box.UNSUBSCRIBE else found


def _take_wish(token: Token, reading: Reading) -> InboundMail.Outcome:
    """Unsubscribe by mail (RFC 2369 §3.2). A machine's reply is nobody's wish (RFC 3834 §5)."""
    if reading.is_automatic:
        return Outcome.AUTOMATIC
    reader = readers.find(token)
    if reader is None:
        return Outcome.MESSAGE_GONE
    return Outcome.UNSUBSCRIBE if leaving.leave_list(reader, Unsubscribe.How.MAIL) else Outcome.REPEATED


def _take_notice(token: Token, reading: Reading) -> InboundMail.Outcome:
    """Note that a mail of the system itself did not arrive."""
    failures = reading.failures
    if not failures:
        return OUTCOMES.get(reading.kind, Outcome.NO_REPORT)
    text = f"{failures[0].status} {failures[0].text}".strip()[:500]
    Notice.objects.filter(pk=token.row_id).update(is_sent=False, reply=text)  # the token is signed: the row is meant
    return Outcome.NOTICE


def _take_reading(message: Message, reading: Reading) -> InboundMail.Outcome:
    if reading.kind is Kind.COMPLAINT and reading.feedback:
        return _take_complaint(message, reading.feedback)
    if reading.kind is Kind.BOUNCE and (failure := reading.failure_of(message.address)):
        if Bounce.objects.filter(message_id=message.pk, reason=failure.reason).exists():
            return Outcome.REPEATED
        Bounce.objects.create(
            account_id=message.account_id,
            campaign_id=message.campaign_id,
            message_id=message.pk,
            is_hard=failure.is_hard,
            reason=failure.reason,
            enhanced=failure.status[:12],
            code=failure.code,
            text=failure.text[:500],
        )
        take_failure(message, failure)
        return Outcome.HARD_BOUNCE if failure.is_hard else Outcome.SOFT_BOUNCE
    if reading.kind is Kind.ORDINARY and reading.is_automatic:
        return Outcome.AUTOMATIC
    return OUTCOMES.get(reading.kind, Outcome.NO_REPORT)


def _take_complaint(message: Message, feedback: Feedback) -> InboundMail.Outcome:
    if Complaint.objects.filter(message=message).exists():
        return Outcome.REPEATED
    Complaint.objects.create(
        account_id=message.account_id,
        campaign_id=message.campaign_id,
        message=message,
        feedback_type=feedback.feedback_type[:20],
        text=feedback.text[:500],
    )
    suppress(message, Reason.COMPLAINT, feedback.text)
    return Outcome.COMPLAINT
