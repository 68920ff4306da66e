from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from unittest import TestCase

from tests.stack.running import RunningStack, relatives, until


class KillingTestCase(TestCase):
    stack: RunningStack

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.stack = RunningStack()
        cls.addClassCleanup(cls.stack.clear)

    def setUp(self) -> None:
        if self.stack.process.poll() is not None:
            self.stack.start()
        self.stack.wait()

    def test_it_comes_back_after_everything_was_killed_at_once(self) -> None:
        left = relatives(self.stack.var)
        self.assertGreater(len(left), 10)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.stack.process.wait()
        # The pid that the dead server wrote down belongs to somebody else by now: to this very test.
        stale = self.stack.var / "postgres" / "data" / "postmaster.pid"
        stale.write_text(stale.read_text().replace(stale.read_text().split("\n")[0], str(os.getpid()), 1))
        self.stack.start()
        self.stack.wait()
        self.assertEqual(self.stack.get("/"), 200)

    def test_nothing_outlives_the_supervisor(self) -> None:
        self.stack.kill()
        self.assertTrue(until(self.stack.is_gone, seconds=6), relatives(self.stack.var))


class PortTestCase(TestCase):
    def setUp(self) -> None:
        self.other = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.other.close)
        self.port = str(self.other.getsockname()[1])

    def test_a_port_that_is_named_and_taken_is_refused(self) -> None:
        stack = RunningStack(PORT=self.port)
        self.addCleanup(stack.clear)
        self.assertEqual(stack.process.wait(timeout=30), 1)
        self.assertIn(f"Port {self.port} is already in use. Set PORT to another", stack.said())
        self.assertNotIn("Traceback", stack.said())
