from __future__ import annotations

import asyncio

from django.core.management.base import BaseCommand, CommandError

from delivery import inbound


class Command(BaseCommand):
    help = "Run the inbound SMTP server: it takes bounces, complaints and unsubscribe mail that carry our tokens."

    def handle(self, **options: object) -> None:
        try:
            asyncio.run(inbound.run())
        except OSError as error:
            raise CommandError(f"INBOUND_PORT: {error.strerror or error}. Choose a free port.") from error
