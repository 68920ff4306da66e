from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase
from unittest.mock import patch

import psycopg
from redis import Redis

from mailsales import stack
from mailsales.environment import ROOT
from mailsales.stack import embedded, lock, postgres
from tests.stack.running import is_there, until


class ServicesTestCase(TestCase):
    def setUp(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="mail sales "))
        self.addCleanup(shutil.rmtree, self.var)

    def owner(self, var: Path) -> object:
        """Return who asks the database, once both services have answered."""
        with stack.services(var, durable=False) as found:
            self.assertTrue(Redis.from_url(found.redis_url).ping())
            with psycopg.connect(found.database_url) as db:
                row = db.execute(
                    "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
                ).fetchone()
        return row

    def test_they_answer_to_an_owner_who_is_no_superuser(self) -> None:
        self.assertEqual(self.owner(self.var), ("mailsales", False))

    def test_a_stale_pid_of_a_living_process_does_not_block(self) -> None:
        self.owner(self.var)
        pid = f"{os.getpid()}\n{self.var}/postgres/data\n1\n5432\n\n\n 1 1\n"
        (self.var / "postgres" / "data" / "postmaster.pid").write_text(pid)
        (self.var / "run" / "pg" / ".s.PGSQL.5432.lock").write_text(pid)
        self.assertEqual(self.owner(self.var), ("mailsales", False))

    def test_a_cut_initdb_is_done_again(self) -> None:
        draft = self.var / "postgres" / "draft"
        draft.mkdir(parents=True)
        (draft / "PG_VERSION").write_text("18")
        self.assertEqual(self.owner(self.var), ("mailsales", False))

    def test_long_paths_have_their_sockets_elsewhere(self) -> None:
        deep = self.var / ("long" * 25)
        with stack.services(deep, durable=False) as found:
            self.assertNotIn("longlong", found.database_url)
            folder = Path(found.database_url.partition("host=")[2])
            self.assertEqual(folder.parent.stat().st_mode & 0o777, 0o700)
        shutil.rmtree(folder.parent)

    def test_a_second_owner_is_refused(self) -> None:
        with (
            stack.services(self.var, durable=False),
            patch.object(embedded, "SECONDS_TO_DIE", 0.1),
            self.assertRaises(stack.StackIsRunning),
            stack.services(self.var, durable=False),
        ):
            pass

    def test_nothing_outlives_an_owner_that_is_killed(self) -> None:
        program = f"import sys, time\nsys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom mailsales import stack\n"
        program += (
            f"with stack.services(Path({str(self.var)!r}), durable=False): print('up', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as owner:
            assert owner.stdout
            self.assertEqual(owner.stdout.readline(), b"up\n")
            server = int((self.var / "postgres" / "data" / "postmaster.pid").read_text().split("\n")[0])
            owner.kill()
        self.assertFalse(lock.owner_lives(self.var))
        self.assertTrue(until(lambda: not is_there(server), seconds=3))
        free = lock.owner(self.var)
        self.assertTrue(free.take(wait=5))
        free.release()


class DisguiseTestCase(TestCase):
    """PostgreSQL refuses to run as root. Who is not root needs no disguise, which these then see."""

    def test_setpriv_serves_where_user_namespaces_are_closed(self) -> None:
        outer = Path(tempfile.mkdtemp())  # of mode 0700: nobody could not enter without the capabilities
        self.addCleanup(shutil.rmtree, outer)
        with patch.dict(os.environ, MAILSALES_PG_AS_ROOT="setpriv"):
            self.assertEqual(postgres.disguise()[:1], ("setpriv",) if os.geteuid() == 0 else ())
            with stack.services(outer / "var", durable=False) as found, psycopg.connect(found.database_url) as db:
                self.assertEqual(db.execute("SELECT 1").fetchone(), (1,))
        with stack.services(outer / "var", durable=False) as found, psycopg.connect(found.database_url) as db:
            self.assertEqual(db.execute("SELECT 2").fetchone(), (2,))

    def test_it_says_what_to_do_when_no_way_is_left(self) -> None:
        with (
            patch.object(os, "geteuid", return_value=0),
            patch.object(postgres, "runs", return_value=False),
            self.assertRaisesRegex(postgres.PostgresUnavailable, "set DATABASE_URL"),
        ):
            postgres.disguise()

    def test_a_wrong_folder_of_binaries_is_named(self) -> None:
        with (
            patch.dict(os.environ, MAILSALES_PG_BIN="/nowhere"),
            self.assertRaisesRegex(postgres.PostgresUnavailable, "MAILSALES_PG_BIN is “/nowhere”"),
        ):
            postgres.binaries()
