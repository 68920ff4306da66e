"""The queue for operators: what waits where and since when, who has it in hand, what holds it back."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime, now

from campaigns.models import Campaign
from delivery import queue, standing
from mailsales.doorbell import ring

LONGEST = 20  # destinations shown
RESENDABLE = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.SENT)


class Command(BaseCommand):
    help = "Show what waits, by destination and age, and what holds it back; or act on it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all", action="store_true", help=f"every destination, not only the {LONGEST} longest lines"
        )
        verbs = parser.add_subparsers(dest="verb", metavar="list | resend")
        listing = verbs.add_parser("list", help="print every message of a campaign: address, state, reason, last code")
        listing.add_argument("campaign", type=int)
        resend = verbs.add_parser("resend", help="send messages again whose outcome nobody knows")
        resend.add_argument("--unknown", action="store_true", required=True, help="those that are unknown now")
        resend.add_argument("campaign", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "list":
            self.show_messages(find_campaign(options["campaign"]))
        elif options["verb"] == "resend":
            self.resend(find_campaign(options["campaign"]))
        else:
            self.show(shows_all=options["all"])

    def show(self, *, shows_all: bool) -> None:
        if since := standing.held_since():
            self.stdout.write(f"The installation is on hold since {moment(since)}: nothing is sent.\n\n")
        self.show_waiting(shows_all=shows_all)
        self.show_leases()

    def show_waiting(self, *, shows_all: bool) -> None:
        waiting, rows = standing.by_state(), standing.by_destination()
        states = f"{waiting.queued:,} queued, {waiting.deferred:,} deferred, {waiting.sending:,} sending"
        self.stdout.write(f"Waiting: {waiting.total:,} ({states}), by minutes since their campaign began")
        shown = rows if shows_all else rows[:LONGEST]
        lines = [(row.name, row.total, *row.by_age) for row in (standing.total(rows), *shown)]
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

    def show_messages(self, campaign: Campaign) -> None:
        try:
            for line in standing.messages(campaign.pk):
                code = "" if line.code is None else str(line.code)
                self.stdout.write("\t".join((line.address, line.status, line.reason, code)))
        except BrokenPipeError:  # `queue list 7 | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def resend(self, campaign: Campaign) -> None:
        if campaign.status not in RESENDABLE:
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
