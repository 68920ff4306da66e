from __future__ import annotations

import os
import signal
import stat
from functools import partial
from unittest import TestCase

from mailsales.stack import state
from tests.stack.running import RunningStack, is_there, manage, pids, relatives, until


class RunningStackTestCase(TestCase):
    """One stack serves all of these; it lives under a path with a space in it."""

    stack: RunningStack

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.stack = RunningStack()
        cls.addClassCleanup(cls.stack.clear)
        cls.stack.wait()

    @classmethod
    def tearDownClass(cls) -> None:
        seconds = cls.stack.stop()
        assert seconds < 5, seconds
        assert until(cls.stack.is_gone, seconds=1), relatives(cls.stack.var)
        super().tearDownClass()

    def test_it_serves_the_sign_in_page(self) -> None:
        self.assertEqual(self.stack.get("/"), 200)

    def test_it_says_where_to_go_and_how_to_sign_in(self) -> None:
        said = self.stack.said()
        self.assertIn(f"http://localhost:{self.stack.state().port}", said)
        self.assertIn("demo   password: four quiet words", said)
        self.assertIn(str(self.stack.var / "log"), said)

    def test_everything_is_up(self) -> None:
        self.assertNotIn("Not up", self.stack.said())
        self.assertEqual(
            set(pids(self.stack)),
            {path.stem for path in (self.stack.var / "log").iterdir()} - {"migrate", "collectstatic"},
        )

    def test_its_state_is_for_this_user_alone(self) -> None:
        self.assertEqual(stat.S_IMODE(os.stat(state.place(self.stack.var)).st_mode), 0o600)

    def test_a_second_run_says_where_the_first_one_is(self) -> None:
        second = manage("stack", var=self.stack.var)
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertIn(f"already running at http://localhost:{self.stack.state().port}", second.stdout)

    def test_a_command_uses_its_services(self) -> None:
        found = manage(
            "shell", "-v", "0", "-c", "from django.conf import settings; print(settings.REDIS_URL)", var=self.stack.var
        )
        self.assertEqual(found.stdout.strip(), self.stack.state().redis_url, found.stderr)

    def test_a_child_that_is_killed_is_started_again(self) -> None:
        for name, pid in pids(self.stack).items():
            with self.subTest(name=name):
                os.kill(pid, signal.SIGKILL)
                self.assertTrue(until(partial(self.has_another, name, pid), seconds=5), self.stack.said())
        self.assertTrue(until(self.answers, seconds=15), self.stack.said())

    def test_a_killed_web_process_leaves_no_worker_behind(self) -> None:
        main = pids(self.stack)["web"]
        workers = {pid for pid in relatives(self.stack.var) if parent(pid) == main}
        os.kill(main, signal.SIGKILL)
        self.assertTrue(until(lambda: not any(map(is_there, workers)), seconds=5))
        self.assertTrue(until(self.answers, seconds=15), self.stack.said())

    def has_another(self, name: str, pid: int) -> bool:
        return pids(self.stack).get(name, pid) != pid

    def answers(self) -> bool:
        try:
            return self.stack.get("/") == 200
        except OSError:
            return False


def parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as line:
        return int(line.read().rpartition(")")[2].split()[1])
