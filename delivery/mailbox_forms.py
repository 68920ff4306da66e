"""The form of a return mailbox. Whether it opens is asked by the view."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from delivery.identity import FULL_NAME
from delivery.imap_line import Login
from delivery.models import ReturnMailbox
from mailsales.addresses import BadAddress, clean_address

TLS_PORT = 993  # RFC 8314 §3.2
PLACE = re.compile(r"(?P<host>[^:\s]+)(?::(?P<port>[0-9]{1,5}))?")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class MailboxForm(forms.ModelForm):  # type: ignore[type-arg]
    """`instance` has its domain. The password is never shown, and is asked again when it would go elsewhere."""

    address = forms.CharField(
        label=_("Address of the mailbox"),
        max_length=200,
        help_text=_("Of this domain or one below it, so that SPF and DMARC agree."),
        error_messages={"required": _("Enter an email address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    place = forms.CharField(
        label=_("IMAP server"),
        max_length=253,
        help_text=_("For example imap.example.jp, or imap.example.jp:993. The connection is always encrypted."),
        error_messages={"required": _("Enter the name of the IMAP server.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=500,
        strip=False,
        error_messages={"required": _("Enter the password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = ReturnMailbox
        fields = ("address", "takes_plus", "username", "folder")
        error_messages = {
            "username": {"required": _("Enter the login name.")},
            "folder": {"required": _("Enter the folder. INBOX is usual.")},
        }
        widgets = {
            "username": forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = (self.instance.host, self.instance.port, self.instance.username)
        host, port = self.instance.host, self.instance.port
        self.fields["place"].initial = host if port == TLS_PORT else f"{host}:{port}"
        if self.instance.pk:
            self.fields["password"].required = False
            self.fields["password"].help_text = _("It is stored sealed, and not shown. Leave it empty to keep it.")

    @property
    def login(self) -> Login:
        """Return how the mailbox would be opened. Raise vault.Sealed."""
        saved = self.instance
        password = self.cleaned_data["password"] or saved.password
        return Login(saved.host, saved.port, saved.username, password, saved.folder)

    def clean_address(self) -> str:
        try:
            address = clean_address(self.cleaned_data["address"])
        except BadAddress as error:
            raise forms.ValidationError(str(error.advice)) from error
        local, _at, where = address.rpartition("@")
        if set("%*") & set(local):
            raise forms.ValidationError(_("The part before the “@” may hold no “%” and no “*”."))
        name = self.instance.domain.name
        if where != name and not where.endswith(f".{name}"):  # RFC 9989 §4.4.2
            raise forms.ValidationError(
                _("The address must end in “@%(name)s”, or in a domain below.") % {"name": name}
            )
        return address

    def clean_place(self) -> str:
        found = PLACE.fullmatch(self.cleaned_data["place"].strip().lower())
        port = int(found["port"] or TLS_PORT) if found else 0
        is_local = settings.ALLOW_PRIVATE_MX and found is not None and found["host"] == "localhost"
        if found is None or not (is_local or FULL_NAME.fullmatch(found["host"])) or not 0 < port < 65_536:
            raise forms.ValidationError(_("Enter it in the form “imap.example.jp” or “imap.example.jp:993”."))
        self.instance.host, self.instance.port = found["host"], port
        return found[0]

    def clean_username(self) -> str:
        return _printable(self.cleaned_data["username"])

    def clean_folder(self) -> str:
        return _printable(self.cleaned_data["folder"])

    def clean_password(self) -> str:
        return _printable(self.cleaned_data["password"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        is_elsewhere = self.before != (self.instance.host, self.instance.port, cleaned.get("username"))
        if cleaned.get("password") == "" and is_elsewhere:
            words = _("Enter the password. It is asked again when the server or the login name changes.")
            self.add_error("password", words)
        return cleaned

    def save(self, commit: bool = True) -> ReturnMailbox:
        """Save a mailbox that opened; another one is read from its beginning."""
        mailbox: ReturnMailbox = self.instance
        if self.cleaned_data["password"]:
            mailbox.password = self.cleaned_data["password"]
        is_elsewhere = self.before != (mailbox.host, mailbox.port, mailbox.username)
        if is_elsewhere or "folder" in self.changed_data:
            mailbox.uid_validity = mailbox.last_uid = 0
        mailbox.trouble = ""
        saved: ReturnMailbox = super().save(commit)
        return saved


def _printable(text: str) -> str:
    """Return the text, unless it could end a command of IMAP."""
    if UNPRINTABLE.search(text):
        raise forms.ValidationError(_("It holds a letter that cannot be typed."))
    return text
