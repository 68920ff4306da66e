"""The statements of the delivery protocol (`ledger.sql`, docs/ledger.md), by name.

Each is one transaction, guarded by the state that it leaves, and may be run twice, by two, at any time. Web pages and
tasks run them over Django's connection; a worker process has one connection of its own (`Ledger`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import OperationalError, connection
from psycopg import errors
from psycopg.types.json import set_json_loads

Row = tuple[Any, ...]

STATEMENTS: dict[str, str] = {
    name: text.strip()
    for name, text in re.findall(
        r"^-- ([a-z_]+)\n(.*?)(?=^-- [a-z_]+\n|\Z)",
        Path(__file__).with_name("ledger.sql").read_text(),
        re.MULTILINE | re.DOTALL,
    )
}
# Part of the protocol (docs/ledger.md §4): a campaign just fanned out has no statistics, and without this the planner
# was seen to sort the whole queue for each claim.
FORBIDDEN = ("seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort")
PLANS = " ".join(["-c plan_cache_mode=force_custom_plan", *(f"-c enable_{plan}=off" for plan in FORBIDDEN)])
CROSSED = (errors.DeadlockDetected, errors.SerializationFailure)  # such a statement is simply run again
TRIES = 5
DECODER = json.JSONDecoder()


def execute(name: str, **values: Any) -> list[Row]:
    """Run a statement over Django's connection; return its rows."""
    return _run(name, values)[0]


def change(name: str, **values: Any) -> int:
    """Run a statement over Django's connection; return how many rows it changed."""
    return _run(name, values)[1]


def _run(name: str, values: dict[str, Any]) -> tuple[list[Row], int]:
    for turn in range(TRIES):
        try:
            with connection.cursor() as cursor:
                cursor.execute(STATEMENTS[name], values or None)
                return (cursor.fetchall() if cursor.description else []), cursor.rowcount
        except OperationalError as error:
            if turn == TRIES - 1 or connection.in_atomic_block or not isinstance(error.__cause__, CROSSED):
                raise
    raise AssertionError("unreachable")


def array(values: Sequence[int | str | datetime | None]) -> str:
    """Return the values as PostgreSQL writes an array: psycopg's own way, item by item, costs as much as TLS."""
    known: dict[int | str | datetime | None, str] = {None: "NULL"}
    for value in values:
        if value not in known:
            known[value] = str(value) if isinstance(value, int) else f'"{_escaped(str(value))}"'
    return "{" + ",".join([known[value] for value in values]) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")


def _from_jsonb(text: str | bytes) -> Any:
    """Return the value of what PostgreSQL itself wrote; `json.loads` guesses encodings and looks for blanks as long again."""
    return DECODER.raw_decode(text if isinstance(text, str) else text.decode())[0]


class Ledger:
    """The one connection of a worker process, in autocommit. All methods belong to its event loop.

    A lost connection raises psycopg.OperationalError; `connect` opens a new one.
    """

    def __init__(self, dsn: dict[str, Any]) -> None:
        self._dsn = dsn
        self._db: psycopg.AsyncConnection[Row] | None = None

    async def connect(self) -> None:
        await self.close()
        self._db = await psycopg.AsyncConnection.connect(**self._dsn, autocommit=True, options=PLANS)
        set_json_loads(_from_jsonb, self._db)

    async def close(self) -> None:
        if self._db:
            await self._db.close()
        self._db = None

    @property
    def is_open(self) -> bool:
        return self._db is not None and not self._db.closed

    async def execute(self, name: str, **values: Any) -> list[Row]:
        """Run a statement; return its rows. Raise psycopg.OperationalError when the connection is lost."""
        texts = {key: array(value) if isinstance(value, list) else value for key, value in values.items()}
        return await self.query(STATEMENTS[name], texts)

    async def query(self, text: str, values: dict[str, Any]) -> list[Row]:
        """Run other SQL over the same connection."""
        if self._db is None or self._db.closed:
            raise psycopg.OperationalError("The connection to PostgreSQL is lost.")
        for turn in range(TRIES):
            try:
                cursor = await self._db.execute(text, values or None)
                return await cursor.fetchall() if cursor.description else []
            except CROSSED:
                if turn == TRIES - 1:
                    raise
        raise AssertionError("unreachable")
