"""Mail to the owners of an account about its sending domains: rows that `delivery` sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from accounts.domains.findings import Finding
from accounts.domains.neighbours import waiting
from accounts.domains.records import records_of
from accounts.models import DkimKey, Domain, Membership, Notice
from mailsales.doorbell import ring

TASK = "delivery.send_notices"


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
    """Write a notice to each owner with an address, in their language."""
    owners = Membership.objects.of(domain.account).filter(role=Membership.Role.OWNER).exclude(user__email="")
    notices = []
    for owner in owners.select_related("user"):
        with translation.override(owner.user.language or domain.account.language):
            values = {
                "domain": domain,
                "account": domain.account,
                "url": f"{settings.PUBLIC_URL}/domains/{domain.pk}/",
                **context,
            }
            subject, text = (render_to_string(f"emails/{name}/{part}.txt", values) for part in ("subject", "body"))
        notices.append(
            Notice(account=domain.account, address=owner.user.email, subject=subject.strip()[:200], text=text)
        )
    Notice.objects.bulk_create(notices)
    transaction.on_commit(lambda: ring(TASK))
