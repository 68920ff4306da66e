from campaigns.models.address_changes import AddressChange
from campaigns.models.campaigns import Campaign, TestSend
from campaigns.models.contacts import Contact, ContactField, Destination
from campaigns.models.imports import ContactImport, ImportRefusal
from campaigns.models.lists import MailingList, Subscription
from campaigns.models.suppressions import Suppression

__all__ = [
    "AddressChange",
    "Campaign",
    "Contact",
    "ContactField",
    "ContactImport",
    "Destination",
    "ImportRefusal",
    "MailingList",
    "Subscription",
    "Suppression",
    "TestSend",
]
