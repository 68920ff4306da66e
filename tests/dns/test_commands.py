from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from django.core.management import CommandError, call_command

from tests.dns.serving import NamesTestCase

ROOT = Path(__file__).parent.parent.parent
BAD = [
    "",
    "{",
    "[]",
    '{"helo": "a"}',
    '{"ip": 5}',
    '{"ip": "nowhere"}',
    '{"ip": "192.0.2.1", "port": "x", "server": "::1"}',
]
BAD_DMARC = ['{"spf": "a"}', '{"from": 5}', '{"from": "a.example", "dkim": [5]}', '{"from": "a.example", "dkim": {}}']


class LinesTestCase(NamesTestCase):
    def answers(self, command: str, *lines: str) -> list[str]:
        """Return what the command writes for the lines."""
        said = io.StringIO()
        self.errors = io.StringIO()
        standard_input = io.TextIOWrapper(io.BytesIO("".join(f"{line}\n" for line in lines).encode()))
        with patch.object(sys, "stdin", standard_input):
            try:
                call_command(command, stdout=said, stderr=self.errors)
                self.status = 0
            except CommandError as error:
                self.status = error.returncode
        return said.getvalue().splitlines()

    def line(self, **asked: object) -> str:
        return json.dumps({"server": "127.0.0.1", "port": self.names.port, **asked})


class CheckSpfTest(LinesTestCase):
    ZONE = """
example.jp. TXT "v=spf1 ip4:192.0.2.1 -all"
helo.example. TXT "v=spf1 ?all"
"""

    def spf(self, ip: str, mailfrom: str | None) -> str:
        return self.line(ip=ip, helo="helo.example", mailfrom=mailfrom)

    def test_each_line_has_its_word(self) -> None:
        lines = [
            self.spf("192.0.2.1", "a@example.jp"),
            self.spf("192.0.2.2", "a@example.jp"),
            self.spf("192.0.2.2", None),
        ]
        self.assertEqual(self.answers("checkspf", *lines), ["pass", "fail", "neutral"])
        self.assertEqual(self.status, 0)

    def test_a_line_that_cannot_be_read_keeps_its_place(self) -> None:
        said = self.answers("checkspf", *BAD, self.spf("192.0.2.1", "a@example.jp"))
        self.assertEqual((said, self.status), (["error"] * len(BAD) + ["pass"], 2))
        self.assertIn("Line 4 cannot be read: 'ip' is missing", self.errors.getvalue())

    def test_each_line_asks_anew(self) -> None:
        line = self.spf("192.0.2.1", "a@example.jp")
        self.answers("checkspf", line, line)
        self.assertEqual(self.names.asked, ["example.jp TXT"] * 2)

    def test_it_runs_without_database_and_answers_at_once(self) -> None:
        environment: dict[str, str] = {
            **os.environ,
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "MAILSALES_VAR": self.enterContext(TemporaryDirectory()),
        }
        with subprocess.Popen(
            [sys.executable, "manage.py", "checkspf"], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as running:  # fmt: skip
            assert running.stdin
            assert running.stdout
            for ip, word in (("192.0.2.1", "pass"), ("192.0.2.2", "fail")):
                running.stdin.write(self.spf(ip, "a@example.jp") + "\n")
                running.stdin.flush()
                self.assertEqual(running.stdout.readline(), f"{word}\n")


class CheckDmarcTest(LinesTestCase):
    ZONE = """
_dmarc.example.jp. TXT "v=DMARC1; p=reject; sp=quarantine"
"""

    def result(self, **asked: object) -> dict[str, object]:
        [line] = self.answers("checkdmarc", self.line(**asked))
        found = json.loads(line)
        assert isinstance(found, dict)
        return found

    def test_a_mail_that_passes(self) -> None:
        expected = {"result": "pass", "policy": "quarantine", "policy_domain": "example.jp", "org_domain": "example.jp"}
        self.assertEqual(self.result(**{"from": "news.example.jp", "spf": "bounce.example.jp", "dkim": []}), expected)

    def test_a_mail_that_fails(self) -> None:
        expected = {"result": "fail", "policy": "reject", "policy_domain": "example.jp", "org_domain": "example.jp"}
        self.assertEqual(self.result(**{"from": "example.jp", "spf": None, "dkim": ["example.net"]}), expected)

    def test_a_domain_without_record(self) -> None:
        expected = {"result": "none", "policy": "none", "policy_domain": None, "org_domain": "a.invalid"}
        self.assertEqual(self.result(**{"from": "a.invalid", "spf": "", "dkim": None}), expected)

    def test_a_line_that_cannot_be_read_keeps_its_place(self) -> None:
        said = self.answers("checkdmarc", *BAD_DMARC, self.line(**{"from": "example.jp"}))
        self.assertEqual(["error" in json.loads(line) for line in said], [True] * len(BAD_DMARC) + [False])
        self.assertEqual(self.status, 2)
