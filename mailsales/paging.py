"""Pages of a long table by key: forward and back, never "page 731"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a table. `previous` and `following` are queries of links, empty where there is nothing more."""

    rows: Sequence[Row]
    target: str  # the id of the fragment that shows the rows
    previous: str
    following: str
    total: int | None = None  # None where counting would be slow


def page_of(
    rows: QuerySet[Row],
    query: Mapping[str, str],
    *,
    target: str,
    total: int | None = None,
    size: int = SIZE,
) -> Page[Row]:
    """Return the page, newest first, that `?after=` or `?before=` a primary key asks for."""
    after, before = query.get("after", ""), query.get("before", "")
    if before.isdecimal():
        found = list(rows.filter(pk__gt=int(before)).order_by("pk")[: size + 1])
        has_previous, has_following = len(found) > size, True
        shown = found[:size][::-1]
    else:
        older = rows.filter(pk__lt=int(after)) if after.isdecimal() else rows
        found = list(older.order_by("-pk")[: size + 1])
        has_previous, has_following = after.isdecimal(), len(found) > size
        shown = found[:size]
    kept = {key: value for key, value in query.items() if value and key not in ("after", "before")}
    return Page(
        shown,
        target,
        previous="?" + urlencode({**kept, "before": shown[0].pk}) if has_previous and shown else "",
        following="?" + urlencode({**kept, "after": shown[-1].pk}) if has_following and shown else "",
        total=total,
    )
