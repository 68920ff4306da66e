from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import TestCase

from mailsales.environment import ROOT
from mailsales.stack import state
from tests.stack.running import environment, is_there, manage, relatives, until

COUNT = "from accounts.models import User; print(User.objects.count(), flush=True)"


class CommandsTestCase(TestCase):
    def setUp(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="mailsales-"))
        self.addCleanup(shutil.rmtree, self.var)

    def shell(self, program: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "-v", "0", "-c", program]
        return subprocess.Popen(
            command, env=environment(self.var), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def test_commands_share_services_that_none_of_them_outlives(self) -> None:
        first = self.shell(f"{COUNT}; import time; time.sleep(1)")
        assert first.stdout
        self.assertEqual(first.stdout.readline(), "0\n")
        second = self.shell(f"import time; time.sleep(2); {COUNT}")
        self.assertEqual(second.communicate(timeout=30)[0].strip(), "0")
        self.assertIn("Waiting for another command", first.communicate(timeout=30)[0])
        self.assertFalse(state.place(self.var).exists())
        self.assertTrue(until(lambda: not relatives(self.var), seconds=2))

    def test_a_command_that_needs_no_services_starts_none(self) -> None:
        self.assertEqual(manage("check", var=self.var).returncode, 0)
        self.assertFalse((self.var / "postgres").exists())

    def test_killing_a_command_ends_its_services(self) -> None:
        command = self.shell(f"{COUNT}; import time; time.sleep(60)")
        assert command.stdout
        command.stdout.readline()
        left = relatives(self.var)
        command.kill()
        command.communicate()
        self.assertTrue(until(lambda: not any(map(is_there, left)), seconds=5))
