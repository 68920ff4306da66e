"""A company to look around in: people, a campaign that was sent, and one that is ready to go."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mailsales import environment
from mailsales.management.demo import making


class Command(BaseCommand):
    help = "Make the demo account, or remove it. It belongs to the embedded stack: with a DATABASE_URL of your own it is refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--remove", action="store_true", help="remove the demo with everything in it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remove"]:
            self.stdout.write(f"The demo is removed: {making.remove():,} rows.")
            return
        if settings.IS_PRODUCTION or environment.text("DATABASE_URL"):
            raise CommandError(
                "The demo is only for the embedded stack. Unset DATABASE_URL, or make an account of your own."
            )
        password = making.make()
        self.stdout.write(
            f"Sign in as {making.LOGIN} with the password {password}. It is kept in {making.sign_in_file()}."
        )
