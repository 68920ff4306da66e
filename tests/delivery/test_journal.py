from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase
from unittest.mock import patch
from uuid import uuid4

from asgiref.sync import async_to_sync
from django.test import TransactionTestCase

from accounts.models import Account
from delivery import journal, replayer, worker
from delivery.journal import Journal, JournalBroken, Kind, Reading
from delivery.models import Generation, Installation, Message
from delivery.smtp import Reply
from mailsales.ledger import Ledger, Row
from tests.ledger.sessions import Session, counts, make_readers, make_started, tallied

GOOD = Reply(250, "2.0.0 Ok: queued", "dot", "mx.example.jp")
DEAD = """
import os, signal, sys
from pathlib import Path
from delivery.journal import Journal
from delivery.smtp import Reply
book = Journal(Path(sys.argv[1]))
book.begin(int(sys.argv[2]))
for word in sys.argv[3:]:
    what, message, lease = word.split(",")
    if what == "reply":
        book.reply(int(message), int(lease), Reply(250, "2.0.0 Ok", "dot", "mx.example.jp"))
        book.flush()
    else:
        getattr(book, what)(int(message), int(lease))
os.kill(os.getpid(), signal.SIGKILL)
"""


class JournalTest(TestCase):
    def setUp(self) -> None:
        self.root = Path(self.enterContext(TemporaryDirectory()))
        self.journal = Journal(self.root)
        self.journal.begin(7)

    def file(self) -> Path:
        return self.journal.folder / "000001"

    def read(self) -> Reading:
        reading = journal.read(self.journal.folder)
        assert reading
        return reading

    def kinds(self) -> dict[int, Kind]:
        return {message_id: entry.kind for (message_id, _lease), entry in self.read().entries.items()}

    def change(self, change: Callable[[bytes], bytes]) -> None:
        self.file().write_bytes(change(self.file().read_bytes()))

    def test_the_last_word_counts(self) -> None:
        self.journal.dot(1, 5)
        self.journal.reply(1, 5, GOOD)
        self.journal.dot(2, 5)
        self.journal.annul(2, 5)
        self.journal.dot(3, 5)
        self.assertEqual(self.kinds(), {1: Kind.REPLY, 2: Kind.ANNUL, 3: Kind.DOT})
        self.assertEqual(self.read().entries[1, 5].reply, GOOD)
        self.assertEqual((self.read().generation_id, self.read().is_whole), (7, True))

    def test_a_reply_leaves_with_the_next_dot_or_a_flush(self) -> None:
        self.journal.reply(1, 5, GOOD)
        self.assertEqual(self.kinds(), {})
        self.journal.flush()
        self.assertEqual(self.kinds(), {1: Kind.REPLY})

    def test_a_torn_record_at_the_end_was_never_written(self) -> None:
        self.journal.dot(1, 5)
        self.journal.dot(2, 5)
        self.change(lambda data: data[:-3])
        self.assertEqual((self.kinds(), self.read().is_whole), ({1: Kind.DOT}, True))

    def test_bad_bytes_make_what_follows_unreadable(self) -> None:
        self.journal.dot(1, 5)
        self.journal.dot(2, 5)
        self.change(lambda data: data[:80] + bytes([data[80] ^ 1]) + data[81:])
        self.assertEqual((self.kinds(), self.read().is_whole), ({}, False))

    def test_after_a_reboot_absence_proves_nothing(self) -> None:
        with patch.object(journal, "boot_id", return_value=uuid4()):
            self.assertFalse(self.read().is_whole)

    def test_a_short_write_ends_it(self) -> None:
        with patch.object(os, "write", return_value=1), self.assertRaises(JournalBroken):
            self.journal.dot(1, 5)
        self.assertTrue(self.journal.is_broken)
        with self.assertRaises(JournalBroken):
            self.journal.dot(2, 5)
        self.journal.flush()

    def test_a_full_file_is_dropped_when_its_leases_are_settled(self) -> None:
        with patch.object(journal, "FILE_BYTES", 100):
            for lease in range(1, 9):
                self.journal.dot(lease, lease)
        everything = len(list(self.journal.folder.glob("0*")))
        self.journal.forget(3)
        self.assertLess(len(list(self.journal.folder.glob("0*"))), everything)
        self.assertLessEqual({3, 4, 5, 6, 7, 8}, set(self.kinds()))
        self.journal.forget(None)
        self.assertEqual(len(list(self.journal.folder.glob("0*"))), 1)

    def test_a_living_process_keeps_its_folder(self) -> None:
        self.assertEqual(list(journal.dead_folders(self.root)), [])
        self.journal.close(remove=False)
        ((folder, lock),) = journal.dead_folders(self.root)
        os.close(lock)
        self.assertEqual(folder, self.journal.folder)


class ReplayTest(TransactionTestCase):
    def setUp(self) -> None:
        Installation.objects.get_or_create(pk=1)
        self.root = Path(self.enterContext(TemporaryDirectory()))
        self.s = Session()
        self.addCleanup(self.s.close)
        self.campaign = make_started(self.s, make_readers(Account.objects.create(name="株式会社青葉商店"), 6))
        self.rows = self.s.claim(self.campaign)

    def die(self, **words: Row) -> None:
        """Let a process write so much, and kill it."""
        said = [f"{word.rstrip('0123456789')},{row[0]},{row[1]}" for word, row in words.items()]
        subprocess.run([sys.executable, "-c", DEAD, str(self.root), str(self.s.generation), *said])

    def replay(self) -> int:
        return async_to_sync(self._replay)()

    async def _replay(self) -> int:
        ledger = Ledger(self.server)
        await ledger.connect()
        settled = await replayer.replay(self.root, ledger)
        await ledger.close()
        return settled

    @property
    def server(self) -> dict[str, object]:
        return worker.server()

    def status(self, row: Row) -> tuple[str, str | None]:
        message = Message.objects.get(pk=row[0])
        return message.status, message.reason

    def test_a_killed_process_is_settled_exactly(self) -> None:
        heard, lost, withdrawn, *untouched = self.rows
        self.die(dot1=heard, reply1=heard, dot2=lost, dot3=withdrawn, annul3=withdrawn)
        self.assertEqual(self.replay(), 6)
        self.assertEqual(self.status(heard), ("sent", None))
        self.assertEqual(self.status(lost), ("unknown", "worker_lost"))
        self.assertEqual({self.status(row) for row in (withdrawn, *untouched)}, {("queued", None)})
        self.assertEqual(counts(self.s, self.campaign), tallied(self.s, self.campaign))

    def test_its_generation_is_closed_and_its_folder_gone(self) -> None:
        self.die(dot=self.rows[0])
        self.replay()
        self.assertEqual(Generation.objects.get(pk=self.s.generation).closed_by, "replayer")
        self.assertEqual(list(self.root.iterdir()), [])
        self.assertEqual(self.replay(), 0)

    def test_of_another_boot_only_replies_are_believed(self) -> None:
        heard, lost, *_untouched = self.rows
        self.die(dot1=heard, reply1=heard, dot2=lost)
        with patch.object(journal, "boot_id", return_value=uuid4()):
            self.replay()
        self.assertEqual(counts(self.s, self.campaign), {"sent": 1, "unknown": 5})

    def test_a_reply_corrects_what_the_sweeper_gave_up(self) -> None:
        self.die(dot=self.rows[0], reply=self.rows[0])
        self.s.sql("UPDATE generation SET closed_at = now(), closed_by = 'sweeper' WHERE id = %s", [self.s.generation])
        self.s("settle_lost")
        self.assertEqual(self.status(self.rows[0]), ("unknown", "worker_lost"))
        self.replay()
        self.assertEqual(self.status(self.rows[0]), ("sent", None))
        self.assertEqual(counts(self.s, self.campaign), tallied(self.s, self.campaign))
