"""What this app must know of a domain and cannot see: the apps to the right of it say so when they start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import Domain


@dataclass
class Neighbours:
    """`mailbox_domain` is the domain of a mailbox that takes what comes back, or ""; `waiting` the names of campaigns."""

    mailbox_domain: Callable[[Domain], str] = lambda _domain: ""
    waiting: Callable[[Domain], list[str]] = lambda _domain: []


_neighbours = Neighbours()


def tell(*, mailbox_domain: Callable[[Domain], str], waiting: Callable[[Domain], list[str]]) -> None:
    """Let these answer from now on."""
    _neighbours.mailbox_domain, _neighbours.waiting = mailbox_domain, waiting


def mailbox_domain(domain: Domain) -> str:
    """Return the domain of the mailbox that takes what comes back, or nothing where an MX record leads it here."""
    return _neighbours.mailbox_domain(domain) if domain.pk else ""


def waiting(domain: Domain) -> list[str]:
    """Return the names of the campaigns that cannot go on while the domain is broken."""
    return _neighbours.waiting(domain)
