"""The daily TLS reports on their way (RFC 8460 §5): yesterday's counts, once a day to each domain that wants them.

They go by mail to the servers of the address, or by HTTPS POST. A domain's report is done once one of its destinations
took it, or it turned out to want none; else it is tried again each hour of that day (§5.5). Safe to run twice, beside
itself and to kill: the same report has the same id, so that a second copy is known as one.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account, DkimKey
from delivery import tlsrpt
from delivery.directory import Directory
from delivery.dkim import Signers
from delivery.handover import hand_over
from delivery.models import TlsResult
from delivery.renditions import signers_of
from delivery.resolver import DnsTrouble, NoSuchDomain, Resolver, is_public
from delivery.routes import read_route
from delivery.sites import Site, TlsPlan, Unroutable
from delivery.smtp import Timeouts, verified_context
from delivery.tls_policy import TlsPolicies
from delivery.tlsrpt import Report
from mailsales.addresses import clean_address, on_the_wire
from mailsales.routes import Route, RouteKind

SLICE = 50  # domains at once
KEPT = timedelta(days=30)
PATIENCE = Timeouts(connect=10, greeting=30, ehlo=30, starttls=15, mail=30, rcpt=30, data=30, block=30, dot=60)
SECONDS = 120.0  # for one destination
FIRST_HOUR, HOURS = 1, 4  # UTC: workers have written yesterday's counts, and not all senders come at once (§4.1)
MOST_ADDRESSES = 4
SUCCESS = re.compile(r"HTTP/1\.\d 2\d\d\b")
ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtext('tls reports'))"

logger = logging.getLogger(__name__)


def send_slice(after: str = "") -> str | None:
    """Report to the next domains after this one; return the last of them, or None when there are none to do now."""
    at = datetime.now(UTC)
    TlsResult.objects.filter(on__lt=at.date() - KEPT).delete()
    contact = on_the_wire(clean_address(settings.TLSRPT_FROM)) if settings.TLSRPT_FROM else ""
    if not contact or at.hour < FIRST_HOUR + zlib.crc32(contact.encode()) % HOURS:
        return None
    with transaction.atomic():
        if not _is_alone():
            return None
        reports = _due(at.date() - timedelta(days=1), contact, after)
        if not reports:
            return None
        done = asyncio.run(_deliver(reports, _postman(reports[0].submitter)))
        rows = [row.pk for report in done for row in report.rows]
        TlsResult.objects.filter(pk__in=rows, reported_at=None).update(reported_at=datetime.now(UTC))
    return reports[-1].domain


@dataclass(frozen=True, slots=True)
class Postman:
    """Delivers reports. Without `signers` none goes by mail: nobody heeds an unsigned one (RFC 8460 §3)."""

    resolver: Resolver
    directory: Directory
    route: Route
    signers: Signers | None
    context: ssl.SSLContext

    async def deliver(self, report: Report) -> bool:
        """Return whether the report is done."""
        try:
            records = await self.resolver.txt(f"_smtp._tls.{report.domain}")
        except NoSuchDomain:
            return True
        except DnsTrouble as error:
            logger.warning("Whether %s wants the TLS report %s is not known: %s", report.domain, report.id, error)
            return False
        uris = tlsrpt.destinations(records)
        faults = await asyncio.gather(*(self._try(report, uri) for uri in uris))
        for uri, fault in zip(uris, faults, strict=True):
            if fault:
                logger.warning("The TLS report %s was not taken by %s: %s", report.id, uri, fault)
        return not uris or "" in faults

    async def _try(self, report: Report, uri: str) -> str:
        """Return what went wrong, or nothing."""
        try:
            async with asyncio.timeout(SECONDS):
                address = tlsrpt.address_of(uri)
                return await (self._mail(report, address) if address else self._post(report, uri))
        except Unroutable as error:
            return error.reply.text
        except (NoSuchDomain, DnsTrouble, OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            return str(error) or "no answer in time"

    async def _mail(self, report: Report, address: str) -> str:
        if self.signers is None:
            return f"no account has a DKIM key of {report.submitter}, the domain of TLSRPT_FROM"
        site = await self.directory.site_of(self.route, address.rpartition("@")[2])
        targets = await self.directory.targets_of(self.route, site)
        mail = tlsrpt.mail(report, address, self.signers, int(time.time()))
        reply = await hand_over(mail, targets, self.route, PATIENCE)
        return "" if reply.is_positive else f"{reply.code or ''} {reply.text}".strip()

    async def _post(self, report: Report, uri: str) -> str:
        """Send it by HTTPS (RFC 8460 §5.4). A redirect is no success."""
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port or 443
        allowed = await self.resolver.addresses(host)
        addresses = [one for one in allowed if settings.ALLOW_PRIVATE_MX or is_public(one)][:MOST_ADDRESSES]
        fault = f"{host} has no address that may be asked"
        for address in addresses:
            try:
                reader, writer = await asyncio.open_connection(address, port, ssl=self.context, server_hostname=host)
            except OSError as error:  # ssl.SSLError is one
                fault = str(error)
                continue
            try:
                writer.write(_request(parts.netloc, parts.path or "/", parts.query, report.packed()))
                status = (await reader.readline()).decode("latin-1").strip()
            finally:
                writer.close()
            return "" if SUCCESS.match(status) else f"it answers “{status[:80]}”"
        return fault


# -- inside ------------------------------------------------------------------------------------


class _Unminded(TlsPolicies):
    """What TLS a report needs: any, or none. It must get through where TLS is broken (RFC 8460 §3, §5.3)."""

    def __init__(self) -> None:
        """Ask nobody and remember nothing: these sessions are not counted."""

    def is_broken(self, host: str) -> bool:
        return False

    async def governs(self, domain: str) -> bool:
        return False

    async def plans(self, site: Site, host: str, port: int, *, is_secure: bool) -> list[TlsPlan]:
        return [TlsPlan()]


def _is_alone() -> bool:
    """Return whether no other process sends reports, until the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME)
        return bool(cursor.fetchone()[0])


def _due(on: date, contact: str, after: str) -> list[Report]:
    """Return the reports of that day that are still to be made, in the order of their domains."""
    rows = TlsResult.objects.filter(on=on, reported_at=None, domain__gt=after)
    domains = list(rows.order_by("domain").values_list("domain", flat=True).distinct()[:SLICE])
    source = _sending_address()
    found = rows.filter(domain__in=domains).order_by("domain", "policy_type", "mx", "result", "pk")
    by_domain = {domain: tuple(of_one) for domain, of_one in groupby(found, key=lambda row: row.domain)}
    return [Report(domain, on, contact, of_one, source) for domain, of_one in by_domain.items()]


def _sending_address() -> str:
    """Return the address of all connections; empty if it is not known, or not the same for all routes."""
    source = read_route().source_address
    is_sole = not Account.objects.exclude(sealed_route="").exists()
    return source if source and is_sole and is_public(source) else ""


def _postman(submitter: str) -> Postman:
    route, resolver = read_route(), Resolver(settings.DNS_SERVERS)
    if route.kind is not RouteKind.MX:
        route = read_route("mx")
    directory = Directory(
        resolver, _Unminded(), lambda _hosts, domain: domain, allows_private=settings.ALLOW_PRIVATE_MX
    )
    key = DkimKey.objects.signing().filter(domain__name=submitter).order_by("account_id").first()
    signers = signers_of(key.account_id, submitter) if key else None
    return Postman(resolver, directory, route, signers, verified_context())


async def _deliver(reports: Sequence[Report], postman: Postman) -> list[Report]:
    """Return the reports that are done; whatever befalls one, the others go out."""
    results = await asyncio.gather(*map(postman.deliver, reports), return_exceptions=True)
    done = []
    for report, result in zip(reports, results, strict=True):
        if isinstance(result, BaseException):
            logger.error("The TLS report %s could not be sent", report.id, exc_info=result)
        elif result:
            done.append(report)
    return done


def _request(host: str, path: str, query: str, body: bytes) -> bytes:
    lines = (
        f"POST {path}{'?' if query else ''}{query} HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {tlsrpt.MEDIA_TYPE}",
        f"Content-Length: {len(body)}",
        "User-Agent: Mailsales",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii") + body
