"""`bench import`: a file as Excel saves it, imported as `importcontacts` does it, beside the least that PostgreSQL needs for it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.models import Account
from campaigns.imports import loading, starting
from campaigns.models import Contact, ContactImport, MailingList, Subscription
from mailsales.management.bench.mailing import remove
from mailsales.management.bench.sink_process import BenchFailed

FAMILY_NAMES = ["佐藤", "鈴木", "髙橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山﨑"]
GIVEN_NAMES = ["太郎", "花子", "一郎", "美咲", "陽菜", "蓮", "翔", "結衣", "大和", "さくら"]
DOMAINS = 200
HEADINGS = ("メールアドレス", "お名前", "会社名", "フリガナ", "会員番号", "電話番号", "郵便番号")
KEYS = ("company", "kana", "member_no", "phone", "postal_code")
# One statement from staging to contacts on the list, as one would write it who checks nothing and counts nothing.
BARE_STAGE = """
CREATE TEMPORARY TABLE bare_row (account_id bigint, line integer, address text, domain text, name text, fields jsonb)
"""
BARE_UPSERT = """
WITH hosts AS (
  INSERT INTO destination (name) SELECT DISTINCT domain FROM bare_row ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id, name
), made AS (
  INSERT INTO contact (account_id, address, destination_id, name, fields)
  SELECT r.account_id, r.address, h.id, r.name, r.fields FROM bare_row r JOIN hosts h ON h.name = r.domain
  ON CONFLICT (account_id, address) DO UPDATE SET name = excluded.name, fields = excluded.fields RETURNING account_id, id
)
INSERT INTO subscription (account_id, list_id, contact_id, status, basis)
SELECT account_id, %s, id, 'confirmed', 'consent' FROM made ON CONFLICT (list_id, contact_id) DO NOTHING
"""


class Person(NamedTuple):
    """A row of the file."""

    address: str
    name: str
    company: str
    kana: str
    member_no: str
    phone: str
    postal_code: str


def measure(rows: int) -> dict[str, Any]:
    """Import so many rows, then put the same rows in bare. Raise BenchFailed when any is missing."""
    account, bare_account = make_account("import"), make_account("bare")
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "contacts.csv"
            write(file, rows)
            steps = load(account, file)
        compare(account, rows)
        bare_steps = load_bare(bare_account, rows)
        compare(bare_account, rows)
    finally:
        remove(account)
        remove(bare_account)
    took, bare_took = sum(steps.values()), sum(bare_steps.values())
    return {
        "rows": rows,
        "rows_per_second": round(rows / took, 1),
        "bare_rows_per_second": round(rows / bare_took, 1),
        "bare_ratio": round(bare_took / took, 3),
        "seconds": {name: round(seconds, 3) for name, seconds in steps.items()},
        "bare_seconds": {name: round(seconds, 3) for name, seconds in bare_steps.items()},
    }


def make_account(name: str) -> Account:
    account = Account.objects.create(name=f"bench {name} {time.time_ns()}")
    MailingList.objects.create(account=account, name="bench")
    return account


def people(rows: int) -> Iterator[Person]:
    """Yield the same people each time, at some large and many small providers."""
    for n in range(rows):
        family, given = FAMILY_NAMES[n % len(FAMILY_NAMES)], GIVEN_NAMES[n // 7 % len(GIVEN_NAMES)]
        yield Person(
            f"reader{n * 7_919 % 1_000_003}.{n}@host{n % DOMAINS}.bench.example",
            f"{family} {given}",
            f"株式会社みどり商店 第{n % 997}支店",
            "ヤマモト タロウ",
            f"A-{n:07}",
            f"090-{n % 10_000:04}-{n // 3 % 10_000:04}",
            f"{n % 900 + 100:03}-{n % 10_000:04}",
        )


def write(file: Path, rows: int) -> None:
    with file.open("w", encoding="cp932", newline="") as lines:
        for row in (HEADINGS, *people(rows)):
            lines.write(",".join(row) + "\r\n")


def load(account: Account, file: Path) -> dict[str, float]:
    """Import the file as the command does; return the seconds of each step."""
    began = time.monotonic()
    mailing_list = MailingList.objects.of(account).get()
    job = starting.queue(account, mailing_list, file, basis=Subscription.Basis.CONSENT)
    steps = {"look": time.monotonic() - began, "read": 0.0, "merge": 0.0}
    while job.status in loading.RUNNING:
        began, step = time.monotonic(), "merge" if job.status == ContactImport.Status.LOADING else "read"
        job = loading.run_slice(job)
        steps[step] += time.monotonic() - began
    return steps


def load_bare(account: Account, rows: int) -> dict[str, float]:
    """Put the same rows in by COPY and one statement; making the rows is not measured."""
    mailing_list = MailingList.objects.of(account).get()
    lines = "".join(_copy_line(account, n, person) for n, person in enumerate(people(rows), 2)).encode()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BARE_STAGE)
        began = time.monotonic()
        with cursor.copy("COPY bare_row FROM STDIN") as copy:
            copy.write(lines)
        cursor.execute("ANALYZE bare_row")
        copied = time.monotonic()
        cursor.execute(BARE_UPSERT, [mailing_list.pk])
        steps = {"copy": copied - began, "upsert": time.monotonic() - copied}
        cursor.execute("DROP TABLE bare_row")
    return steps


def _copy_line(account: Account, line: int, person: Person) -> str:
    fields = json.dumps(dict(zip(KEYS, person[2:], strict=True)), ensure_ascii=False)
    return f"{account.pk}\t{line}\t{person.address}\t{person.address.rpartition('@')[2]}\t{person.name}\t{fields}\n"


def compare(account: Account, rows: int) -> None:
    """Raise BenchFailed unless everybody is there, with all fields, and on the list."""
    found = Contact.objects.of(account).filter(fields__has_keys=list(KEYS)).exclude(name="").count()
    listed = Subscription.objects.filter(account=account, status=Subscription.Status.CONFIRMED).count()
    if (found, listed) != (rows, rows):
        raise BenchFailed(f"Of {rows} rows {found} are contacts and {listed} are on the list.")
