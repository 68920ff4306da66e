from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Account, Membership, User


class AccountRequest(HttpRequest):
    """A request from a signed-in member, as `member_required` guarantees it."""

    user: User
    account: Account
    membership: Membership
    htmx: HtmxDetails
    csp_nonce: str
