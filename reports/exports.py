"""A campaign's recipients as a CSV file: what became of each, and what they did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from delivery.models import Message
from mailsales.csv_files import csv_response, unsayable
from mailsales.reasons import Reason
from reports.queries import rows

CHUNK = 2_000


def missing_letters(campaign: Campaign) -> list[str]:
    """Return the characters in the recipients' names that CP932 cannot hold."""
    found = rows(
        """SELECT DISTINCT k.name FROM message m JOIN contact k ON k.id = m.contact_id
        WHERE m.campaign_id = %(c)s AND k.name ~ '[^\\x01-\\x7f]'""",
        c=campaign.pk,
    )
    return unsayable((name for (name,) in found), "cp932")


def campaign_csv(campaign: Campaign, encoding: str) -> StreamingHttpResponse:
    headings = [_("Address"), _("Name"), _("Result"), _("Reason")]
    headings += [_("The server’s words"), _("Time"), _("Opens"), _("Clicks")]
    # Here, since rows are streamed when the request with its language has ended.
    statuses, reasons = ({each.value: str(each.label) for each in choices} for choices in (Message.Status, Reason))
    return csv_response(_rows(campaign, headings, statuses, reasons), encoding, f"campaign-{campaign.pk}.csv")


def _rows(
    campaign: Campaign, headings: list[str], statuses: dict[str, str], reasons: dict[str, str]
) -> Iterator[list[object]]:
    zone = ZoneInfo(campaign.account.time_zone)
    yield [*headings]
    after = 0
    while found := _slice(campaign, after):
        for pk, address, name, status, reason, code, text, closed_at, opens, clicks in found:
            at = timezone.localtime(closed_at, zone).strftime("%Y-%m-%d %H:%M:%S") if closed_at else ""
            reply = f"{code or ''} {text or ''}".strip()
            yield [address, name or "", statuses[status], reasons.get(reason, ""), reply, at, opens, clicks]
            after = pk


def _slice(campaign: Campaign, after: int) -> list[tuple[Any, ...]]:
    return rows(
        """SELECT m.id, m.address, k.name, m.status, m.reason, a.code, a.text, m.closed_at,
          (SELECT count(*) FROM open o WHERE o.message_id = m.id AND o.machine = ''),
          (SELECT count(*) FROM click c WHERE c.message_id = m.id AND c.machine = '')
        FROM message m LEFT JOIN contact k ON k.id = m.contact_id
        LEFT JOIN LATERAL (SELECT code, text FROM attempt WHERE message_id = m.id ORDER BY lease_id DESC LIMIT 1) a ON true
        WHERE m.campaign_id = %(c)s AND m.id > %(after)s ORDER BY m.id LIMIT %(limit)s""",
        c=campaign.pk,
        after=after,
        limit=CHUNK,
    )
