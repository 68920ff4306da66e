from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Sender
from campaigns.models import Campaign, Contact, MailingList
from campaigns.rich import RichText, is_held
from mailsales.addresses import BadAddress, clean_address

MOST_TESTS = 5  # as the form says


class CampaignNameForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Campaign
        fields = ("name", "list", "sender")
        help_texts = {"name": _("For you alone: readers never see it.")}
        error_messages = {"name": {"required": _("Enter a name.")}}

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, account)


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything that is written. `editor` is the mode in which the body was typed; `switch` asks for the other."""

    editor = forms.ChoiceField(choices=Campaign.Editor, widget=forms.HiddenInput)

    class Meta:
        model = Campaign
        fields = ("name", "subject", "preheader", "sender", "list", "editor", "html", "has_own_text", "text")
        help_texts = {
            "subject": _("Up to 20 full-width characters show in full on a phone."),
            "preheader": _("The line after the subject in the inbox."),
        }
        labels = {"has_own_text": _("Send this text instead of the automatic one"), "text": _("Text version")}
        error_messages = {"name": {"required": _("Enter a name.")}}
        widgets = {
            "html": forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "autocomplete": "off", "data-code": ""}),
            "text": forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, account)
        if self.instance.editor == Campaign.Editor.RICH:
            self.fields["html"].widget = RichText()
        self.fields["html"].widget.attrs["aria-labelledby"] = "body-title"

    def clean(self) -> dict[str, Any]:
        """Refuse a switch to the simple editor that would lose a part of the body."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        wanted = self.data.get("switch", "")
        if wanted == Campaign.Editor.RICH and not is_held(cleaned.get("html", "")):
            message = _(
                "The simple editor cannot show all of this HTML (tables, styles and the like), so it stays here."
            )
            self.add_error("html", message)
        elif wanted in Campaign.Editor.values:
            cleaned["editor"] = wanted
        return cleaned


class PreviewForm(forms.Form):
    """Whose mail to show: an address of the account, or empty for somebody of whom nothing is known."""

    contact = forms.CharField(
        label=_("The email this person gets"),
        required=False,
        widget=forms.TextInput(
            attrs={"list": "preview-people", "placeholder": _("Address of a contact"), "autocomplete": "off"}
        ),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean_contact(self) -> Contact | None:
        typed = self.cleaned_data["contact"].strip()
        if not typed:
            return None
        contact = Contact.objects.of(self.account).filter(address=typed).first()
        if contact is None:
            raise forms.ValidationError(_("There is no contact with this address."))
        return contact


class CampaignTestForm(forms.Form):
    addresses = forms.CharField(
        label=_("Send the test to"),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Up to 5 addresses, one a line."),
        error_messages={"required": _("Enter an email address.")},
    )

    def clean_addresses(self) -> list[str]:
        typed = self.cleaned_data["addresses"].replace(",", "\n").replace("、", "\n").split("\n")
        try:
            addresses = list(dict.fromkeys(clean_address(line) for line in typed if line.strip()))
        except BadAddress as error:
            raise forms.ValidationError(str(error.advice)) from error
        if len(addresses) > MOST_TESTS:
            raise forms.ValidationError(_("Send a test to %(count)d addresses at most.") % {"count": MOST_TESTS})
        return addresses


class ScheduleForm(forms.Form):
    """When to send, in the account's zone, which the request has activated."""

    NOW, LATER = "now", "later"
    when = forms.ChoiceField(
        label=_("When should it go out?"),
        choices=[(NOW, _("Send now")), (LATER, _("Choose a date and time"))],
        widget=forms.RadioSelect,
    )
    date = forms.DateField(
        label=_("Date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a date.")},
    )
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": _("Enter a time, such as 10:07.")},
    )

    def clean(self) -> dict[str, Any]:
        """Set `send_at`: None is now."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["send_at"] = None
        if cleaned.get("when") != self.LATER:
            return cleaned
        for name, message in (("date", _("Enter a date.")), ("time", _("Enter a time, such as 10:07."))):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, message)
        if self.errors:
            return cleaned
        send_at = timezone.make_aware(datetime.combine(cleaned["date"], cleaned["time"]))
        if send_at < timezone.now():
            self.add_error("time", _("This time has passed. Choose one in the future."))
        elif send_at > timezone.now() + timedelta(days=366):
            self.add_error("date", _("Choose a date within a year."))
        cleaned["send_at"] = send_at
        return cleaned


def _offer(form: forms.ModelForm, account: Account) -> None:  # type: ignore[type-arg]
    """Let the form choose among the account's own lists and senders."""
    lists, senders = form.fields["list"], form.fields["sender"]
    if isinstance(lists, forms.ModelChoiceField) and isinstance(senders, forms.ModelChoiceField):
        lists.queryset, lists.empty_label = MailingList.objects.of(account), _("Choose a list")
        senders.queryset, senders.empty_label = Sender.objects.of(account), _("Choose a sender")
