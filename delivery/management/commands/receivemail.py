from __future__ import annotations

import asyncio

from django.core.management.base import BaseCommand

from delivery import inbound


class Command(BaseCommand):
    help = "Run the inbound SMTP server: it takes bounces, complaints and unsubscribe mail that carry our tokens."

    def handle(self, **options: object) -> None:
        asyncio.run(inbound.run())
