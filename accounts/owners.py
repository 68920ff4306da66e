"""Mail of the system to the owners of an account: rows that `delivery` sends."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from accounts.models import Account, Membership, Notice
from mailsales.doorbell import ring

TASK = "delivery.send_notices"


def tell_owners(account: Account, name: str, path: str, **context: Any) -> None:
    """Write a notice to each owner with an address, in their language, out of `templates/emails/<name>/`.

    `path` is the page that it leads to. Lazy words in the context are said in the owner's language, too.
    """
    owners = Membership.objects.of(account).filter(role=Membership.Role.OWNER).exclude(user__email="")
    notices = []
    for owner in owners.select_related("user"):
        with translation.override(owner.user.language or account.language):
            values = {"account": account, "url": f"{settings.PUBLIC_URL}{path}", **context}
            subject, text = (render_to_string(f"emails/{name}/{part}.txt", values) for part in ("subject", "body"))
        notices.append(Notice(account=account, address=owner.user.email, subject=subject.strip()[:200], text=text))
    Notice.objects.bulk_create(notices)
    transaction.on_commit(lambda: ring(TASK))
