from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.models import Membership

View = Callable[..., HttpResponseBase]
WRITERS = (Membership.Role.OWNER, Membership.Role.APPROVER, Membership.Role.EDITOR)
SENDERS = (Membership.Role.OWNER, Membership.Role.APPROVER, Membership.Role.EDITOR)
OWNERS = (Membership.Role.OWNER,)


def member_required(*roles: str) -> Callable[[View], View]:
    """Require a member of the acting account, in one of the roles if any are given."""

    def decorator(view: View) -> View:
        @wraps(view)
        @login_required
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            membership: Membership | None = getattr(request, "membership", None)
            if membership is None:
                return redirect("accounts:no_account")
            if roles and membership.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return wrapper

    return decorator


def polled(view: View) -> View:
    """Mark a view that pages ask for by themselves: a call of it does not keep a session alive."""
    view.is_polled = True  # type: ignore[attr-defined]
    return view
