from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


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
