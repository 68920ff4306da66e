from __future__ import annotations

from hashlib import blake2s

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Account

IS_COLOR = RegexValidator(r"^#[0-9a-f]{6}$", _("Enter a colour in the form “#1f3a93”."))


class Brand(models.Model):
    """How an account looks to its readers on our public pages. An empty colour or logo is ours, or none."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="brand")
    color = models.CharField(_("Colour"), max_length=7, blank=True, validators=[IS_COLOR])
    logo = models.BinaryField(blank=True, default=b"")
    logo_type = models.CharField(max_length=20, blank=True)  # image/png, image/jpeg, image/gif or image/webp
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "brand"

    def __str__(self) -> str:
        return f"the looks of {self.account}"

    @property
    def version(self) -> str:
        """Return what changes with the looks, for addresses that browsers may keep for ever."""
        return blake2s(self.color.encode() + bytes(self.logo), digest_size=6).hexdigest()
