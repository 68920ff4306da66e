from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.domains.keys import SELECTOR
from accounts.models import Account, Domain
from mailsales.domain_names import BadDomain, clean_domain

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
TAKEN_LABELS = ("bounce", "www", "mail")  # below the domain, other things have these names
CODE = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class DomainForm(forms.Form):
    name = forms.CharField(
        label=_("Domain"),
        max_length=300,
        help_text=_("The part after the “@” of your senders. You can also paste an email address or your web site."),
        error_messages={"required": _("Enter a domain.")},
        widget=forms.TextInput(attrs={**CODE, "placeholder": "example.jp", "inputmode": "url"}),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_name(self) -> str:
        try:
            name = clean_domain(self.cleaned_data["name"])
        except BadDomain as error:
            raise forms.ValidationError(str(error.advice)) from error
        if Domain.objects.of(self.account).filter(name=name).exists():
            raise forms.ValidationError(_("This domain is in your list already."))
        return name


class TrackingForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Domain
        fields = ("tracking_label",)
        help_texts = {"tracking_label": _("For example “link”. Leave it empty to use the name of this installation.")}
        widgets = {"tracking_label": forms.TextInput(attrs=CODE)}

    def clean_tracking_label(self) -> str:
        label = str(self.cleaned_data["tracking_label"]).strip().lower().removesuffix(f".{self.instance.name}")
        if label and not LABEL.fullmatch(label):
            raise forms.ValidationError(_("Use letters, digits and hyphens, without dots: for example “link”."))
        if label in TAKEN_LABELS:
            raise forms.ValidationError(_("This name is needed for something else. Choose another, such as “link”."))
        return label

    def save(self, commit: bool = True) -> Domain:
        """Save the name alone; links keep the present one until the new one was seen in DNS."""
        domain: Domain = super().save(commit=False)
        if "tracking_label" in self.changed_data:
            domain.is_tracking_ready = False
        if commit:  # a check that runs meanwhile writes the other columns
            domain.save(update_fields=["tracking_label", "is_tracking_ready"])
        return domain


class KeyForm(forms.Form):
    selector = forms.CharField(
        label=_("Selector"),
        max_length=63,
        help_text=_("The name before “._domainkey” under which its record stands."),
        error_messages={"required": _("Enter the selector.")},
        widget=forms.TextInput(attrs=CODE),
    )
    pem = forms.CharField(
        label=_("Private key"),
        max_length=10_000,
        help_text=_("In PEM form, from “-----BEGIN” to “-----END”. It is stored encrypted and never shown again."),
        error_messages={"required": _("Paste the private key.")},
        widget=forms.Textarea(attrs={**CODE, "rows": 8}),
    )

    def __init__(self, *args: Any, domain: Domain, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.domain = domain

    def clean_selector(self) -> str:
        selector = str(self.cleaned_data["selector"]).strip().lower().partition("._domainkey")[0]
        if not SELECTOR.fullmatch(selector):
            raise forms.ValidationError(_("Use letters, digits and hyphens."))
        if self.domain.keys.filter(selector=selector).exists():
            raise forms.ValidationError(_("There is a key with this selector already."))
        return selector
