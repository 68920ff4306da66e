"""What operators look at in Django's admin: where mail goes, what holds it back, how it was encrypted, what nobody could read.

Workers write all of it, so it is only read here. A throttle can be lifted, and a host's broken TLS be tried again.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.admin import action, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from accounts.admin import ReadOnlyAdmin, operators
from delivery import throttles
from delivery.inbound import admin as inbound_admin  # noqa: F401 -- returned mail registers itself
from delivery.models import BrokenTls, DestinationGroup, StsPolicy, Throttle, TlsResult, UnreadReply, WarmupDay


class ThrottleAdmin(ReadOnlyAdmin):
    list_display = ("scope", "route", "how", "until", "made_by", "reason", "reply")
    list_filter = ("made_by", "reason")
    search_fields = ("scope", "route")
    ordering = ("-until",)
    fields = ("scope", "route", "how", "until", "made_by", "made_at", "reason", "reply", "host", "failures")
    actions = ("lift",)

    @display(description=gettext_lazy("How much goes"))
    def how(self, throttle: Throttle) -> str:
        if throttle.is_suspended:
            return pgettext("mail that goes", "none")
        return _("%(count)s a minute") % {"count": f"{throttle.rate * 60:,.0f}"}

    @display(description=gettext_lazy("Reply"))
    def reply(self, throttle: Throttle) -> str:
        return f"{throttle.code or ''} {throttles.masked(throttle.text)}".strip()

    @action(description=gettext_lazy("Let mail go again"), permissions=["lift"])
    def lift(self, request: HttpRequest, chosen: QuerySet[Throttle]) -> None:
        """Lift the throttles. What was put off comes when it is due: pages see no account's messages."""
        count = sum(throttles.resume(each.scope, each.route) for each in chosen)
        words = ngettext("%(count)s throttle is lifted.", "%(count)s throttles are lifted.", count) % {"count": count}
        hint = _("Mail that was put off goes when it is due; “manage.py queue resume” sends it at once.")
        self.message_user(request, f"{words} {hint}", messages.SUCCESS)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("delivery.delete_throttle")


class DestinationGroupAdmin(ReadOnlyAdmin):
    """Where the mail of each destination was last found to go."""

    list_display = ("destination", "group", "site", "found_at")
    list_select_related = ("destination",)
    search_fields = ("destination__name", "group", "site")
    ordering = ("destination",)


class BrokenTlsAdmin(ReadOnlyAdmin):
    """Removing a host lets the next session with it try STARTTLS again."""

    list_display = ("host", "until", "text")
    search_fields = ("host",)
    ordering = ("-until",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("delivery.delete_brokentls")


class StsPolicyAdmin(ReadOnlyAdmin):
    list_display = ("domain", "mode", "policy_id", "fetched_at", "expires_at")
    list_filter = ("mode",)
    search_fields = ("domain",)
    ordering = ("domain",)


class TlsResultAdmin(ReadOnlyAdmin):
    """Sessions of a day by how they ended; an empty result is a success (RFC 8460)."""

    list_display = ("on", "domain", "policy_type", "result", "mx", "n", "reported_at")
    list_filter = ("policy_type", "result")
    search_fields = ("domain", "mx")
    ordering = ("-on", "domain")


class WarmupDayAdmin(ReadOnlyAdmin):
    list_display = ("domain", "provider", "on", "used", "cap")
    list_select_related = ("domain",)
    list_filter = ("provider",)
    ordering = ("-on", "domain")


class UnreadReplyAdmin(ReadOnlyAdmin):
    """A rule in `delivery/reply_rules/` ends it."""

    list_display = ("n", "pattern", "host", "last_at")
    list_display_links = ("pattern",)
    search_fields = ("pattern", "host")
    ordering = ("-n",)


operators.register(Throttle, ThrottleAdmin)
operators.register(DestinationGroup, DestinationGroupAdmin)
operators.register(BrokenTls, BrokenTlsAdmin)
operators.register(StsPolicy, StsPolicyAdmin)
operators.register(TlsResult, TlsResultAdmin)
operators.register(WarmupDay, WarmupDayAdmin)
operators.register(UnreadReply, UnreadReplyAdmin)
