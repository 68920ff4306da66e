"""What operators look at in Django's admin: replies that the rules could not read."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

from accounts.admin import operators
from delivery.models import UnreadReply


class UnreadReplyAdmin(ModelAdmin):  # type: ignore[type-arg]
    """Read-only: workers count them, and a rule in `delivery/reply_rules/` ends it."""

    list_display = ("n", "pattern", "host", "last_at")
    list_display_links = ("pattern",)
    search_fields = ("pattern", "host")
    ordering = ("-n",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


operators.register(UnreadReply, UnreadReplyAdmin)
