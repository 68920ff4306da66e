"""The queue for operators: what waits where and since when, who has it in hand, what holds it back."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime, now

from campaigns.models import Campaign
from delivery import queue, standing, stops, throttles
from delivery.models import Throttle
from mailsales.doorbell import ring

LONGEST = 20  # lines of each kind
LONGEST_NAME = 48


class Command(BaseCommand):
    help = "Show what waits, by destination and age, and what holds it back; or act on it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help=f"every line, not only {LONGEST} of each kind, and names in full"
        )
        verbs = parser.add_subparsers(dest="verb", metavar="list | suspend | resume | resend")
        listing = verbs.add_parser("list", help="print every message of a campaign: address, state, reason, last code")
        listing.add_argument("campaign", type=int)
        suspend = verbs.add_parser("suspend", help="send nothing to a destination for a while")
        resume = verbs.add_parser("resume", help="let mail go again, whoever or whatever held it back")
        for verb in (suspend, resume):
            verb.add_argument("scope", help="a group such as docomo, a domain, its mail servers, or a relay")
            verb.add_argument("--route", default="", help="as shown by queue, such as mx; default: all")
        suspend.add_argument("--minutes", type=minutes, default=60, help="default: 60")
        suspend.add_argument("--because", default="", metavar="TEXT", help="senders read it on their campaign's page")
        resend = verbs.add_parser("resend", help="send messages again whose outcome nobody knows")
        resend.add_argument("--unknown", action="store_true", required=True, help="those that are unknown now")
        resend.add_argument("campaign", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.obey(options)
        except stops.UnknownScope as error:
            raise CommandError(str(error)) from error

    def obey(self, options: dict[str, Any]) -> None:
        match options["verb"]:
            case "list":
                self.show_messages(find_campaign(options["campaign"]))
            case "suspend":
                self.suspend(options["scope"], options["route"], options["minutes"], options["because"])
            case "resume":
                self.resume(options["scope"], options["route"])
            case "resend":
                self.resend(find_campaign(options["campaign"]))
            case _:
                self.show(shows_all=options["all"])

    def show(self, *, shows_all: bool) -> None:
        if since := standing.held_since():
            self.stdout.write(f"The installation is on hold since {moment(since)}: nothing is sent.\n\n")
        self.show_waiting(shows_all=shows_all)
        self.show_leases()
        self.show_throttles(shows_all=shows_all)

    def show_waiting(self, *, shows_all: bool) -> None:
        waiting, rows = standing.by_state(), standing.by_destination()
        states = f"{waiting.queued:,} queued, {waiting.deferred:,} deferred, {waiting.sending:,} sending"
        self.stdout.write(f"Waiting: {waiting.total:,} ({states}), by minutes since their campaign began")
        shown = rows if shows_all else rows[:LONGEST]
        lines = [(shown_name(row.name, shows_all), row.total, *row.by_age) for row in (standing.total(rows), *shown)]
        self.stdout.write(table(("", "T", *standing.HEADINGS), lines))
        if len(shown) < len(rows):
            self.stdout.write(f"{len(rows) - len(shown):,} shorter lines are shown by queue --all.")

    def show_leases(self) -> None:
        found = standing.leases()
        self.stdout.write("\nIn the hands of workers: " + ("" if found else "nothing"))
        lines = [
            (str(hand.lease), str(hand.campaign), generation(hand), hand.host, str(hand.pid), moment(hand.since), hand.unsettled)
            for hand in found
        ]  # fmt: skip
        if lines:
            self.stdout.write(table(("lease", "campaign", "generation", "host", "pid", "since", "unsettled"), lines))

    def show_throttles(self, *, shows_all: bool) -> None:
        found = list(Throttle.objects.active().order_by("-made_at", "scope"))
        self.stdout.write("\nHeld back: " + ("" if found else "nothing"))
        shown = found if shows_all else found[:LONGEST]
        if shown:
            headings = ("scope", "route", "until", "how", "by", "reason", "reply")
            self.stdout.write(table(headings, [throttle_cells(each, shows_all) for each in shown]))
        if len(shown) < len(found):
            self.stdout.write(f"{len(found) - len(shown):,} that were held back before are shown by queue --all.")

    def show_messages(self, campaign: Campaign) -> None:
        try:
            for line in standing.messages(campaign.pk):
                code = "" if line.code is None else str(line.code)
                self.stdout.write("\t".join((line.address, line.status, line.reason, code)))
        except BrokenPipeError:  # `queue list 7 | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def suspend(self, scope: str, route: str, minutes: int, because: str) -> None:
        for name, stopped in stops.suspend(scope, seconds=60 * minutes, text=because, route_name=route):
            self.stdout.write(
                f"Nothing goes to {stopped} by {name} for {minutes:,} min, from a second or two from now."
            )

    def resume(self, scope: str, route: str) -> None:
        lifted = stops.lift(scope, route_name=route)
        for throttle in lifted:
            self.stdout.write(f"{throttle.scope} by {throttle.route} is no longer held back.")
        if not lifted:
            self.stdout.write(f"Nothing held {scope} back.")
            return
        time.sleep(stops.NOTICE_SECONDS)
        count = stops.hasten(lifted)
        ring("delivery.tick")
        self.stdout.write(
            f"{count:,} {'message that was' if count == 1 else 'messages that were'} put off {'is' if count == 1 else 'are'} due now."
        )

    def resend(self, campaign: Campaign) -> None:
        if campaign.status not in queue.RESENDABLE:
            raise CommandError(f"“{campaign}” is {campaign.status}, so nothing of it can be sent again.")
        count = queue.resend(campaign, now())
        if count:
            ring("delivery.tick")
        self.stdout.write(f"{count:,} {'message is' if count == 1 else 'messages are'} sent once more.")


def find_campaign(pk: int) -> Campaign:
    if found := Campaign.objects.filter(pk=pk).first():
        return found
    latest = ", ".join(f"{each.pk} “{each.name}”" for each in Campaign.objects.order_by("-pk")[:5])
    raise CommandError(
        f"There is no campaign {pk}. " + (f"The latest are: {latest}." if latest else "There are none yet.")
    )


def generation(hand: standing.Hand) -> str:
    return str(hand.generation) if hand.is_open else f"{hand.generation} (closed)"


def shown_name(name: str, shows_all: bool) -> str:
    """Return the name as it fits beside figures: sets of mail servers are long."""
    return name if shows_all or len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def throttle_cells(throttle: Throttle, shows_all: bool) -> list[str]:
    how = "suspended" if throttle.is_suspended else f"{throttle.rate * 60:,.0f} a minute"
    if throttle.connections is not None:
        how += f" over {throttle.connections}"
    reply = f"{throttle.code or ''} {throttles.masked(throttle.text)}".strip()
    return [
        shown_name(throttle.scope, shows_all),
        throttle.route,
        moment(throttle.until),
        how,
        throttle.made_by,
        throttle.reason,
        reply,
    ]


def minutes(text: str) -> int:
    """Return the minutes that were typed: one at least, a year at most."""
    if not text.isdecimal() or not 0 < int(text) <= 366 * 24 * 60:
        raise ArgumentTypeError(f"“{text}” is not a number of minutes.")
    return int(text)


def moment(at: datetime) -> str:
    return f"{localtime(at):%F %T}"


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return lines of columns: numbers to the right, words to the left."""
    lines = [headings, *([f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows)]
    found = []
    for column in zip(*lines, strict=True):
        width = max(map(len, column))
        is_number = all(cell.replace(",", "").isdecimal() for cell in column[1:])
        found.append([cell.rjust(width) if is_number else cell.ljust(width) for cell in column])
    return "\n".join("  ".join(cells).rstrip() for cells in zip(*found, strict=True))
