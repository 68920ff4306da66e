from __future__ import annotations

import signal
import subprocess
from unittest import TestCase

from mailsales.stack.guard import Guard


class GuardTestCase(TestCase):
    def ward(self, *command: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(command, process_group=0)
        self.addCleanup(child.kill)
        return child

    def test_it_ends_its_wards_once_the_pipe_is_closed(self) -> None:
        guard, ward = Guard(), self.ward("sleep", "60")
        guard.watch(ward.pid, signal.SIGINT)
        self.assertIsNone(ward.poll())
        assert guard.process.stdin
        guard.process.stdin.close()
        self.assertEqual(ward.wait(timeout=5), -signal.SIGINT)
        self.assertEqual(guard.process.wait(timeout=5), 0)
