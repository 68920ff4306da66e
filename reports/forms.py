from __future__ import annotations

from django import forms


class ResendForm(forms.Form):
    seen_at = forms.DateTimeField()
