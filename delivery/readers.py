"""Who reads: the person whom a mail's token is about, for as long as anybody keeps the mail.

A message is the best witness. After it was deleted its `GoneMessage` still says for whom and through which list it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Account
from campaigns.models import Campaign, Contact, MailingList, Subscription
from campaigns.models.lists import SubscriptionQuerySet
from campaigns.suppressions import rules
from delivery.models import GoneMessage, Message
from mailsales.reasons import Reason
from mailsales.tokens import Token


@dataclass(frozen=True, slots=True)
class Reader:
    """`contact` is None once it was deleted, `list` and `campaign` likewise. `address` is the one that was mailed."""

    account: Account
    message_id: int
    address: str
    contact: Contact | None
    list: MailingList | None
    campaign: Campaign | None = None

    @property
    def addresses(self) -> Sequence[str]:
        """Return where mail may reach the reader: the address that was mailed, and the contact's present one."""
        present = self.contact.address if self.contact else self.address
        return [address for address in dict.fromkeys([self.address, present]) if address]

    @property
    def masked(self) -> str:
        """Return the address so that its owner knows it again, and nobody else learns it."""
        return masked(self.contact.address if self.contact else self.address)

    @property
    def subscriptions(self) -> SubscriptionQuerySet:
        """Return the lists that the reader is on, or was."""
        own = Subscription.objects.of(self.account)
        return own.filter(contact=self.contact) if self.contact else own.none()

    @property
    def is_on_list(self) -> bool:
        """Return whether the list of the mail is one that the reader can leave."""
        return self.list is not None and self.subscriptions.confirmed().filter(list=self.list).exists()

    @property
    def has_left(self) -> bool:
        """Return whether the reader unsubscribed from everything."""
        held = rules.suppression_of(self.account, self.addresses[-1])
        return held is not None and held.reason == Reason.UNSUBSCRIBED


def find(token: Token) -> Reader | None:
    """Return whom the token is about, or None when no record is left or the person was erased."""
    messages = Message.objects.filter(account_id=token.account_id, pk=token.row_id)
    message = messages.select_related("account", "contact", "campaign__list").first()
    if message:
        return of_message(message) if message.address else None
    gone = GoneMessage.objects.filter(account_id=token.account_id, pk=token.row_id).select_related("account").first()
    return _of_gone(gone) if gone else None


def of_message(message: Message) -> Reader:
    """Return whom the message is for; a contact that was joined with another is found by its address."""
    account, campaign = message.account, message.campaign
    contact = message.contact or _owner_of(account, message.address)
    return Reader(account, message.pk, message.address, contact, campaign.list, campaign)


def masked(address: str) -> str:
    local, _at, domain = address.rpartition("@")
    return f"{local[:2]}{'•' * max(len(local) - 2, 3)}@{domain}" if address else ""


def _of_gone(gone: GoneMessage) -> Reader:
    account = gone.account
    contact = Contact.objects.of(account).filter(pk=gone.contact_id or 0).first() or _owner_of(account, gone.address)
    mailing_list = MailingList.objects.of(account).filter(pk=gone.list_id or 0).first()
    return Reader(account, gone.message_id, gone.address, contact, mailing_list)


def _owner_of(account: Account, address: str) -> Contact | None:
    return Contact.objects.of(account).filter(address=address).first()
