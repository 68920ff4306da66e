from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import TestCase
from django.utils.timezone import now

from delivery.models import BrokenTls, StsPolicy, TlsResult
from delivery.mta_sts import Policy
from delivery.sites import Target, TlsPlan
from delivery.smtp import ConnectFailure, Reply
from delivery.tls_memory import TlsMemory, result_of
from mailsales.ledger import Row
from mailsales.routes import TLSMode

PLAN = TlsPlan(TLSMode.REQUIRED, policy_type="sts", policy_domain="example.jp", policy=("mode: enforce",), mx_patterns=("*.example.jp",))  # fmt: skip
TARGET = Target("mx1.example.jp", 25, tls=PLAN)


def failure(text: str = "no STARTTLS", *, is_unoffered: bool = True, cause: Exception | None = None) -> ConnectFailure:
    found = ConnectFailure(Reply(0, text, "starttls", "mx1.example.jp"), is_tls=True, is_unoffered=is_unoffered)
    found.__cause__ = cause
    return found


def unproven(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    return error


def policy(name: str = "1", days: int = 1) -> Policy:
    fetched_at = datetime.now(UTC)
    return Policy(
        "example.jp", name, "enforce", ("*.example.jp",), "text\n", fetched_at, fetched_at + timedelta(days=days)
    )


def execute(sql: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


async def run(sql: str, values: dict[str, Any]) -> list[Row]:
    return await sync_to_async(execute)(sql, values)


async def away(sql: str, values: dict[str, Any]) -> list[Row]:
    raise psycopg.OperationalError("gone")


class MemoryTest(TestCase):
    def setUp(self) -> None:
        self.memory = TlsMemory(run)
        self.flush = async_to_sync(self.memory.flush)
        self.sibling = TlsMemory(run)

    def test_sessions_are_counted_by_how_they_ended(self) -> None:
        for _turn in range(3):
            self.memory.note(TARGET, None)
        self.memory.note(TARGET, failure())
        self.flush(run)
        self.memory.note(TARGET, None)
        self.flush(run)
        rows = TlsResult.objects.order_by("n").values_list("on", "domain", "policy_type", "result", "mx", "text", "n")
        day = datetime.now(UTC).date()
        failed = (day, "example.jp", "sts", "starttls-not-supported", "mx1.example.jp", "no STARTTLS", 1)
        self.assertEqual(list(rows), [failed, (day, "example.jp", "sts", "", "", "", 4)])

    def test_the_policy_is_kept_with_its_count(self) -> None:
        self.memory.note(TARGET, None)
        self.flush(run)
        result = TlsResult.objects.get()
        self.assertEqual((result.policy, result.mx_patterns), (["mode: enforce"], ["*.example.jp"]))

    def test_where_no_policy_was_applied_nothing_is_counted(self) -> None:
        self.memory.note(Target("mx1.example.jp", 25), None)
        self.memory.note(Target("mx1.example.jp", 25, tls=TlsPlan(TLSMode.NONE, policy_domain="example.jp")), None)
        self.flush(run)
        self.assertFalse(TlsResult.objects.exists())

    def test_nothing_is_lost_while_the_database_is_away(self) -> None:
        self.memory.note(TARGET, None)
        self.memory.broken("mx9.example.jp", "no")
        self.memory.keep(policy())
        with self.assertRaises(psycopg.OperationalError):
            self.flush(away)
        self.memory.note(TARGET, None)
        self.flush(run)
        self.assertEqual((TlsResult.objects.get().n, BrokenTls.objects.count(), StsPolicy.objects.count()), (2, 1, 1))

    def test_a_broken_host_is_remembered_for_three_days_by_all(self) -> None:
        self.memory.broken("mx9.example.jp", "the handshake failed")
        self.flush(run)
        async_to_sync(self.sibling.begin)()
        self.assertTrue(self.sibling.is_broken("mx9.example.jp"))
        self.assertAlmostEqual(BrokenTls.objects.get().until, now() + timedelta(days=3), delta=timedelta(minutes=1))

    def test_a_host_may_mend(self) -> None:
        BrokenTls.objects.create(host="mx9.example.jp", until=now() - timedelta(seconds=1))
        self.flush(run)
        self.assertEqual((self.memory.is_broken("mx9.example.jp"), BrokenTls.objects.count()), (False, 0))

    def test_policies_are_shared(self) -> None:
        self.memory.keep(policy())
        self.flush(run)
        async_to_sync(self.sibling.begin)()
        self.assertEqual(self.sibling.policy("example.jp"), self.memory.policy("example.jp"))

    def test_the_newest_policy_counts(self) -> None:
        old, new = policy("1"), policy("2")
        for each in (new, old):
            self.memory.keep(each)
            self.flush(run)
        self.assertEqual(StsPolicy.objects.get().policy_id, "2")

    def test_a_policy_that_is_over_is_none(self) -> None:
        self.memory.keep(policy(days=-1))
        self.assertIsNone(self.memory.policy("example.jp"))

    def test_while_the_database_is_away_it_begins_without(self) -> None:
        memory = TlsMemory(away)
        async_to_sync(memory.begin)()
        self.assertIsNone(memory.policy("example.jp"))


class ResultTest(TestCase):
    def test_failures_have_the_names_of_the_reports(self) -> None:
        expected = {
            "certificate-expired": failure(is_unoffered=False, cause=unproven(10)),
            "certificate-host-mismatch": failure(is_unoffered=False, cause=unproven(62)),
            "certificate-not-trusted": failure(is_unoffered=False, cause=unproven(18)),
            "starttls-not-supported": failure(),
            "validation-failure": failure(is_unoffered=False),
        }
        self.assertEqual(
            {name: result_of(found) for name, found in expected.items()}, {name: name for name in expected}
        )
