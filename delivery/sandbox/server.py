"""The sandbox: a real SMTP server with STARTTLS that keeps mail instead of delivering it (RFC 5321).

Mail is kept in the database, newest 5,000 or 200 MB, and belongs to the account whose token stands in the envelope
sender; mail without one is for operators. Addresses misbehave on request, see `manners.py`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from email import policy
from email.errors import MessageError
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import Envelope, Session
from django.conf import settings
from django.db.models import Sum

from accounts.models import Account
from delivery.certificates import server_context
from delivery.models import SandboxMail
from delivery.sandbox.manners import GREYLISTED, TAKEN, Manner, manner_of
from delivery.sandbox.reports import abuse_report, delivery_report, send_back
from delivery.servers import BUSY, Handler, Server, Shelf, serve, tls_version, until_stopped
from delivery.smtp import reply_text
from mailsales.tokens import BadToken, read_bounce_token, read_notice_token, read_test_token

LARGEST = 1_000_000  # bytes of one mail
MOST_MAILS = 5_000
MOST_BYTES = 200_000_000
SLICE = 500  # mails deleted in one statement
PRUNE_EVERY = 500  # mails
PAUSE_BEFORE_REPORT = 1.0  # seconds: the sender should have noted its 250 before the report comes
TOKEN = re.compile(r"(?:^|\+)(?P<kind>[bn])[+-](?P<token>\w+)$", re.IGNORECASE)  # as `compose.Returns` writes it
MOST_REMEMBERED = 10_000  # messages whose deferrals are counted
READERS = (("b", read_bounce_token), ("b", read_test_token), ("n", read_notice_token))  # by what stands before the plus
logger = logging.getLogger(__name__)


class Sandbox(Handler):
    """The conversation: what each recipient answers, and one row for every mail, refused ones too."""

    def __init__(self) -> None:
        self._shelf = Shelf(keep)
        self._deferrals: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._post = ThreadPoolExecutor(1, "post")
        self._reports: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Commit what waits; reports not yet sent are dropped."""
        for report in self._reports:
            report.cancel()
        self._post.shutdown(wait=False, cancel_futures=True)
        await self._shelf.close()

    async def handle_RCPT(
        self, server: Server, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        manner = manner_of(address)
        refusal = manner.at_rcpt or self._deferral(envelope.mail_from or "", address, manner)
        if not refusal:
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 Ok"
        is_kept = await self._shelf.put(new_mail(server, envelope, address, refusal))
        return refusal if is_kept else BUSY

    async def handle_DATA(self, server: Server, session: Session, envelope: Envelope) -> str:
        replies = [await self._take(server, envelope, recipient) for recipient in envelope.rcpt_tos]
        return next((reply for reply in replies if reply != TAKEN), TAKEN)

    async def _take(self, server: Server, envelope: Envelope, recipient: str) -> str:
        manner = manner_of(recipient)
        await asyncio.sleep(manner.seconds)
        reply = manner.at_dot.format(recipient=recipient) or TAKEN
        if not await self._shelf.put(new_mail(server, envelope, recipient, "000" if manner.drops else reply)):
            return BUSY
        if manner.drops and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        elif manner.sends_back:
            raw = envelope.original_content or b""
            report = asyncio.create_task(self._report(manner, envelope.mail_from or "", recipient, raw))
            self._reports.add(report)
            report.add_done_callback(self._reports.discard)
        return reply

    async def _report(self, manner: Manner, mail_from: str, recipient: str, raw: bytes) -> None:
        await asyncio.sleep(PAUSE_BEFORE_REPORT)
        write = delivery_report if manner.sends_back == "dsn" else abuse_report
        report = write(mail_from, recipient, raw)
        try:
            await asyncio.get_running_loop().run_in_executor(self._post, send_back, mail_from, report)
        except OSError as error:  # smtplib's own errors are of this kind
            logger.warning("The report about %s could not be sent to the inbound server: %s", recipient, error)

    def _deferral(self, mail_from: str, recipient: str, manner: Manner) -> str:
        """Return the reply that defers, for the first few times of one message."""
        if not manner.deferrals:
            return ""
        count = self._deferrals.pop((mail_from, recipient), 0) + 1
        self._deferrals[mail_from, recipient] = count
        if len(self._deferrals) > MOST_REMEMBERED:
            self._deferrals.popitem(last=False)
        return GREYLISTED if count <= manner.deferrals else ""


def new_mail(server: Server, envelope: Envelope, recipient: str, reply: str) -> SandboxMail:
    """Return the row, not yet saved. A reply of `000` stands for a connection dropped without one."""
    raw: bytes = envelope.original_content or b""
    mail_from = envelope.mail_from or ""
    account_id, message_id = whose(mail_from)
    return SandboxMail(
        account_id=account_id,
        message_id=message_id,
        mail_from=mail_from[:320],
        recipient=recipient[:320],
        subject=subject_of(raw),
        raw=raw,
        size=len(raw),
        tls=tls_version(server),
        code=int(reply[:3]),
        reply=reply_text([line[4:].encode() for line in reply.split("\r\n")]),
    )


def whose(mail_from: str) -> tuple[int | None, int | None]:
    """Return the ids of account and message that the token of an envelope sender names; only a campaign's has a message."""
    named = TOKEN.search(mail_from.partition("@")[0])
    for kind, read in READERS:
        if named is None or named["kind"].lower() != kind:
            continue
        try:
            found = read(named["token"])
        except BadToken:
            continue
        return found.account_id or None, found.row_id if read is read_bounce_token else None
    return None, None


def subject_of(raw: bytes) -> str:
    """Return the decoded subject, fit for a database."""
    try:
        subject = str(BytesHeaderParser(policy=policy.default).parsebytes(raw).get("Subject", ""))
    except (MessageError, ValueError, LookupError, IndexError, AttributeError):  # the stdlib's parser on broken headers
        return ""
    return "".join(letter for letter in subject if letter.isprintable()).encode("utf-8", "ignore").decode()[:400]


def keep(mails: Sequence[SandboxMail]) -> None:
    """Save the mails in one statement, and make room from time to time. A token of an account gone since names nobody."""
    wanted = {mail.account_id for mail in mails if mail.account_id}
    known = set(Account.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    for mail in mails:
        if mail.account_id not in known:
            mail.account_id = mail.message_id = None
    saved = SandboxMail.objects.bulk_create(mails)
    if any(mail.pk % PRUNE_EVERY == 0 for mail in saved):
        prune()


def prune() -> None:
    """Delete the oldest mails, slice by slice, until the newest 5,000 or 200 MB are left."""
    limit = SandboxMail.objects.order_by("-pk").values_list("pk", flat=True)[MOST_MAILS : MOST_MAILS + 1].first()
    while limit and _delete_oldest(limit):
        pass
    while (SandboxMail.objects.aggregate(total=Sum("size"))["total"] or 0) > MOST_BYTES and _delete_oldest():
        pass


def _delete_oldest(up_to: int | None = None) -> int:
    mails = SandboxMail.objects.filter(pk__lte=up_to) if up_to else SandboxMail.objects.all()
    oldest = list(mails.order_by("pk").values_list("pk", flat=True)[: SLICE if up_to else SLICE // 10])
    return SandboxMail.objects.filter(pk__in=oldest).delete()[0]


async def run() -> None:
    """Serve on this machine only, until stopped."""
    tls = server_context(settings.VAR / "run")
    sandbox = Sandbox()
    server = await serve(sandbox, "127.0.0.1", settings.SANDBOX_PORT, size=LARGEST, tls=tls)
    logger.info("The sandbox takes mail on port %s of this machine.", settings.SANDBOX_PORT)
    await until_stopped()
    server.close()
    await sandbox.close()
