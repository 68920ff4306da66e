"""Builders of rows for tests: plain functions whose keyword arguments are the model's fields."""

from __future__ import annotations

from typing import Any

from accounts.models import Account, Domain, Sender
from campaigns.models import Campaign, Contact, Destination, MailingList, Subscription


def make_contact(account: Account, *lists: MailingList, **fields: Any) -> Contact:
    """Make a contact, confirmed on the lists."""
    values = {"address": "hanako.sato@example.jp", "name": "佐藤 花子"} | fields
    destination, _made = Destination.objects.get_or_create(name=values["address"].rpartition("@")[2])
    contact = Contact.objects.create(account=account, destination=destination, **values)
    for mailing_list in lists:
        Subscription.objects.create(
            account=account, list=mailing_list, contact=contact, basis=Subscription.Basis.CONSENT
        )
    return contact


def make_list(account: Account, **fields: Any) -> MailingList:
    return MailingList.objects.create(account=account, **{"name": "青葉だより"} | fields)


def make_sender(account: Account, **fields: Any) -> Sender:
    domain, _made = Domain.objects.get_or_create(account=account, name="aoba.example.jp")
    return Sender.objects.create(
        account=account, domain=domain, **{"name": "青葉商店", "address": "tayori@aoba.example.jp"} | fields
    )


def make_campaign(account: Account, **fields: Any) -> Campaign:
    """Make a draft; whatever else is asked for is up to the caller."""
    values: dict[str, Any] = {
        "name": "新茶フェアのご案内",
        "subject": "{{ name }}様、新茶フェアを開きます",
        "html": "<p>こんにちは</p>",
    }
    return Campaign.objects.create(account=account, **values | fields)
