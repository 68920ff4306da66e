from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from django.core.checks import Tags, run_checks
from django.db import connection
from django.test import SimpleTestCase, TestCase

from mailsales import wall
from tests.stack.running import manage

RIGHT = {
    "MAILSALES_ENV": "production",
    "SECRET_KEY": "a-long-and-quite-random-key-for-this-test-0123456789",
    "PUBLIC_URL": "https://mailsales.example.jp",
    "DATABASE_URL": "postgresql://mailsales@localhost/mailsales",
    "REDIS_URL": "redis://localhost",
}


class SettingsChecksTestCase(SimpleTestCase):
    def setUp(self) -> None:
        self.var = Path(tempfile.mkdtemp(prefix="mailsales-"))
        self.addCleanup(shutil.rmtree, self.var)

    def assertNames(self, words: list[str], *command: str, **more: str) -> None:
        found = manage(*command, var=self.var, **more)
        self.assertEqual(found.returncode, 1, found.stdout)
        self.assertNotIn("Traceback", found.stdout + found.stderr)
        for word in words:
            self.assertIn(word, found.stderr)

    def test_production_with_all_it_needs_passes(self) -> None:
        found = manage("check", "--deploy", "--fail-level", "WARNING", var=self.var, **RIGHT)
        self.assertEqual(found.returncode, 0, found.stderr)

    def test_wrong_values_are_named_with_a_hint(self) -> None:
        self.assertNames(["PORT is “soon”", "for example PORT=8000"], "check", PORT="soon")
        self.assertNames(["DATABASE_URL is “mysql://x”", "postgresql://"], "check", DATABASE_URL="mysql://x")

    def test_wrong_retry_times_are_named_with_a_hint(self) -> None:
        self.assertNames(
            ["RETRY_MINUTES is “15,soon”", "RETRY_MINUTES=15,30,60,120,210"], "check", RETRY_MINUTES="15,soon"
        )
        self.assertNames(["RETRY_MINUTES is “0,30”", "from 1 to 1440"], "check", RETRY_MINUTES="0,30")
        self.assertNames(["RETRY_JITTER is “10%”"], "check", RETRY_JITTER="10%")
        self.assertNames(["DEFAULT_EXPIRY_HOURS is “121”", "from 1 to 120"], "check", DEFAULT_EXPIRY_HOURS="121")

    def test_wrong_sending_addresses_are_named_with_a_hint(self) -> None:
        words = ["SENDING_ADDRESSES is “203.0.113.5, mail.example.jp”", "SENDING_ADDRESSES=203.0.113.5"]
        self.assertNames(words, "check", SENDING_ADDRESSES="203.0.113.5,mail.example.jp")

    def test_retry_times_are_read(self) -> None:
        said = "from django.conf import settings as s; print(s.RETRY_MINUTES, s.RETRY_JITTER, s.DEFAULT_EXPIRY_HOURS)"
        more = {"RETRY_MINUTES": "5, 10", "RETRY_JITTER": "0", "DEFAULT_EXPIRY_HOURS": "48"}
        found = manage("shell", "--no-imports", "-c", said, var=self.var, **more)
        self.assertIn("(5, 10) 0 48", found.stdout)

    def test_production_names_what_is_missing(self) -> None:
        more = {name: value for name, value in RIGHT.items() if name in ("MAILSALES_ENV", "DATABASE_URL")}
        self.assertNames(["SECRET_KEY is missing", "REDIS_URL is missing", "PUBLIC_URL"], "check", "--deploy", **more)

    def test_the_stack_does_not_start_with_a_wrong_value(self) -> None:
        self.assertNames(["MAILSALES_ENV is “test”", "development, production"], "stack", MAILSALES_ENV="test")


class DatabaseChecksTestCase(TestCase):
    def found(self) -> list[str | None]:
        return [message.id for message in run_checks(tags=[Tags.database], databases=["default"])]

    def test_a_migrated_database_passes(self) -> None:
        self.assertEqual(self.found(), [])

    def test_a_role_that_cannot_be_entered_is_named(self) -> None:
        with patch.object(wall, "ROLE", "somebody_else"):
            self.assertEqual(self.found(), ["mailsales.E004"])

    def test_a_database_that_was_never_migrated_passes(self) -> None:
        with connection.cursor() as cursor, patch.object(wall, "ROLE", "somebody_else"):
            cursor.execute("ALTER TABLE django_migrations RENAME TO elsewhere")
            self.assertEqual(self.found(), [])
