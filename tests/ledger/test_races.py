"""The statements of the ledger against each other, over real sessions of a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.test import TransactionTestCase

from accounts.models import Account
from delivery.models import Installation
from mailsales.ledger import STATEMENTS
from tests.ledger.sessions import (
    Session,
    after,
    at_once,
    counts,
    fan_out_slice,
    finish,
    make_readers,
    make_started,
    start,
    tallied,
    told,
)
from tests.make import make_campaign, make_sender

READERS = 3_000


class RacesTestCase(TransactionTestCase):
    def setUp(self) -> None:
        Installation.objects.get_or_create(pk=1)
        account = Account.objects.create(name="株式会社青葉商店")
        self.readers = make_readers(account, READERS)
        self.s = self.session()

    def session(self) -> Session:
        session = Session()
        self.addCleanup(session.close)
        return session

    def sessions(self, n: int) -> list[Session]:
        return [self.session() for _ in range(n)]

    def test_eight_people_press_send_and_eight_ticks_start_once(self) -> None:
        people, account = self.sessions(8), self.readers.account
        campaign = make_campaign(account, list=self.readers, sender=make_sender(account)).pk
        pressed = at_once(*[lambda p=p: p("press_send", campaign=campaign, send_at=None)[0][0] for p in people])
        started = at_once(*[lambda p=p: len(start(p, campaign, 2)) for p in people])
        self.assertEqual(sorted(pressed), [0] * 7 + [1])
        self.assertEqual(sorted(started), [0] * 7 + [2])

    def test_doubled_and_killed_fan_outs_make_one_message_each(self) -> None:
        campaign, tasks, killer = make_started(self.s, self.readers, fan_out=False), self.sessions(4), self.session()

        def run(task: Session) -> None:
            while fan_out_slice(task, campaign, 170):
                pass

        def kill() -> None:
            for task in tasks[:2]:
                after(0.02, partial(killer.sql, "SELECT pg_terminate_backend(%s)", [task.db.info.backend_pid]))

        at_once(*[partial(run, task) for task in tasks], kill)
        run(killer)
        rows = self.s.sql("SELECT count(*), count(DISTINCT contact_id) FROM message WHERE campaign_id = %s", [campaign])
        self.assertEqual(rows, [(READERS, READERS)])

    def test_lanes_claim_nothing_twice(self) -> None:
        campaign = make_started(self.s, self.readers)

        def run(lane: Session) -> list[int]:
            ids: list[int] = []
            while rows := lane.claim(campaign, 137):
                ids += [row[0] for row in rows]
            return ids

        taken = [each for ids in at_once(*[partial(run, lane) for lane in self.sessions(6)]) for each in ids]
        self.assertEqual((len(taken), len(set(taken))), (READERS, READERS))

    def test_the_same_record_three_times_at_once_counts_once(self) -> None:
        campaign, a, b = make_started(self.s, self.readers), self.session(), self.session()
        rows = a.claim(campaign, 500)
        done = at_once(*[lambda s=s: len(s.record(rows)) for s in (a, b, self.s)])
        self.assertEqual(sorted(done), [0, 0, 500])
        self.assertEqual(self.s.sql("SELECT count(*) FROM attempt"), [(500,)])
        self.assertEqual(tallied(self.s, campaign), {"sent": 500, "queued": READERS - 500})

    def test_an_old_lease_records_nothing(self) -> None:
        campaign, a, b = make_started(self.s, self.readers), self.session(), self.session()
        old = a.claim(campaign, 500)
        a.record(old, "deferred", 451, due=datetime.now(UTC))
        newer = {row[0]: row for row in b.claim(campaign, READERS)}
        self.assertEqual(a.record(old), [])
        self.assertEqual(len(b.record([newer[row[0]] for row in old])), 500)

    def test_a_record_whose_session_was_killed_is_sent_again(self) -> None:
        campaign, worker, killer = make_started(self.s, self.readers), self.session(), self.session()
        turn = 0
        while rows := worker.claim(campaign, 300):
            victim, turn = self.session(), turn + 1
            kill = partial(killer.sql, "SELECT pg_terminate_backend(%s)", [victim.db.info.backend_pid])
            at_once(partial(victim.record, rows), partial(after, turn % 5 / 100, kill))
            worker.record(rows)
        self.assertEqual(counts(self.s, campaign), {"sent": READERS})
        self.assertEqual(tallied(self.s, campaign), {"sent": READERS})
        self.assertTrue(finish(self.s, campaign))

    def test_closing_a_generation_waits_for_its_claim_in_doubt(self) -> None:
        campaign, a, b = make_started(self.s, self.readers), self.session(), self.session()
        a.db.autocommit = False
        rows = a.claim(campaign, 100)
        close = partial(b, "close_generation", generation=a.generation, who="replayer")
        at_once(close, partial(after, 0.3, a.db.commit))
        a.db.autocommit = True
        self.assertEqual(b("leases_of", generation=a.generation)[0][1], [row[0] for row in rows])
        self.assertEqual(a.claim(campaign, 100), [])
        self.assertFalse(a("watch", generation=a.generation, campaigns=[campaign], waiting=[])[0][0])

    def test_worker_and_sweeper_settle_each_row_once(self) -> None:
        campaign, sweeper = make_started(self.s, self.readers), self.session()
        for turn in range(5):
            worker = self.session()
            chunks = [worker.claim(campaign, 60) for _ in range(6)]
            sweeper.sql(
                "UPDATE generation SET closed_at = now(), closed_by = 'sweeper' WHERE id = %s", [worker.generation]
            )
            at_once(
                partial(list, map(worker.record, chunks)), partial(after, turn / 500, partial(sweeper, "settle_lost"))
            )
            while sweeper("settle_lost"):
                pass
            for rows in chunks:
                arrays = told(rows, "sent")
                del arrays["dues"]
                worker("evidence", **arrays)
        self.assertEqual(counts(self.s, campaign), {"sent": 1_800, "queued": READERS - 1_800})
        self.assertEqual(tallied(self.s, campaign), {"sent": 1_800, "queued": READERS - 1_800})

    def test_a_campaign_is_not_finished_over_a_resend(self) -> None:
        campaign, web, tick = make_started(self.s, self.readers), self.session(), self.session()
        self.s.record(self.s.claim(campaign, READERS), "unknown", 0, reason="no_reply")
        web.db.autocommit = False
        web("resend", campaign=campaign, seen_at=datetime.now(UTC))
        finished = at_once(partial(finish, tick, campaign), partial(after, 0.2, web.db.commit))[0]
        self.assertFalse(finished)
        self.assertEqual(self.s.sql("SELECT status FROM campaign WHERE id = %s", [campaign]), [("sending",)])

    def test_cancelling_under_lanes_leaves_sent_and_cancelled(self) -> None:
        campaign, lanes, web = make_started(self.s, self.readers), self.sessions(3), self.session()
        held: list[Any] = []

        def run(lane: Session) -> None:
            while rows := lane.claim(campaign, 50):
                held.append(rows)
                lane.record(rows[:25])

        at_once(
            *[partial(run, lane) for lane in lanes], partial(after, 0.03, partial(web, "cancel", campaign=campaign))
        )
        self.assertFalse(finish(self.s, campaign))
        for rows in held:
            web.record(rows, "queued", None, due=datetime.now(UTC))
        while self.s("close_due", campaign=campaign, limit=1_000):
            pass
        end = counts(self.s, campaign)
        self.assertEqual((set(end), sum(end.values())), ({"sent", "cancelled"}, READERS))
        self.assertEqual(tallied(self.s, campaign), end)
        self.assertTrue(finish(self.s, campaign))

    def test_what_is_refused_after_the_claim_is_seen_by_the_next_watch(self) -> None:
        campaign, worker = make_started(self.s, self.readers), self.session()
        rows = worker.claim(campaign, 100)
        self.s.sql(
            """UPDATE subscription SET status = 'unsubscribed', unsubscribed_at = now()
            WHERE contact_id = (SELECT contact_id FROM message WHERE id = %s)""",
            [rows[3][0]],
        )
        self.s.sql("INSERT INTO suppression (account_id, address, reason) VALUES (NULL, %s, 'manual')", [rows[5][6]])
        waiting = [row[0] for row in rows]
        answer = worker("watch", generation=worker.generation, campaigns=[campaign], waiting=waiting)[0]
        self.assertEqual(answer, (True, False, [rows[0][1]], [], [rows[3][0], rows[5][0]]))
        worker.record(rows, "queued", None, due=datetime.now(UTC))
        self.assertEqual(sorted(row[0] for row in worker.claim(campaign, READERS) if row[-1]), [rows[3][0], rows[5][0]])

    def test_a_domain_s_pattern_counts_and_what_has_ended_does_not(self) -> None:
        campaign, worker = make_started(self.s, self.readers), self.session()
        rows = worker.claim(campaign, 100)
        domain, waiting = rows[3][6].rpartition("@")[2], [row[0] for row in rows]
        self.s.sql(
            """INSERT INTO suppression (account_id, address, reason, retry_at) VALUES
            (NULL, %s, 'manual', NULL), (NULL, %s, 'paused', now() + interval '1 day'), (NULL, %s, 'paused', now())""",
            [f"*@{domain}", rows[4][6], rows[5][6]],
        )
        barred = worker("watch", generation=worker.generation, campaigns=[campaign], waiting=waiting)[0][4]
        of_domain = {row[0] for row in rows if row[6].endswith(f"@{domain}")}
        self.assertEqual(set(barred), of_domain | {rows[4][0]})

    def test_a_pause_is_seen_by_watch_and_claim(self) -> None:
        campaign, worker = make_started(self.s, self.readers), self.session()
        self.s("pause", campaign=campaign)
        self.assertEqual(
            worker("watch", generation=worker.generation, campaigns=[campaign], waiting=[])[0][3], [campaign]
        )
        self.assertEqual(worker.claim(campaign), [])

    def test_one_of_many_copies_of_a_task_takes_the_lane(self) -> None:
        campaign, workers = make_started(self.s, self.readers, lanes=3), self.sessions(6)
        for epoch in range(10):
            won = at_once(
                *[lambda w=w, e=epoch: len(w("take_lane", campaign=campaign, slot=2, epoch=e)) for w in workers]
            )
            self.assertEqual(sorted(won), [0] * 5 + [1])

    def test_a_claim_reads_the_queue_by_its_index(self) -> None:
        campaign = make_started(self.s, self.readers)
        values = {
            "campaign": campaign,
            "generation": self.s.generation,
            "limit": 1_000,
            "floor_due": datetime(2000, 1, 1, tzinfo=UTC),
            "floor_id": 0,
        }
        plan = "\n".join(row[0] for row in self.s.sql("EXPLAIN (COSTS OFF) " + STATEMENTS["claim"], values))
        self.assertIn("Index Scan using message_due on message", plan)
        self.assertNotRegex(plan, r"Sort Key|Seq Scan on (message|contact|subscription|suppression)")
