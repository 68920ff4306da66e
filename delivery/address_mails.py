"""The two mails of a change of address: one asks the new address to confirm, one tells the old address.

They are in the language in which the reader asked. `campaigns.address_changes` says what a change is.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import Notice
from campaigns import address_changes
from campaigns.models import AddressChange, Contact
from delivery import readers
from mailsales import tokens


@transaction.atomic
def ask(contact: Contact, address: str) -> AddressChange | None:
    """Keep the wish and mail the new address, if it may be mailed; None when the contact wished too often today."""
    change = address_changes.ask(contact, address)
    if change and address_changes.may_be_asked(change):
        _ask_to_confirm(change)
    return change


@transaction.atomic
def move(change: AddressChange, ip: str | None) -> None:
    """Let the contact have the new address, once, and tell the old one."""
    old = change.contact.address
    if address_changes.confirm(change):
        audit.note_of_reader(change.account, ip, "contact.move", change.address, old=old)
        _tell_of_change(change, old)


def _ask_to_confirm(change: AddressChange) -> None:
    token = tokens.change_token(change.account_id, change.pk)
    url = settings.TRACKING_URL + reverse("delivery:address_confirm", args=[token])
    text = _(
        "Somebody asked %(name)s to send its emails to this address from now on.\n\n"
        "If it was you, open this page within three days and press the button:\n%(url)s\n\n"
        "If it was not you, there is nothing to do: nothing changes."
    ) % {"name": change.account.name, "url": url}
    subject = _("%(name)s: please confirm your new address") % {"name": change.account.name}
    Notice.objects.create(account=change.account, address=change.address, subject=subject, text=text)


def _tell_of_change(change: AddressChange, old: str) -> None:
    """Tell the old address, so that nobody moves away unasked."""
    if address_changes.is_refused(change.account, old):
        return
    text = _(
        "As you wished, the emails of %(name)s go to another address from now on: %(masked)s\n\n"
        "If it was not you, please write to %(contact)s."
    ) % {
        "name": change.account.name,
        "masked": readers.masked(change.address),
        "contact": change.account.complaint_address or change.account.name,
    }
    subject = _("%(name)s: your address was changed") % {"name": change.account.name}
    Notice.objects.create(account=change.account, address=old, subject=subject, text=text)
