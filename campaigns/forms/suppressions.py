from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.suppressions.entries import clean_entry
from mailsales.addresses import BadAddress
from mailsales.reasons import Reason

LARGEST = 10_000_000  # bytes of a file, as the form says


class EntryField(forms.CharField):
    """An address, or a domain for all of its addresses."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Email address or domain"))
        kwargs.setdefault("max_length", 254)
        kwargs.setdefault(
            "help_text", _("“example.jp” stands for every address of that domain, but not of its subdomains.")
        )
        kwargs.setdefault("error_messages", {"required": _("Enter an email address or a domain.")})
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off", "inputmode": "email"}))
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        typed = str(super().clean(value))
        try:
            return clean_entry(typed)
        except BadAddress as error:
            raise forms.ValidationError(str(error.advice)) from error


class SuppressionForm(forms.Form):
    address = EntryField()
    note = forms.CharField(label=_("Why (optional)"), required=False, max_length=200)


class SuppressionFileForm(forms.Form):
    file = forms.FileField(
        label=_("File to import"),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        help_text=_("CSV or text with an address or a domain in each row, up to 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )
    note = forms.CharField(label=_("Why (optional)"), required=False, max_length=200)
    skips_refused = forms.BooleanField(label=_("Leave out rows that are refused, and import the rest"), required=False)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(_("The file is larger than 10 MB. Split it."))
        return file


class MomentField(forms.DateTimeField):
    """A date and a time in the account's zone, which the request has activated."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))
        said = _("Enter a date and a time.")
        kwargs.setdefault("error_messages", {"required": said, "invalid": said})
        super().__init__(**kwargs)


class UndoForm(forms.Form):
    """Which suppressions are to be released: those of a time span, for reasons that the account has."""

    since = MomentField(label=_("Suppressed from"))
    until = MomentField(label=_("Suppressed before"))
    reasons = forms.MultipleChoiceField(
        label=_("For these reasons"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one reason.")},
    )

    def __init__(self, *args: Any, reasons: Iterable[str], **kwargs: Any) -> None:
        now = timezone.localtime().replace(second=0, microsecond=0)
        kwargs.setdefault("initial", {"since": now - timedelta(days=1), "until": now + timedelta(minutes=1)})
        super().__init__(*args, **kwargs)
        self.fields["reasons"].choices = [(each, Reason(each).label) for each in reasons]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        since: datetime | None = data.get("since")
        until: datetime | None = data.get("until")
        if since and until and since >= until:
            self.add_error("until", _("Choose a time after the first one."))
        return data
