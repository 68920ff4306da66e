"""Measure how fast it sends, imports and tracks, and check that nothing was lost meanwhile."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mailsales.management.bench import importing, network, sending, tracking, workers
from mailsales.management.bench.sink_process import BenchFailed


class Command(BaseCommand):
    help = "Measure sending, importing and tracking. Everything goes to a sink on this machine; the bench cleans up after itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        send = what.add_parser("send", help="send a campaign to a sink, through the real workers")
        send.add_argument("--recipients", type=int, default=20_000)
        send.add_argument("--sink", metavar="HOST:PORT", help="an SMTP server to send to; default: a sink of its own")
        load = what.add_parser("import", help="import a file of contacts")
        load.add_argument("--rows", type=int, default=200_000)
        follow = what.add_parser("track", help="follow links and fetch pixels")
        follow.add_argument("--requests", type=int, default=5_000, help="of each kind")
        slow = what.add_parser("slow", help="what a slow destination costs the others")
        delay = what.add_parser("delay", help="what distance costs: 50 destinations, 50 ms each way")
        for each in (slow, delay):
            each.add_argument("--recipients", type=int, default=20_000)
        for each in (send, load, follow, slow, delay):
            each.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            figures = self.measure(options)
        except (BenchFailed, workers.NotStarted) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, value in figures.items():
            self.stdout.write(f"  {name:<34} {value if not isinstance(value, float) else format(value, ',')}")

    def measure(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["what"] == "send":
            return sending.measure(options["recipients"], options["sink"])
        if options["what"] == "import":
            return importing.measure(options["rows"])
        if options["what"] == "slow":
            return network.measure_slow(options["recipients"])
        if options["what"] == "delay":
            return network.measure_delay(options["recipients"])
        return tracking.measure(options["requests"])
