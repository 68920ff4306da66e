"""Builders of rows for tests: plain functions whose keyword arguments are the model's fields."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from django.utils.timezone import now

from accounts.models import Account, Domain, Sender
from campaigns.models import Campaign, Contact, Destination, MailingList, Subscription
from delivery.compose import Content
from delivery.models import Message


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
    """Make a sender of a proven domain, unless another account holds it."""
    is_held = Domain.objects.proven().exclude(account=account).filter(name="aoba.example.jp").exists()
    proven = {} if is_held else {"proven_at": now(), "checked_at": now(), "state": Domain.State.GOOD}
    domain, _made = Domain.objects.get_or_create(account=account, name="aoba.example.jp", defaults=proven)
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


def make_content(**fields: Any) -> Content:
    """Make what a finished campaign says; it needs no database."""
    values: dict[str, Any] = {
        "account_id": 7,
        "campaign_id": 12,
        "list_id": 3,
        "sender_name": "青葉商店",
        "sender_address": "tayori@aoba.example.jp",
        "domain": "aoba.example.jp",
        "bounce_domain": "bounce.aoba.example.jp",
        "subject": "{{ name }}様、新茶フェアを開きます",
        "html": '<html><body><p>{{ name }}様</p><a href="https://aoba.example.jp/?a=1&amp;b=2">新茶</a></body></html>',
        "text": "{{ name }}様\n\n新茶\nhttps://aoba.example.jp/?a=1&b=2\n{{ unsubscribe_url }}\n",
    }
    return Content(**values | fields)


def make_message(campaign: Campaign, contact: Contact, **fields: Any) -> Message:
    """Make the message of a campaign for a contact: queued and due, unless a status is asked for."""
    values: dict[str, Any] = {"status": Message.Status.QUEUED} | fields
    is_waiting = values["status"] in (Message.Status.QUEUED, Message.Status.DEFERRED)
    is_open = is_waiting or values["status"] == Message.Status.SENDING
    times = {"due_at": now() if is_waiting else None, "closed_at": None if is_open else now()}
    return Message.objects.create(
        account=campaign.account,
        campaign=campaign,
        contact=contact,
        destination=contact.destination,
        address=contact.address,
        **times | values,
    )


def make_png(width: int, height: int, color: tuple[int, int, int] = (20, 90, 60)) -> bytes:
    """Return a picture of one colour (W3C PNG §5)."""
    rows = (b"\0" + bytes(color) * width) * height
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
