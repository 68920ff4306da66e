"""Let the whole installation send again, after a restore or a hold: what waits is shown first."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from campaigns.models import Campaign
from delivery import standing
from delivery.models import Installation
from mailsales.doorbell import ring


class Command(BaseCommand):
    help = "Show since when nothing is sent, and what waits; with --yes, let it go."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="send again")

    def handle(self, *args: Any, **options: Any) -> None:
        held = Installation.objects.filter(held_at__isnull=False).first()
        if held is None or held.held_at is None:
            self.stdout.write("The installation is not on hold.")
            return
        self.stdout.write(f"The installation is on hold since {localtime(held.held_at):%F %T}: nothing is sent.")
        self.show_waiting()
        if not options["yes"]:
            self.stdout.write("release --yes lets it go.")
            return
        if not held.release():
            raise CommandError("It was put on hold anew meanwhile. Look again: manage.py release")
        ring("delivery.tick")
        self.stdout.write("Mail goes again.")

    def show_waiting(self) -> None:
        waiting, unknown = standing.by_state(), standing.unknown()
        asking = Campaign.objects.filter(status=Campaign.Status.HELD).count()
        states = f"{waiting.queued:,} queued, {waiting.deferred:,} deferred, {waiting.sending:,} sending"
        self.stdout.write(f"Messages that wait: {waiting.total:,} ({states}).")
        if asking:
            self.stdout.write(f"Campaigns on hold, each of which asks a person on its page: {asking:,}.")
        if unknown:
            self.stdout.write(
                f"Messages whose outcome is unknown: {unknown:,}. After a restore they may have been sent before it, and "
                "who unsubscribed since the backup is subscribed again: see to that first."
            )
