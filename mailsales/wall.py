"""The second wall: PostgreSQL's row-level security, which holds even where a query forgot `.of(account)`.

The web process connects as the role `mailsales_web` and names the acting account at the start of every request;
migrations, workers and commands run as the owner, to whom the policies do not apply. Session-wide settings are used,
so a transaction pooler between web and PostgreSQL is not supported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.migrations.operations import RunSQL

ROLE = "mailsales_web"
SETTING = "app.account_id"
SHARED_SETTING = "app.writes_shared"
READING_SETTING = "app.reads_all"

MAKE_ROLE = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
    CREATE ROLE {ROLE} NOLOGIN;
  END IF;
  -- From PostgreSQL 16 on, who makes a role is a member that may not yet act as it.
  IF NOT pg_has_role(current_user, '{ROLE}', CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN
    EXECUTE format('GRANT {ROLE} TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
  RAISE NOTICE 'The role {ROLE} could not be made; manage.py check names the lines to run.';
END $$;
"""  # noqa: S608 -- the names are ours
GRANT = f"""
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
    EXECUTE 'GRANT USAGE ON SCHEMA public TO {ROLE}';
    EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}';
    EXECUTE 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {ROLE}';
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLE}';
    EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {ROLE}';
  END IF;
END $$;
"""


def enter(account_id: int | None) -> None:
    """Let this connection see the rows of one account, or of none."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('{SETTING}', %s, false)", ["" if account_id is None else str(account_id)])


@contextmanager
def wall(account_id: int | None) -> Iterator[None]:
    """Act as the web process does for the account: in its role, under the policies."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")
    enter(account_id)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
        enter(None)


@contextmanager
def open_to_shared() -> Iterator[None]:
    """Let this connection write rows that hold for all accounts, where `let_share` allows it: for operators' pages alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('{SHARED_SETTING}', 'on', false)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT set_config('{SHARED_SETTING}', '', false)")


def let_share(*tables: str) -> list[RunSQL]:
    """Return the migration operations that let operators' pages write rows without an account."""
    shared = f"account_id IS NULL AND current_setting('{SHARED_SETTING}', true) = 'on'"
    return [
        RunSQL(
            f'CREATE POLICY shared_rows ON "{table}" USING ({shared}) WITH CHECK ({shared});',
            f'DROP POLICY shared_rows ON "{table}";',
        )
        for table in tables
    ]


@contextmanager
def open_to_reading() -> Iterator[None]:
    """Let this connection read the rows of all accounts, where `let_read` allows it: for operators' pages alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT set_config('{READING_SETTING}', 'on', false)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT set_config('{READING_SETTING}', '', false)")


def let_read(*tables: str) -> list[RunSQL]:
    """Return the migration operations that let operators' pages read rows of all accounts."""
    return [
        RunSQL(
            f"""CREATE POLICY operators_read ON "{table}" FOR SELECT USING (current_setting('{READING_SETTING}', true) = 'on');""",
            f'DROP POLICY operators_read ON "{table}";',
        )
        for table in tables
    ]


def guard(*tables: str, is_shared: bool = False) -> list[RunSQL]:
    """Return the migration operations that put tables behind the wall.

    `is_shared`: rows without an account may be read by all, and written by none but the owner and whom `let_share` lets.
    """
    account = f"(SELECT nullif(current_setting('{SETTING}', true), '')::bigint)"
    reads = f"account_id = {account}" + (" OR account_id IS NULL" if is_shared else "")
    return [
        RunSQL(
            f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;'
            f'CREATE POLICY own_account ON "{table}" USING ({reads}) WITH CHECK (account_id = {account});',
            f'DROP POLICY own_account ON "{table}"; ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY;',
        )
        for table in tables
    ]
