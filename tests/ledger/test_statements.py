"""The document, the statements and the migrated database say the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import TestCase

from mailsales.ledger import STATEMENTS, array

DOCUMENT = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
BLOCK = re.compile(r"```sql\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"^-- ([a-z_]+)\n(.*?)(?=^-- [a-z_]+\n|\Z)", re.MULTILINE | re.DOTALL)


class StatementsTestCase(TestCase):
    def test_the_document_has_the_text_of_each(self) -> None:
        written = {name: text.strip() for block in BLOCK.findall(DOCUMENT) for name, text in NAMED.findall(block)}
        self.assertEqual(written, STATEMENTS)

    def test_the_document_names_no_other(self) -> None:
        table = DOCUMENT[DOCUMENT.index("## 2. States") : DOCUMENT.index("## 3. Locks")]
        named = set(re.findall(r"^\|[^|]+\| ((?:`[a-z_]+`(?:, )?)+) \|", table, re.MULTILINE))
        for name in re.findall(r"[a-z_]+", " ".join(named)):
            self.assertIn(name, STATEMENTS)

    def test_the_columns_of_its_tables_exist(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            )
            columns = set(cursor.fetchall())
        section = DOCUMENT[DOCUMENT.index("## 1. Tables") : DOCUMENT.index("## 2. States")]
        rows = re.findall(r"^\| `([a-z_]+)` \| (.+?) \|", section, re.MULTILINE)
        self.assertGreater(len(rows), 10)
        for table, words in rows:
            for word in re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", words.replace(" bigint[]", "")))):
                self.assertIn((table, word), columns)

    def test_the_database_has_the_guarantees(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT conname FROM pg_constraint")
            names = {name for (name,) in cursor.fetchall()}
        wanted = {"one_message_per_contact", "due_while_it_waits", "closed_or_open", "leased_while_sending"}
        wanted |= {"one_contact_per_address", "one_suppression_per_address", "one_installation"}
        self.assertLessEqual(wanted, names)

    def test_no_index_of_message_changes_when_a_sent_is_recorded(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'message'")
            indexes = dict(cursor.fetchall())
        self.assertLessEqual({"message_due", "message_reason", "message_contact"}, set(indexes))
        self.assertIn("(campaign_id, due_at, id) WHERE (due_at IS NOT NULL)", indexes["message_due"])
        for name, definition in indexes.items():
            self.assertNotRegex(definition, "status|closed_at|tries|lease_id", name)

    def test_message_rows_have_room_for_their_next_version(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reloptions FROM pg_class WHERE relname = 'message'")
            self.assertIn("fillfactor=50", cursor.fetchone()[0])


class ArrayTestCase(TestCase):
    def read(self, kind: str, values: list[Any]) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT %s::{kind}[]", [array(values)])
            return cursor.fetchone()[0]

    def test_texts_come_back_as_they_were(self) -> None:
        texts = ["", "NULL", None, 'a "b"', "back\\slash", "{1,2}", " ", "山田\n太郎", "NULL", '\\"']
        self.assertEqual(self.read("text", texts), texts)

    def test_numbers_and_times_too(self) -> None:
        self.assertEqual(self.read("bigint", [2**40, None, 0]), [2**40, None, 0])
        self.assertEqual(self.read("smallint", [250, 0, None]), [250, 0, None])
        moment = datetime(2026, 11, 24, 1, 2, 3, 456789, tzinfo=UTC)
        self.assertEqual(self.read("timestamptz", [moment, None]), [moment, None])
        self.assertEqual(self.read("bigint", []), [])
