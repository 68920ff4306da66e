from __future__ import annotations

import os
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mailsales import checks, environment
from mailsales.stack import processes
from mailsales.stack.supervisor import Wishes, supervise


class Command(BaseCommand):
    help = "Run everything: PostgreSQL, Valkey, web, workers, the sandbox. What `make run` does."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        checks.refuse_bad_settings(needs_services=False)
        if parent := os.environ.get("MAILSALES_DIE_WITH_PARENT"):
            processes.die_with_parent(int(parent), signal.SIGTERM)
        sys.exit(supervise(wishes()))


def wishes() -> Wishes:
    """Return what the environment itself says: the settings already mix in what a running stack wrote."""
    return Wishes(
        var=settings.VAR,
        host=settings.HOST,
        database_url=environment.text("DATABASE_URL"),
        redis_url=environment.text("REDIS_URL"),
        port=environment.text("PORT"),
        sandbox_port=environment.text("SANDBOX_PORT"),
        inbound_port=environment.text("INBOUND_PORT"),
        stop_seconds=settings.STOP_SECONDS,
        is_production=settings.IS_PRODUCTION,
    )
