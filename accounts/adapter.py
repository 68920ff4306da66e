from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """allauth, closed: users are made by operators and owners, not by strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
