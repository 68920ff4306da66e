from __future__ import annotations

import zoneinfo
from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domains.making import make_domain
from accounts.models import Account, Sender
from mailsales.addresses import BadAddress, clean_address

ZONES = sorted(
    name
    for name in zoneinfo.available_timezones()
    if "/" in name and not name.startswith(("Etc/", "posix/", "right/", "SystemV/"))
)


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, login.help_text = _("Login ID or email address"), ""
        login.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        login.error_messages["required"] = _("Enter your login ID or email address.")
        password.label, password.help_text = _("Password"), ""
        password.widget.attrs = {"autocomplete": "current-password"}
        password.error_messages["required"] = _("Enter your password.")


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


class SenderForm(forms.ModelForm):  # type: ignore[type-arg]
    address = forms.CharField(
        label=_("Sender address"),
        max_length=254,
        help_text=_("Replies come here. Its domain signs your emails."),
        error_messages={"required": _("Enter an email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Sender
        fields = ("name", "address")
        help_texts = {"name": _("What readers see first in their inbox.")}
        error_messages = {"name": {"required": _("Enter the name of the sender.")}}

    def clean_address(self) -> str:
        try:
            return clean_address(self.cleaned_data["address"])
        except BadAddress as error:
            raise forms.ValidationError(str(error.advice)) from error

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        same = Sender.objects.of(self.instance.account).exclude(pk=self.instance.pk)
        if same.filter(address=cleaned.get("address", ""), name=cleaned.get("name", "")).exists():
            self.add_error("address", _("This sender exists already."))
        return cleaned

    def save(self, commit: bool = True) -> Sender:
        self.instance.domain = make_domain(self.instance.account, self.cleaned_data["address"].rpartition("@")[2])
        saved: Sender = super().save(commit)
        return saved
