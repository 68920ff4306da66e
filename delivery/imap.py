"""Reads the mailboxes that take returned mail where no MX record can point here (RFC 9051).

A mail of ours is kept first, in a committed row, and deleted in the mailbox only then; `remote_id` keeps one from being
taken twice. People may read the same mailbox: what is no report and no wish with a token of ours stays as it is, unread,
and is not fetched again. A report without a valid token is kept for the operator, and stays there as well.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email.utils import getaddresses

from django.db import connection
from django.utils import translation
from django.utils.timezone import now

from delivery.bounces import Kind, Reading, read_bounce
from delivery.imap_line import Folder, Login, Trouble, opened
from delivery.inbound.addresses import read_mailbox_address
from delivery.inbound.limits import Limits
from delivery.inbound.reading import address_of
from delivery.models import InboundMail, ReturnMailbox
from mailsales.doorbell import ring
from mailsales.vault import Sealed

MOST_MAILS = 200  # of one turn
LARGEST = Limits().size
LOCKS = 11_0993  # the first key of the advisory locks; the second is the mailbox's
TAKE, LET_GO = "SELECT pg_try_advisory_lock(%s, %s)", "SELECT pg_advisory_unlock(%s, %s)"
TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")  # the likeliest first
REPORTS = frozenset({Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED, Kind.COMPLAINT, Kind.FEEDBACK, Kind.VACATION})
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
logger = logging.getLogger(__name__)


def ring_due() -> None:
    """Ring the reading of every mailbox whose time it is."""
    for pk in ReturnMailbox.objects.due(now()).values_list("pk", flat=True):
        ring("delivery.read_mailbox", pk)


def login_of(mailbox: ReturnMailbox) -> Login:
    """Return how the mailbox is opened. Raise vault.Sealed."""
    return Login(mailbox.host, mailbox.port, mailbox.username, mailbox.password, mailbox.folder)


def read_mailbox(pk: int) -> bool:
    """Take what came back into a mailbox, if it is due and nobody else is reading it; return whether more is there."""
    with _locked(pk) as is_mine:
        mailbox = ReturnMailbox.objects.due(now()).select_related("account").filter(pk=pk).first() if is_mine else None
        if mailbox is None:
            return False
        with translation.override(mailbox.account.language):
            has_more, trouble = False, ""
            try:
                with opened(login_of(mailbox)) as folder:
                    has_more = _read(mailbox, folder)
            except (Trouble, Sealed) as error:
                trouble = str(error)[:500]
                logger.warning("The mailbox %s cannot be read: %s", mailbox.pk, error)
        read_at = None if has_more else now()  # what is not read to its end stays due
        ReturnMailbox.objects.filter(pk=pk).update(read_at=read_at, trouble=trouble)
        return has_more


# -- inside ------------------------------------------------------------------------------------


@contextmanager
def _locked(pk: int) -> Iterator[bool]:
    """Hold the mailbox, unless somebody else does. It is not a transaction's lock: reading may take a minute."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [LOCKS, pk])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute(LET_GO, [LOCKS, pk])


def _read(mailbox: ReturnMailbox, folder: Folder) -> bool:
    last = mailbox.last_uid if mailbox.uid_validity == folder.uid_validity else 0
    uids = folder.uids_after(last, _day(mailbox.created_at.date() - timedelta(days=1)))
    taken = [uid for uid in uids[:MOST_MAILS] if _take(mailbox, folder, uid)]
    if taken:
        folder.expunge(taken)
    if uids:
        last = uids[:MOST_MAILS][-1]
        ReturnMailbox.objects.filter(pk=mailbox.pk).update(uid_validity=folder.uid_validity, last_uid=last)
    return len(uids) > MOST_MAILS


def _take(mailbox: ReturnMailbox, folder: Folder, uid: int) -> bool:
    """Keep a mail if it is for us, then mark it; return whether it was marked. What is kept cut stays in the mailbox."""
    stored = folder.fetch(uid, LARGEST)
    if stored is None:
        return False
    reading = read_bounce(stored.raw)
    recipient = _recipient(mailbox, reading)
    remote_id = f"{mailbox.pk}:{folder.uid_validity}:{uid}"
    mail = InboundMail(recipient=recipient[:320], raw=stored.raw, source=InboundMail.Source.IMAP, remote_id=remote_id)
    is_ours = recipient != mailbox.address
    if not is_ours:
        found = address_of(mail, reading)
        is_ours = found is not None and found.token is not None and (reading.kind in REPORTS | {Kind.ORDINARY})
        if not is_ours and reading.kind not in (Kind.BOUNCE, Kind.COMPLAINT):
            return False
    InboundMail.objects.bulk_create([mail], ignore_conflicts=True)  # committed: there is no transaction around it
    if not is_ours or stored.size > len(stored.raw):
        return False
    folder.mark(uid)
    return True


def _recipient(mailbox: ReturnMailbox, reading: Reading) -> str:
    """Return the address with a token behind the plus sign that the mail came to, or that of the mailbox itself."""
    name, _at, domain = mailbox.address.lower().rpartition("@")
    for _label, address in getaddresses([reading.header[field] for field in TO if field in reading.header]):
        local, _at, where = address.lower().rpartition("@")
        if where == domain and local.startswith(f"{name}+") and read_mailbox_address(address):
            return address
    return mailbox.address


def _day(day: date) -> str:
    """Return a date as IMAP writes it, in English whatever the locale."""
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"
