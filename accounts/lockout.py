"""Lock-out after wrong passwords (django-axes): who is counted, and the page they see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.models import User


def who(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return one name for a person, whichever of login ID or address was typed and in whichever case.

    allauth passes `username` or `email`; without this both would be counted apart, or not at all.
    """
    given = credentials or {}
    typed = str(given.get("username") or given.get("email") or request.POST.get("login", "")).strip()
    user = User.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed)).first() if typed else None
    return f"user:{user.pk}" if user else typed.casefold()


def locked_out(
    request: HttpRequest, credentials: Mapping[str, Any] | None = None, *args: Any, **kwargs: Any
) -> HttpResponse:
    cool_off = timedelta(hours=settings.AXES_COOLOFF_TIME)
    context = {
        "until": timezone.now() + cool_off,
        "minutes": cool_off.seconds // 60,
        "tries": settings.AXES_FAILURE_LIMIT,
    }
    return render(request, "accounts/locked_out.html", context, status=429)
