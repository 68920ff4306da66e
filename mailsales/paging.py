"""Pages of a long table by key: forward and back, never "page 731"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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

    def fetch(after: int | None, before: int | None, limit: int) -> list[Row]:
        if before is not None:
            return list(rows.filter(pk__gt=before).order_by("pk")[:limit])[::-1]
        older = rows if after is None else rows.filter(pk__lt=after)
        return list(older.order_by("-pk")[:limit])

    return page_by(fetch, query, target=target, total=total, size=size)


def page_by(
    fetch: Callable[[int | None, int | None, int], list[Row]],
    query: Mapping[str, str],
    *,
    target: str,
    total: int | None = None,
    size: int = SIZE,
) -> Page[Row]:
    """Return a page of what `fetch(after, before, limit)` finds: rows with a key below `after`, or the nearest above
    `before`, newest first."""
    after = int(query["after"]) if query.get("after", "").isdecimal() else None
    before = int(query["before"]) if query.get("before", "").isdecimal() else None
    found = fetch(after, before, size + 1)
    is_more = len(found) > size
    shown = found[1:] if before is not None and is_more else found[:size]
    has_previous = is_more if before is not None else after is not None
    has_following = True if before is not None else is_more
    kept = {key: value for key, value in query.items() if value and key not in ("after", "before")}
    return Page(
        shown,
        target,
        previous="?" + urlencode({**kept, "before": shown[0].pk}) if has_previous and shown else "",
        following="?" + urlencode({**kept, "after": shown[-1].pk}) if has_following and shown else "",
        total=total,
    )
