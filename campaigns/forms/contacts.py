from __future__ import annotations

from typing import Any

from django import forms
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from campaigns.models import Contact, ContactField, Destination, MailingList, Subscription
from mailsales.addresses import BadAddress, clean_address

OWN = "own_"  # before the key of a field of the account's own


class AddressField(forms.CharField):
    """An address, folded and checked as the import does; old carriers' addresses are taken."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Email address"))
        kwargs.setdefault("max_length", 254)
        kwargs.setdefault("error_messages", {"required": _("Enter an email address.")})
        super().__init__(**kwargs)

    def clean(self, value: Any) -> str:
        typed = str(super().clean(value))
        try:
            return clean_address(typed)
        except BadAddress as error:
            raise forms.ValidationError(str(error.advice)) from error


class ContactForm(forms.Form):
    """A contact with the account's own fields; a new one is put on lists, with the basis of consent."""

    address = AddressField(widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "email"}))
    name = forms.CharField(label=_("Name"), required=False, max_length=200)

    def __init__(self, *args: Any, account: Account, contact: Contact | None = None, **kwargs: Any) -> None:
        self.account, self.contact = account, contact
        if contact:
            own = {OWN + key: value for key, value in contact.fields.items()}
            kwargs["initial"] = {"address": contact.address, "name": contact.name, **own}
        super().__init__(*args, **kwargs)
        for field in ContactField.objects.of(account):
            self.fields[OWN + field.key] = forms.CharField(label=field.label, required=False, max_length=1_000)
        if contact is None:
            self.fields["lists"] = forms.ModelMultipleChoiceField(
                MailingList.objects.of(account), label=_("Lists"), required=False, widget=forms.CheckboxSelectMultiple
            )
            self.fields["basis"] = forms.ChoiceField(
                label=_("Consent basis"),
                choices=Subscription.Basis.choices,
                widget=forms.RadioSelect,
                initial=Subscription.Basis.CONSENT,
                help_text=_("Recorded for each person, as the Japanese anti-spam law requires."),
            )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        others = Contact.objects.of(self.account).filter(address=address)
        if (others.exclude(pk=self.contact.pk) if self.contact else others).exists():
            raise forms.ValidationError(_("There is a contact with this address already."))
        return address

    def save(self) -> Contact:
        data = self.cleaned_data
        contact = self.contact or Contact(account=self.account)
        typed = {name.removeprefix(OWN): value for name, value in data.items() if name.startswith(OWN)}
        contact.fields = {
            **contact.fields,
            **{key: value for key, value in typed.items() if value or key in contact.fields},
        }
        contact.address, contact.name = data["address"], data["name"]
        contact.destination, _is_new = Destination.objects.get_or_create(name=data["address"].rpartition("@")[2])
        contact.updated_at = now()
        contact.save()
        for mailing_list in data.get("lists", ()):
            Subscription.objects.create(
                account=self.account,
                list=mailing_list,
                contact=contact,
                basis=data["basis"],
                source=str(_("Added by hand")),
            )
        return contact


class ListForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = MailingList
        fields = ("name", "about")
        help_texts = {"name": _("Readers see it, too, where they choose what they receive.")}
        error_messages = {"name": {"required": _("Enter a name for the list.")}}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = MailingList.objects.filter(account=self.instance.account, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("There is a list of this name already."))
        return name
