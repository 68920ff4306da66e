"""What DNS says of a sending domain, as its page shows it. Ends with status 1 if receivers would mind something."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.domains.checking import check
from accounts.domains.findings import Finding, State
from accounts.domains.records import Record, records_of
from accounts.models import Domain
from mailsales.dns.questions import NoSuchDomain, a_labels

MARKS = {State.GOOD: "OK", State.WARN: "!!", State.BAD: "NG", State.MISSING: "--", State.UNKNOWN: "??"}


class Command(BaseCommand):
    help = "Check the DNS records of a sending domain, or of any other."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="DOMAIN")
        parser.add_argument("--account", type=int, help="the id of the account whose records are meant")
        parser.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=[code for code, _ in settings.LANGUAGES]
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"]):
            try:
                domain = domain_called(options["name"], options["account"])
                found = check(domain)
            except (NoSuchDomain, ValueError) as error:
                raise CommandError(str(error)) from error
            domain.findings = [finding.stored() for finding in found]
            self.show(records_of(domain), found)
            failures = sum(finding.is_failure for finding in found)
            if failures:
                text = ngettext("%(count)s thing must be put right.", "%(count)s things must be put right.", failures)
                raise CommandError(text % {"count": failures})
            self.stdout.write(self.style.SUCCESS(_("Everything is in place.")))

    def show(self, records: list[Record], found: list[Finding]) -> None:
        by_key = {record.key: record for record in records}
        for finding in found:
            self.show_finding(finding, by_key.get(finding.key))

    def show_finding(self, finding: Finding, record: Record | None) -> None:
        style = self.style.ERROR if finding.is_failure else str
        purpose = f"{record.purpose}: " if record else ""
        self.stdout.write(style(f"{MARKS[finding.state]}  {purpose}{finding.title}"))
        self.stdout.write(f"    {finding.text}")
        if record:
            self.stdout.write(f"    {record.need.label}: {record.line}")


def domain_called(name: str, account_id: int | None) -> Domain:
    """Return the account's domain, or whoever's it is, or one that is not saved. Raise ValueError and NoSuchDomain."""
    name = a_labels(name)
    domains = Domain.objects.filter(name=name).select_related("account").order_by("proven_at", "pk")
    if account_id is None:
        return domains.first() or Domain(name=name)
    found = domains.filter(account=account_id).first()
    if found is None:
        raise ValueError(_("This account has no domain %(name)s.") % {"name": name})
    return found
