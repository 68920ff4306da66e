"""`strike` and `let_go` beside themselves and each other, over real sessions with a worker's plans."""

from __future__ import annotations

from typing import Any

from django.test import TransactionTestCase

from accounts.models import Account
from delivery.models import Installation
from mailsales.ledger import STATEMENTS, Row
from tests.ledger.sessions import Session, at_once, make_readers, make_started

READERS = 500
WORKERS = 4
DAYS = """
INSERT INTO strike (account_id, address, "on", reason, message_id)
SELECT account_id, address, (now() AT TIME ZONE 'UTC')::date - g, 'mailbox_full', 0 FROM contact, generate_series(1, 4) g
"""
STATE = "SELECT address, reason, retry_at, evidence, created_at FROM suppression ORDER BY address"


class StrikesTestCase(TransactionTestCase):
    def setUp(self) -> None:
        Installation.objects.get_or_create(pk=1)
        self.readers = make_readers(Account.objects.create(name="株式会社青葉商店"), READERS)
        self.s = self.session()
        self.campaign = make_started(self.s, self.readers)
        self.rows = self.s.claim(self.campaign)

    def session(self) -> Session:
        session = Session()
        self.addCleanup(session.close)
        return session

    def told(self, rows: list[Row]) -> dict[str, Any]:
        ids, leases = [row[0] for row in rows], [row[1] for row in rows]
        return {"ids": ids, "leases": leases, "reasons": ["mailbox_full"] * len(ids), "texts": ["full"] * len(ids)}

    def tell(self, session: Session, rows: list[Row]) -> None:
        """Do as a worker does, which runs a deadlocked statement again."""
        told = self.told(rows)
        session("strike", **told)
        session("let_go", ids=told["ids"])

    def test_told_by_many_at_once_each_is_struck_once_and_let_go_once(self) -> None:
        self.s.sql(DAYS)
        sessions = [self.session() for _each in range(WORKERS)]
        turned = [self.rows, self.rows[::-1], self.rows, self.rows[::-1]]
        failed = at_once(*[lambda s=s, r=r: self.tell(s, r) for s, r in zip(sessions, turned, strict=True)])
        self.assertEqual(failed, [None] * WORKERS)
        self.assertEqual(self.s.sql("SELECT count(*) FROM strike WHERE message_id > 0"), [(READERS,)])
        self.assertEqual(self.s.sql("SELECT count(*) FROM suppression WHERE retry_at > now()"), [(READERS,)])

    def test_told_again_nothing_changes(self) -> None:
        self.s.sql(DAYS)
        self.tell(self.s, self.rows)
        before = self.s.sql(STATE)
        self.tell(self.s, self.rows)
        self.assertEqual(self.s.sql(STATE), before)

    def test_another_s_lease_strikes_nobody(self) -> None:
        self.tell(self.s, [(row[0], row[1] + 1) for row in self.rows])
        self.assertEqual(self.s.sql("SELECT count(*) FROM strike"), [(0,)])

    def test_before_enough_days_nobody_is_let_go(self) -> None:
        self.tell(self.s, self.rows)
        self.assertEqual(self.s.sql("SELECT count(*) FROM suppression"), [(0,)])

    def test_both_are_read_by_index(self) -> None:
        told = self.told(self.rows)
        for name, values in (("strike", told), ("let_go", {"ids": told["ids"]})):
            plan = "\n".join(row[0] for row in self.s.sql("EXPLAIN (COSTS OFF) " + STATEMENTS[name], values))
            self.assertNotRegex(plan, r"Seq Scan on (message|strike|suppression|lease|bounce)")
