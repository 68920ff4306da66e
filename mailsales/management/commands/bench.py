"""Measure how fast it sends, imports and tracks, and check that nothing was lost meanwhile."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mailsales.management.bench import fairness, fanout, growth, importing, network, sending, tracking, workers
from mailsales.management.bench.sink_process import BenchFailed


class Command(BaseCommand):
    help = "Measure sending, importing and tracking. Everything goes to a sink on this machine; the bench cleans up after itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        send = what.add_parser("send", help="send a campaign to a sink, through the real workers")
        send.add_argument("--recipients", type=int, default=20_000)
        send.add_argument("--sink", metavar="HOST:PORT", help="an SMTP server to send to; default: a sink of its own")
        send.add_argument("--signatures", choices=list(sending.SIGNATURES), default="rsa", help="both: Ed25519 as well")
        send.add_argument("--keep", action="store_true", help="leave the campaign and its account, and print its id")
        load = what.add_parser("import", help="import a file of contacts")
        load.add_argument("--rows", type=int, default=200_000)
        follow = what.add_parser("track", help="follow links and fetch pixels")
        follow.add_argument("--requests", type=int, default=5_000, help="of each kind")
        slow = what.add_parser("slow", help="what a slow destination costs the others")
        delay = what.add_parser("delay", help="what distance costs: 50 destinations, 50 ms each way")
        for each in (slow, delay):
            each.add_argument("--recipients", type=int, default=20_000)
        fan = what.add_parser("fanout", help="make the messages of a long list, while a page looks on")
        fan.add_argument("--recipients", type=int, default=1_000_000)
        fan.add_argument("--send", action="store_true", help="send meanwhile; default: the campaign is paused")
        fair = what.add_parser("fairness", help="how long a small campaign waits behind a large one")
        fair.add_argument("--small", type=int, default=100, help="recipients of the small campaign")
        grow = what.add_parser("growth", help="what ten times the recipients cost in time and memory")
        for each in (fair, grow):
            each.add_argument("--recipients", type=int, default=200_000)
        for each in what.choices.values():
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
        recipients = options.get("recipients", 0)
        measures: dict[str, Callable[[], dict[str, Any]]] = {
            "send": lambda: sending.measure(
                recipients, options["sink"], signatures=options["signatures"], keeps=options["keep"]
            ),
            "import": lambda: importing.measure(options["rows"]),
            "track": lambda: tracking.measure(options["requests"]),
            "slow": lambda: network.measure_slow(recipients),
            "delay": lambda: network.measure_delay(recipients),
            "fanout": lambda: fanout.measure(recipients, sends=options["send"]),
            "fairness": lambda: fairness.measure(recipients, options["small"]),
            "growth": lambda: growth.measure(recipients),
        }
        return measures[options["what"]]()
