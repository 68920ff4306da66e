from __future__ import annotations

import zoneinfo

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
