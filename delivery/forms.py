from __future__ import annotations

from typing import Any

from django import forms
from django.template.defaultfilters import date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from campaigns.forms.contacts import AddressField
from campaigns.models import MailingList
from delivery.preferences import BREAKS, END, Standing, Wishes


class ReasonForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("If you like, tell us why (optional)"),
        widget=forms.RadioSelect,
        choices=[
            ("too_many", _("Too many emails")),
            ("not_wanted", _("Not what I am looking for")),
            ("not_signed_up", _("I do not remember signing up")),
            ("other", _("Something else")),
        ],
    )


class PreferencesForm(forms.Form):
    """Lists, a break and a name; what the reader has now is filled in."""

    lists = forms.TypedMultipleChoiceField(
        label=_("What you receive"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    pause = forms.ChoiceField(
        label=_("Take a break"), required=False, help_text=_("We send you nothing during your break.")
    )
    name = forms.CharField(
        label=_("Your name"), required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )

    def __init__(self, *args: Any, standing: Standing, name: str, **kwargs: Any) -> None:
        kwargs["initial"] = {"lists": sorted(standing.chosen), "pause": "", "name": name}
        super().__init__(*args, **kwargs)
        self.fields["lists"].choices = [(each.list_id, _called(each.list)) for each in standing.subscriptions]  # type: ignore[attr-defined]
        self.fields["pause"].choices = _breaks(standing)  # type: ignore[attr-defined]
        if not standing.subscriptions:
            del self.fields["lists"]

    @property
    def wishes(self) -> Wishes:
        """Return what a valid form says."""
        data = self.cleaned_data
        pause = data["pause"]
        return Wishes(data.get("lists", []), int(pause) if pause else None, " ".join(data["name"].split()))


def _called(mailing_list: MailingList) -> str | Promise:
    """Return how readers see a list: its name, and what it is for."""
    if not mailing_list.about:
        return mailing_list.name
    return _("%(name)s (%(about)s)") % {"name": mailing_list.name, "about": mailing_list.about}


def _breaks(standing: Standing) -> list[tuple[str, str | Promise]]:
    """Return the choices of a break; who has one may keep it, end it or begin it anew."""
    fresh: list[tuple[str, str | Promise]] = [
        (str(days), _("Break for %(days)s days") % {"days": days}) for days in BREAKS
    ]
    if standing.break_ends is None:
        return [("", _("No break")), *fresh]
    until = date(standing.break_ends, pgettext("date format", "j M Y"))
    return [("", _("Break until %(date)s") % {"date": until}), (str(END), _("End the break now")), *fresh]


class AddressChangeForm(forms.Form):
    """Where the reader wants to get mail from now on."""

    address = AddressField(
        label=_("New email address"),
        widget=forms.TextInput(attrs={"autocomplete": "email", "inputmode": "email", "autocapitalize": "none"}),
    )
