"""Connections that speak in the protocol's statements, as a worker's does, and campaigns to race on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection

from accounts.models import Account
from campaigns.models import MailingList
from mailsales.ledger import PLANS, STATEMENTS, Row
from tests.make import make_campaign, make_list, make_sender

START = {"floor_due": datetime(2000, 1, 1, tzinfo=UTC), "floor_id": 0}


class Session:
    """One connection in autocommit, with a generation of its own."""

    def __init__(self) -> None:
        settings = connection.settings_dict
        server = {"host": settings["HOST"], "user": settings["USER"], "dbname": settings["NAME"]}
        self.db = psycopg.connect(**server, autocommit=True, options=PLANS)
        here = {"host": "here", "boot": "00000000-0000-0000-0000-000000000000", "pid": os.getpid()}
        self.generation = self("open_generation", **here)[0][0]

    def __call__(self, name: str, **values: Any) -> list[Row]:
        return self.sql(STATEMENTS[name], values)

    def sql(self, text: str, values: Any = None) -> list[Row]:
        cursor = self.db.execute(text, values or None)
        return cursor.fetchall() if cursor.description else [(cursor.rowcount,)]

    def claim(self, campaign: int, limit: int = 1_000) -> list[Row]:
        return self("claim", campaign=campaign, generation=self.generation, limit=limit, **START)

    def record(self, rows: list[Row], status: str = "sent", code: int | None = 250, **other: Any) -> list[Row]:
        return self("record", **told(rows, status, code, **other))

    def close(self) -> None:
        self.db.close()


def told(
    rows: list[Row], status: str, code: int | None = 250, reason: str | None = None, due: datetime | None = None
) -> dict[str, Any]:
    """Return the parameters of `record`: one outcome for claimed rows (id and lease come first in each)."""
    n = len(rows)
    return {
        "ids": [row[0] for row in rows], "leases": [row[1] for row in rows], "statuses": [status] * n, "reasons": [reason] * n,
        "dues": [due] * n, "codes": [code] * n, "commands": ["dot"] * n, "hosts": ["mx.example.jp"] * n, "texts": ["2.0.0 Ok"] * n,
    }  # fmt: skip


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run jobs in threads that start together; return their results, exceptions included."""
    gate = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(place: int, job: Callable[[], Any]) -> None:
        gate.wait()
        try:
            results[place] = job()
        except Exception as error:  # a race may be lost by a killed session: the caller looks
            results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def after(seconds: float, job: Callable[[], Any]) -> Any:
    time.sleep(seconds)
    return job()


def make_readers(account: Account, n: int) -> MailingList:
    """Make a list with n confirmed contacts."""
    mailing_list = make_list(account)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO destination (name) SELECT 'host' || g || '.example' FROM generate_series(0, 9) g ON CONFLICT DO NOTHING"
        )
        cursor.execute(
            """WITH made AS (
              INSERT INTO contact (account_id, address, destination_id) SELECT %(a)s, 'reader' || g || '@' || d.name, d.id
              FROM generate_series(1, %(n)s) g JOIN destination d ON d.name = 'host' || g %% 10 || '.example' RETURNING id
            )
            INSERT INTO subscription (account_id, list_id, contact_id, status, basis) SELECT %(a)s, %(l)s, id, 'confirmed', 'consent' FROM made""",
            {"a": account.pk, "l": mailing_list.pk, "n": n},
        )
    return mailing_list


def make_started(s: Session, mailing_list: MailingList, *, fan_out: bool = True, lanes: int = 1) -> int:
    """Make a campaign that sends; return its id."""
    account = mailing_list.account
    campaign = make_campaign(account, list=mailing_list, sender=make_sender(account, name=f"s{time.time_ns()}")).pk
    s("press_send", campaign=campaign, send_at=None)
    start(s, campaign, lanes)
    while fan_out and fan_out_slice(s, campaign, 1_000):
        pass
    return campaign


def start(s: Session, campaign: int, lanes: int) -> list[Row]:
    content = {"content": b"frozen", "numbers": [1], "urls": ["https://example.jp/"], "labels": ["a"]}
    return s("start", campaign=campaign, revision=0, expiry="72 hours", lanes=lanes, **content)


def fan_out_slice(s: Session, campaign: int, limit: int) -> bool:
    """Queue one slice; return False once the whole list is queued."""
    turn = s("fan_out_turn", campaign=campaign)
    if not turn:
        return False
    s("fan_out", campaign=campaign, after=turn[0][0], list=turn[0][1], limit=limit)
    return True


def counts(s: Session, campaign: int) -> dict[str, int]:
    return dict(s.sql("SELECT status, count(*) FROM message WHERE campaign_id = %s GROUP BY 1", [campaign]))


def tallied(s: Session, campaign: int) -> dict[str, int]:
    """Return what the progress query says, as a count by status."""
    sums: dict[str, int] = {}
    for _destination, status, n in s("progress", campaign=campaign):
        sums[status] = sums.get(status, 0) + int(n)
    waiting = sums.pop("all", 0) - sum(sums.values())
    return {status: n for status, n in {**sums, "queued": waiting}.items() if n}


def finish(s: Session, campaign: int) -> bool:
    with s.db.transaction():
        s("finish_lock", campaign=campaign)
        s("finish_lock_fanout", campaign=campaign)
        return bool(s("finish", campaign=campaign)[0][0])
