"""Import contacts from a CSV file, as the pages do."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override as language

from accounts.models import Account
from campaigns.imports import loading, starting
from campaigns.imports.reading import BadFile
from campaigns.models import ContactImport, ImportRefusal, MailingList, Subscription


class Command(BaseCommand):
    help = "Import contacts from a CSV file. Columns are found by their headings, in Japanese or English."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--account", required=True, help="id or exact name")
        parser.add_argument("--list", required=True, help="id or name; a new name makes a list")
        parser.add_argument(
            "--field", action="append", default=[], metavar="HEADING=field", help="put a column elsewhere"
        )
        parser.add_argument("--encoding", default="", help="default: found out")
        parser.add_argument("--basis", default=Subscription.Basis.CONSENT, choices=Subscription.Basis.values)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        with language("en"):
            try:
                job = self.run_import(options)
            except BadFile as fault:
                self.refuse(options, fault.reason, str(fault.advice), fault.line)
        if job.error:
            self.refuse(options, job.error["reason"], job.error["advice"], job.error["line"])
        self.report(job, as_json=options["json"])

    def run_import(self, options: dict[str, Any]) -> ContactImport:
        account, path = find_account(options["account"]), options["file"]
        if broken := [wish for wish in options["field"] if not all(wish.partition("="))]:
            raise CommandError(f"--field takes HEADING=field, not “{broken[0]}”.")
        wishes = dict(wish.split("=", 1) for wish in options["field"])
        mailing_list, is_new = find_list(account, options["list"])
        job = None
        try:
            wanted = {"basis": options["basis"], "encoding": options["encoding"], "wishes": wishes}
            job = loading.run_whole(starting.queue(account, mailing_list, path, **wanted))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        finally:
            if is_new and (job is None or job.error):
                mailing_list.delete()  # nothing of a refused file stays, its list neither
        return job

    def refuse(self, options: dict[str, Any], reason: str, advice: str, line: int) -> None:
        """Say why nothing was imported, and leave with status 1."""
        if options["json"]:
            self.stdout.write(json.dumps({"error": reason, "line": line, "advice": advice}, ensure_ascii=False))
            raise SystemExit(1)
        place = f"line {line}: " if line else ""
        raise CommandError(f"Nothing was imported. {options['file']}, {place}{advice}")

    def report(self, job: ContactImport, *, as_json: bool) -> None:
        counts = {name: getattr(job, name) for name in ("new", "updated", "unchanged", "refused")}
        refused = ImportRefusal.objects.filter(contact_import=job).order_by("line")
        if as_json:
            lines = list(refused.values("line", "reason", "detail", "address"))
            columns = {job.columns["headings"][int(at)] or at: target for at, target in job.columns["targets"].items()}
            said = {
                "encoding": job.encoding,
                "delimiter": job.delimiter,
                "rows": job.rows,
                "columns": columns,
                "counts": counts,
            }
            self.stdout.write(json.dumps({**said, "refused": lines}, ensure_ascii=False))
            return
        self.stdout.write(
            f"{job.encoding}, delimiter {job.delimiter!r}: " + ", ".join(f"{n:,} {name}" for name, n in counts.items())
        )
        for refusal in refused[:50]:
            self.stdout.write(f"  line {refusal.line}: {refusal.reason} {refusal.detail} {refusal.address}".rstrip())


def find_account(said: str) -> Account:
    account = Account.objects.filter(pk=int(said)).first() if said.isdecimal() else None
    account = account or Account.objects.filter(name=said).first()
    if account is None:
        raise CommandError(
            f"There is no account “{said}”. There are: {', '.join(Account.objects.values_list('name', flat=True)[:20])}"
        )
    return account


def find_list(account: Account, said: str) -> tuple[MailingList, bool]:
    """Return the list and whether it was made now."""
    own = MailingList.objects.of(account)
    found = own.filter(pk=int(said)).first() if said.isdecimal() else None
    return (found, False) if found else own.get_or_create(account=account, name=said[:100])
