"""Change the DKIM keys that are six months old, as beat does every hour, or those of some domains at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.domains import rotation
from accounts.models import Domain


class Command(BaseCommand):
    help = "Let the next DKIM keys sign whose records are in DNS, and make those after them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", metavar="DOMAIN", help="none: every domain whose keys are old enough")
        parser.add_argument("--now", action="store_true", help="whatever the age of the keys")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["names"] and not options["now"]:
            self.stdout.write(f"{rotation.rotate_due():,} keys changed.")
            return
        waiting = [domain for domain in domains_called(options["names"]) if not self.rotate(domain, options["now"])]
        if waiting and options["names"]:
            names = ", ".join(map(str, waiting))
            raise CommandError(f"Nothing changed for {names}: the keys are too young, or the next ones are not in DNS.")

    def rotate(self, domain: Domain, is_forced: bool) -> bool:
        """Change the domain's keys and say which sign now; return whether any did."""
        changed = rotation.rotate(domain, is_forced=is_forced)
        for key in changed:
            self.stdout.write(f"{domain}: {key.selector} ({key.get_algorithm_display()}) signs now.")
        return bool(changed)


def domains_called(names: list[str]) -> list[Domain]:
    """Return the proven domains of these names, all of them for none. Raise CommandError."""
    proven = Domain.objects.proven().select_related("account").order_by("name")
    found = list(proven.filter(name__in=names) if names else proven)
    if missing := set(names) - {domain.name for domain in found}:
        raise CommandError(f"No account has proven {', '.join(sorted(missing))}.")
    return found
