from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domains.making import make_domain
from accounts.models import Sender
from mailsales.addresses import BadAddress, clean_address


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
