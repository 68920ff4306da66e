"""Remove an account with everything that belongs to it, for the demo and the bench."""

from __future__ import annotations

from django.db import connection, transaction
from psycopg import sql

# Tables that carry an account, and which of them refer to which; partitions go with their parents.
TABLES = """
SELECT c.relname, coalesce(array_agg(DISTINCT r.relname) FILTER (WHERE r.relname IS NOT NULL AND r.oid <> c.oid), '{}')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id' AND NOT a.attisdropped
LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' LEFT JOIN pg_class r ON r.oid = k.confrelid
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname
"""


def erase(account_id: int) -> int:
    """Delete the account and all its rows; return how many. Its users stay."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TABLES)
        removed = 0
        for table in children_first(dict(cursor.fetchall())):
            cursor.execute(sql.SQL("DELETE FROM {} WHERE account_id = %s").format(sql.Identifier(table)), [account_id])
            removed += cursor.rowcount
        cursor.execute("DELETE FROM account WHERE id = %s", [account_id])
    return removed


def children_first(refers_to: dict[str, list[str]]) -> list[str]:
    """Return the tables so that each comes before those it refers to."""
    ordered: list[str] = []
    left = dict(refers_to)
    while left:
        wanted = {parent for table, parents in left.items() for parent in parents if table != parent}
        free = sorted(set(left) - wanted)
        ordered += free or sorted(left)  # a circle can only be deferred constraints
        left = {table: parents for table, parents in left.items() if table not in ordered}
    return ordered
