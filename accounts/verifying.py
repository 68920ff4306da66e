"""Members prove that they read their address: only then a domain that is not proven may write to them.

The link in the mail holds a signature over the person, the time and the present address, which it does not show: a
change of the address voids it.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Account, Notice, User
from mailsales.doorbell import ring

VALID = timedelta(days=3)
TASK = "delivery.send_notices"


def token_of(user: User) -> str:
    return _signer(user).sign(str(user.pk))


def is_token_of(user: User, token: str) -> bool:
    """Return whether the token was sent to the person's present address, lately."""
    try:
        return bool(user.email) and _signer(user).unsign(token, max_age=VALID) == str(user.pk)
    except BadSignature:
        return False


def ask(account: Account, user: User) -> None:
    """Send the link to the person's address, in the language of the page."""
    url = settings.PUBLIC_URL + reverse("accounts:address_confirm", args=[token_of(user)])
    context = {"user": user, "account": account, "url": url, "days": VALID.days}
    subject, text = (render_to_string(f"emails/verify_address/{part}.txt", context) for part in ("subject", "body"))
    Notice.objects.create(account=account, address=user.email, subject=subject.strip()[:200], text=text)
    transaction.on_commit(lambda: ring(TASK))


def confirm(user: User) -> None:
    """Take the present address as read."""
    user.verified_email = user.email
    user.save(update_fields=["verified_email"])


def _signer(user: User) -> TimestampSigner:
    return TimestampSigner(salt=f"accounts.verifying:{user.email.casefold()}")
