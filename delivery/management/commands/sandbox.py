from __future__ import annotations

import asyncio

from django.core.management.base import BaseCommand, CommandError

from delivery.sandbox import server


class Command(BaseCommand):
    help = "Run the sandbox: an SMTP server on this machine that keeps mail instead of delivering it."

    def handle(self, **options: object) -> None:
        try:
            asyncio.run(server.run())
        except OSError as error:
            raise CommandError(f"SANDBOX_PORT: {error.strerror or error}. Choose a free port.") from error
