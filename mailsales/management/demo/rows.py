"""Many rows at once, by COPY."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from psycopg import sql


def copy(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Write the rows into the table; `columns` are their names with blanks between."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns.split()))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with connection.cursor() as cursor, cursor.copy(statement) as into:
        for row in rows:
            into.write_row(row)
