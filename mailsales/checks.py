"""System checks that name each misconfiguration with a hint, and the refusal to start with one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags
from django.db import Error as DatabaseError
from django.db import connections

from mailsales import wall
from mailsales.environment import PROBLEMS, Problem

DATABASE_HINT = (
    "Start the embedded stack with `make run`, or set DATABASE_URL=postgresql://user:password@host/mailsales."
)
REDIS_HINT = "Start the embedded stack with `make run`, or set REDIS_URL=redis://host:6379."
ROLE_HINT = "Let a superuser run in this database: CREATE ROLE {role} NOLOGIN; GRANT {role} TO {owner}; {grants}"
ROLE_IS_WANTING = """
SELECT current_user
WHERE to_regclass('django_migrations') IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'MEMBER'))
"""  # a database that was never migrated has no role yet: migrate makes it


@checks.register(Tags.security)
def settings_are_right(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what reading the environment found wrong."""
    return [Error(f"{problem.name} {problem.text}.", hint=problem.hint, id="mailsales.E001") for problem in PROBLEMS]


@checks.register(deploy=True)
def production_is_complete(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Report what production cannot do without, though development has a default for it."""
    found: list[CheckMessage] = [Error(f"{gap.name} {gap.text}.", hint=gap.hint, id="mailsales.E002") for gap in gaps()]
    if settings.IS_PRODUCTION and not settings.PUBLIC_URL.startswith("https://"):
        found.append(
            Error(
                f"PUBLIC_URL is “{settings.PUBLIC_URL}”, not an https:// address.",
                hint="Set PUBLIC_URL to the address people open, for example PUBLIC_URL=https://mail.example.jp.",
                id="mailsales.E003",
            )
        )
    return found


@checks.register(Tags.database)
def web_role_is_there(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report when the web process could not enter its role, without which row-level security protects nothing."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(ROLE_IS_WANTING, [wall.ROLE])
                if row := cursor.fetchone():
                    hint = ROLE_HINT.format(role=wall.ROLE, owner=row[0], grants=" ".join(wall.GRANT.split()))
                    found.append(Error(f"We may not enter the role {wall.ROLE}.", hint=hint, id="mailsales.E004"))
        except DatabaseError as problem:
            words = str(problem).strip().split("\n")[0]
            found.append(
                Error(f"DATABASE_URL does not lead to a database: {words}", hint=DATABASE_HINT, id="mailsales.E005")
            )
    return found


def gaps() -> list[Problem]:
    """Return the addresses without which no process can work."""
    found = []
    if not settings.DATABASE_URL:
        found.append(Problem("DATABASE_URL", "is missing, and no embedded stack runs", DATABASE_HINT))
    if not settings.REDIS_URL:
        found.append(Problem("REDIS_URL", "is missing, and no embedded stack runs", REDIS_HINT))
    return found


def refuse_bad_settings(*, needs_services: bool = True) -> None:
    """Name every problem in plain words and exit with status 1; the embedded stack brings its services itself."""
    problems = [*PROBLEMS, *(gaps() if needs_services and not PROBLEMS else [])]
    for problem in problems:
        print(f"{problem.name} {problem.text}. {problem.hint}", file=sys.stderr)
    if problems:
        sys.exit(1)
