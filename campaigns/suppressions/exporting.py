"""An account's suppressions as a CSV file, with the evidence; `loading` reads it again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Account
from campaigns.models import Suppression
from mailsales.csv_files import csv_response, unsayable
from mailsales.reasons import Reason

CHUNK = 2_000


def missing_letters(account: Account) -> list[str]:
    """Return the characters in the evidence that CP932 cannot hold, as far as the newest suppressions show."""
    newest = Suppression.objects.of(account).order_by("-pk").values_list("evidence", flat=True)[:10_000]
    return unsayable((str(text) for evidence in newest for text in evidence.values()), "cp932")


def suppressions_csv(account: Account, encoding: str) -> StreamingHttpResponse:
    headings = [_("Address"), _("Reason"), _("Evidence"), _("Campaign"), _("List"), _("Since"), _("Until"), _("By")]
    # Once, and here: `get_reason_display` looks all of them up for each row, and rows are streamed after the request.
    labels = {reason.value: str(reason.label) for reason in Reason}
    return csv_response(_rows(account, list(headings), labels), encoding, "suppressions.csv")


def _rows(account: Account, headings: list[object], labels: dict[str, str]) -> Iterator[list[object]]:
    zone = ZoneInfo(account.time_zone)  # the request has ended when the rows are streamed
    yield headings
    after = 0
    own = Suppression.objects.of(account).select_related("created_by").order_by("pk")
    while found := list(own.filter(pk__gt=after)[:CHUNK]):
        for each in found:
            told = [each.evidence.get(key, "") for key in ("text", "campaign", "list")]
            times = [_local(each.created_at, zone), _local(each.retry_at, zone)]
            by = each.created_by.name if each.created_by else ""
            yield [each.address, labels[each.reason], *told, *times, by]
        after = found[-1].pk


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return timezone.localtime(at, zone).strftime("%Y-%m-%d %H:%M") if at else ""
