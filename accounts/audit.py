"""The audit trail: one line for each change of people, settings, keys, exports and suppressions."""

from __future__ import annotations

from accounts.http import AccountRequest
from accounts.models import Account, AuditEntry


def note(request: AccountRequest, action: str, about: str = "", **details: object) -> None:
    """Write down what the person of this request does, within the same transaction as the deed."""
    ip = request.META.get("REMOTE_ADDR") or None
    AuditEntry.objects.create(
        account=request.account, user=request.user, ip=ip, action=action, about=about[:300], details=details
    )


def note_of_system(account: Account | None, action: str, about: str = "", **details: object) -> None:
    """Write down what nobody pressed a button for: a rotation by beat, a command."""
    AuditEntry.objects.create(account=account, action=action, about=about[:300], details=details)


def note_of_reader(account: Account, ip: str | None, action: str, about: str = "", **details: object) -> None:
    """Write down what somebody who gets mail did with the token of a mail: a consent, a new address."""
    AuditEntry.objects.create(account=account, ip=ip, action=action, about=about[:300], details=details)
