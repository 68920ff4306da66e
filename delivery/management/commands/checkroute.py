"""What each route shows of this installation, and what receivers will object to. Ends with status 1 if they will."""

from __future__ import annotations

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Account
from delivery import identity
from delivery.resolver import Resolver
from delivery.routes import read_route
from mailsales import vault
from mailsales.routes import Route, RouteKind


class Command(BaseCommand):
    help = "Check EHLO name, source address and PTR record of the default route and of every account's own."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            resolver = Resolver(settings.DNS_SERVERS)
        except ValueError as error:
            raise CommandError(f"DNS_SERVERS: {error}") from error
        count = self.show("Default route", read_route(), resolver)
        for account in Account.objects.exclude(sealed_route="").order_by("pk"):
            count += self.show_own(account, resolver)
        if count:
            raise CommandError(f"{count:,} {'fault was' if count == 1 else 'faults were'} found.")

    def show_own(self, account: Account, resolver: Resolver) -> int:
        """Show the account's own route; return the number of its faults."""
        title = f"Account {account.pk}, {account.name}"
        try:
            route = read_route(account.route)
        except vault.Sealed:
            return self.show_lines(
                title, [], ["It was stored under another SECRET_KEY. Set the account's route again."]
            )
        except ValueError:  # which may quote a password that stands where a port should
            return self.show_lines(title, [], ["It is not written as a route. Set the account's route again."])
        return self.show(title, route, resolver)

    def show(self, title: str, route: Route, resolver: Resolver) -> int:
        faults = asyncio.run(identity.faults(route, resolver))
        lines = described(route)
        if note := identity.unchecked(route):
            lines.append(note)
        return self.show_lines(title, lines, faults)

    def show_lines(self, title: str, lines: list[str], faults: list[str]) -> int:
        self.stdout.write(f"{title}:")
        for line in lines:
            self.stdout.write(f"  {line}")
        for fault in faults:
            self.stdout.write(self.style.ERROR(f"  FAULT: {fault}"))
        if not faults:
            self.stdout.write(self.style.SUCCESS("  No fault was found."))
        return len(faults)


def described(route: Route) -> list[str]:
    """Return what stands in the route, without its login."""
    lines = [f"Kind: {route.kind}"]
    if route.hops:
        tls = f"TLS {route.tls}" + (", certificate verified" if route.is_verified else "")
        login = ", with a login" if route.login else ""
        lines.append(f"Hosts: {', '.join(map(str, route.hops))} ({tls}{login})")
    lines.append(f"EHLO name: {route.ehlo_name}")
    if route.kind is not RouteKind.SANDBOX:
        lines.append(f"Source address: {route.source_address or 'chosen by the system'}")
    return lines
