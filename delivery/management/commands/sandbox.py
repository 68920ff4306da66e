from __future__ import annotations

import asyncio

from django.core.management.base import BaseCommand

from delivery.sandbox import server


class Command(BaseCommand):
    help = "Run the sandbox: an SMTP server on this machine that keeps mail instead of delivering it."

    def handle(self, **options: object) -> None:
        asyncio.run(server.run())
