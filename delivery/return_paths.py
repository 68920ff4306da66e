"""Where a domain's returned mail goes: by its MX record to this installation, or into a mailbox that is read over IMAP."""

from __future__ import annotations

from accounts.models import Domain
from delivery.models import ReturnMailbox


def mailbox_domain_of(domain: Domain) -> str:
    """Return the domain of the mailbox that takes what comes back, or nothing."""
    mailbox = ReturnMailbox.objects.filter(domain=domain).first()
    return mailbox.address.rpartition("@")[2] if mailbox else ""
