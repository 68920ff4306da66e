from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Account

ZONES = sorted(
    name
    for name in zoneinfo.available_timezones()
    if "/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/"))
)


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=[(name, name.replace("_", " ")) for name in ZONES],
        help_text=_("Times you type and times you read are in this zone."),
    )

    class Meta:
        model = Account
        fields = ("name", "postal_address", "complaint_address", "time_zone")
        labels = {"complaint_address": _("Address for complaints and questions")}
        help_texts = {
            "postal_address": _("Stands at the end of every email, as the Japanese anti-spam law requires."),
            "complaint_address": _("Readers write here when something is wrong with your emails."),
        }
        error_messages = {
            "name": {"required": _("Enter the company name.")},
            "complaint_address": {"invalid": _("Enter it in the form “name@example.jp”.")},
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "organization"}),
            "postal_address": forms.TextInput(attrs={"autocomplete": "street-address"}),
        }


class ThresholdForm(forms.ModelForm):  # type: ignore[type-arg]
    """When addresses are let go, and when a campaign stops by itself."""

    class Meta:
        model = Account
        fields = ("soft_bounce_days", "soft_bounce_window", "retry_days", "fault_percent")
        help_texts = {
            "soft_bounce_days": _("1 to 30. On so many different days in a row, without a success between."),
            "soft_bounce_window": _("1 to 90 days. What is older no longer counts."),
            "retry_days": _("7 to 365. After that the address gets the next campaign again."),
            "fault_percent": _("1 to 100. Block lists, signatures and content are our fault, not that of an address."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        days, window = cleaned.get("soft_bounce_days"), cleaned.get("soft_bounce_window")
        if days and window and days > window:
            self.add_error("soft_bounce_window", _("This must be at least the number of days with a failure."))
        return cleaned
