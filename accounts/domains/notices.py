"""Mail to the owners of an account about its sending domains: rows that `delivery` sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.domains.findings import Finding
from accounts.domains.neighbours import waiting
from accounts.domains.records import records_of
from accounts.models import DkimKey, Domain
from accounts.owners import tell_owners


def warn_of_break(domain: Domain, found: Sequence[Finding]) -> None:
    """Tell the owners what is wrong, what to change, and what waits."""
    records = {record.key: record for record in records_of(domain)}
    wrong = [finding for finding in found if finding.is_failure and not finding.is_of_installation]
    rows = [(finding, records.get(finding.key)) for finding in wrong]
    _tell_owners(domain, "domain_broken", rows=rows, campaigns=waiting(domain))


def tell_of_recovery(domain: Domain) -> None:
    """Tell the owners that the domain is well again; what waits goes on when somebody lets it."""
    _tell_owners(domain, "domain_mended", campaigns=waiting(domain))


def ask_for_next_key(domain: Domain, keys: Sequence[DkimKey], *, is_reminder: bool = False) -> None:
    """Ask the owners to publish the next keys."""
    wanted = {f"dkim-{key.selector}" for key in keys}
    added = [record for record in records_of(domain) if record.key in wanted]
    _tell_owners(domain, "next_key", added=added, is_reminder=is_reminder)


def _tell_owners(domain: Domain, name: str, **context: Any) -> None:
    tell_owners(domain.account, name, f"/domains/{domain.pk}/", domain=domain, **context)
