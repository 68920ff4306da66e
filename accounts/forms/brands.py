from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.base import File
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand
from mailsales import pictures
from mailsales.pictures import NoPicture, Picture

LARGEST = 200_000  # bytes of a logo
OURS = "#28509e"  # --accent of static/css/tokens.css
WIDEST = 2_000  # pixels of its longer side


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    """A colour or ours, a logo or the name. What the logo is, its content says; what its name says counts for nothing."""

    has_color = forms.BooleanField(label=_("Use our own colour"), required=False)
    color = forms.CharField(
        label=_("Colour"),
        required=False,
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("Where it would be hard to read on, a darker or lighter shade is used."),
    )
    file = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        help_text=_("PNG, JPEG, GIF or WebP, up to 200 KB and 2,000 pixels. About 400 pixels wide is best."),
    )
    is_removed = forms.BooleanField(label=_("Show the company name in place of the logo"), required=False)

    field_order = ("has_color", "color", "file", "is_removed")  # in which they are cleaned, too

    class Meta:
        model = Brand
        fields = ("color",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["has_color"] = bool(self.instance.color)
        self.initial["color"] = self.instance.color or OURS
        if not self.instance.logo:
            del self.fields["is_removed"]

    def clean_color(self) -> str:
        return str(self.cleaned_data["color"]).lower() if self.cleaned_data.get("has_color") else ""

    def clean_file(self) -> File[bytes] | None:
        file: File[bytes] | None = self.cleaned_data["file"]
        if file is None:
            return None
        if (file.size or 0) > LARGEST:
            raise forms.ValidationError(_("The file is larger than 200 KB. Save it smaller and choose it again."))
        self.instance.logo = file.read()
        self.instance.logo_type = self._look(self.instance.logo).kind
        return file

    def _look(self, data: bytes) -> Picture:
        try:
            picture = pictures.look(data)
        except NoPicture as error:
            raise forms.ValidationError(
                _("This is no PNG, JPEG, GIF or WebP picture. Save it as one of these.")
            ) from error
        if max(picture.width, picture.height) > WIDEST:
            raise forms.ValidationError(
                _("The picture is larger than 2,000 pixels. Make it smaller and choose it again.")
            )
        return picture

    def save(self, commit: bool = True) -> Brand:
        if self.cleaned_data.get("is_removed") and not self.cleaned_data["file"]:
            self.instance.logo, self.instance.logo_type = b"", ""
        saved: Brand = super().save(commit)
        return saved
