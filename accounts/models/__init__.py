"""Tenants, their people, their sending domains, and what is written down about both."""

from __future__ import annotations

from accounts.models.brands import Brand
from accounts.models.domains import BlocklistAnswer, DkimKey, Domain, Sender
from accounts.models.people import Account, Membership, User
from accounts.models.records import AuditEntry, Notice

__all__ = [
    "Account",
    "AuditEntry",
    "BlocklistAnswer",
    "Brand",
    "DkimKey",
    "Domain",
    "Membership",
    "Notice",
    "Sender",
    "User",
]
