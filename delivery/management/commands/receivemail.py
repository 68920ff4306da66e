from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from delivery.certificates import context_of, own_certificate
from delivery.inbound import server


class Command(BaseCommand):
    help = (
        "Run the inbound SMTP server: it takes bounces, complaints and unsubscribe mail to the addresses of this"
        " installation, and relays nothing. SIGTERM or Ctrl-C ends it; what was taken is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="address to listen on (HOST)")
        parser.add_argument("--port", type=int, default=settings.INBOUND_PORT, help="port (INBOUND_PORT)")
        parser.add_argument(
            "--tls-cert", default=settings.TLS_CERT, help="PEM of certificate and chain (TLS_CERT); none: one is made"
        )
        parser.add_argument("--tls-key", default=settings.TLS_KEY, help="PEM of its key (TLS_KEY)")

    def handle(self, **options: Any) -> None:
        certificate = Path(options["tls_cert"]) if options["tls_cert"] else own_certificate(settings.VAR / "run")
        key = Path(options["tls_key"]) if options["tls_key"] and options["tls_cert"] else None
        try:
            context_of(certificate, key)
        except OSError as error:
            raise CommandError(f"TLS_CERT and TLS_KEY: {error}. Name PEM files that this user may read.") from error
        try:
            asyncio.run(server.run(options["host"], options["port"], certificate, key))
        except OSError as error:
            raise CommandError(f"INBOUND_PORT: {error.strerror or error}. Choose a free port.") from error
