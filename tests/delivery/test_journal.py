from __future__ import annotations

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery import journal, replayer
from delivery.journal import Entry, Journal, JournalBroken, Kind
from delivery.models import Message
from delivery.smtp import Reply
from delivery.worker import server
from mailsales.ledger import Ledger
from tests.delivery.sending import SendingTestCase
from tests.ledger.sessions import Session

TAKEN = Reply(250, "2.0.0 Ok", "dot", "mx.example.jp")
REFUSED = Reply(550, "5.1.1 User unknown", "rcpt", "mx.example.jp")


class JournalTestCase(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def written(self) -> tuple[Journal, Path]:
        written = Journal(self.root)
        written.begin(5)
        return written, written.folder

    def test_the_last_word_counts(self) -> None:
        written, folder = self.written()
        written.dot(1, 9)
        written.dot(2, 9)
        written.annul(2, 9)
        written.reply(1, 9, TAKEN)
        written.flush()
        written.close(remove=False)
        reading = journal.read(folder)
        assert reading
        self.assertEqual((reading.generation_id, reading.is_whole), (5, True))
        self.assertEqual(reading.entries[1, 9], Entry(Kind.REPLY, 1, 9, TAKEN))
        self.assertEqual(reading.entries[2, 9].kind, Kind.ANNUL)

    @given(cut=st.integers(min_value=1, max_value=300))
    @settings(max_examples=60, deadline=None)
    def test_a_torn_end_is_no_record(self, cut: int) -> None:
        written, folder = self.written()
        for number in range(6):
            written.dot(number, 9)
        written.close(remove=False)
        file = folder / "000001"
        whole = file.stat().st_size
        os.truncate(file, max(whole - cut, journal.HEADER_LENGTH))
        reading = journal.read(folder)
        assert reading
        self.assertTrue(reading.is_whole)
        left = (max(whole - cut, journal.HEADER_LENGTH) - journal.HEADER_LENGTH) // 32
        self.assertEqual(len(reading.entries), left)

    def test_bad_bytes_prove_nothing(self) -> None:
        written, folder = self.written()
        written.dot(1, 9)
        written.dot(2, 9)
        written.close(remove=False)
        file = folder / "000001"
        data = bytearray(file.read_bytes())
        data[journal.HEADER_LENGTH + 12] ^= 0xFF
        file.write_bytes(data)
        reading = journal.read(folder)
        assert reading
        self.assertFalse(reading.is_whole)

    def test_another_boot_proves_nothing(self) -> None:
        written, folder = self.written()
        written.dot(1, 9)
        written.close(remove=False)
        with patch("delivery.journal.boot_id", return_value=uuid4()):
            reading = journal.read(folder)
        assert reading
        self.assertFalse(reading.is_whole)

    def test_a_living_process_is_not_taken_for_dead(self) -> None:
        written, folder = self.written()
        self.assertEqual(list(journal.dead_folders(self.root)), [])
        written.close(remove=False)
        [(found, lock)] = journal.dead_folders(self.root)
        os.close(lock)
        self.assertEqual(found, folder)

    def test_a_disk_that_takes_nothing_stops_the_sending(self) -> None:
        written, _folder = self.written()
        with patch("delivery.journal.os.write", return_value=3), self.assertRaises(JournalBroken):
            written.dot(1, 9)


class ReplayTestCase(SendingTestCase):
    readers = 6

    def dead(self) -> tuple[Session, list[int], int, Journal]:
        """Return a claim whose worker will be found dead: its session, message ids, lease and journal."""
        campaign = self.started()
        session = Session()
        self.addCleanup(session.close)
        rows = session.claim(campaign.pk)
        written = Journal(self.var / "journal")
        written.begin(session.generation)
        return session, [row[0] for row in rows], rows[0][1], written

    def replay(self) -> int:
        async def work() -> int:
            connected = Ledger(server())
            await connected.connect()
            try:
                return await replayer.replay(self.var / "journal", connected)
            finally:
                await connected.close()

        return asyncio.run(work())

    def status(self, pk: int) -> str:
        return Message.objects.get(pk=pk).status

    def test_a_killed_worker_is_settled_exactly(self) -> None:
        _session, ids, lease, written = self.dead()
        for pk in ids[:4]:
            written.dot(pk, lease)
        written.reply(ids[0], lease, TAKEN)
        written.reply(ids[1], lease, REFUSED)
        written.flush()
        written.annul(ids[3], lease)
        written.close(remove=False)
        self.assertEqual(self.replay(), 6)
        self.assertEqual([self.status(pk) for pk in ids], ["sent", "bounced", "unknown", "queued", "queued", "queued"])
        self.assertEqual(list((self.var / "journal").iterdir()), [])
        self.assertEqual(self.replay(), 0)

    def test_after_a_reboot_nothing_is_sent_again(self) -> None:
        _session, ids, lease, written = self.dead()
        written.dot(ids[0], lease)
        written.close(remove=False)
        with patch("delivery.journal.boot_id", return_value=uuid4()):
            self.replay()
        self.assertEqual({self.status(pk) for pk in ids}, {"unknown"})

    def test_a_late_reply_corrects_the_sweeper(self) -> None:
        session, ids, lease, written = self.dead()
        written.dot(ids[0], lease)
        written.reply(ids[0], lease, TAKEN)
        written.flush()
        session.sql(
            "UPDATE generation SET closed_at = now(), closed_by = 'sweeper' WHERE id = %s", [session.generation]
        )
        while session("settle_lost"):
            pass
        self.assertEqual(self.status(ids[0]), "unknown")
        written.close(remove=False)
        self.replay()
        self.assertEqual([self.status(pk) for pk in ids[:2]], ["sent", "unknown"])
