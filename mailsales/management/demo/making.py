"""The demo account: its user, people and campaigns, made in one transaction and removed without a trace."""

from __future__ import annotations

import os
import random
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts.domains.making import make_domain
from accounts.models import Account, Membership, Sender, User
from campaigns.models import Campaign, Contact, ContactField, ContactImport, Destination, MailingList, Subscription
from mailsales.management.demo import texts
from mailsales.management.demo.history import Reader, send_in_the_past
from mailsales.management.demo.people import Person, people
from mailsales.management.demo.rows import copy
from mailsales.management.erasing import erase

LOGIN = "demo"
DOMAIN = "aoba.example.jp"
PEOPLE, NEWCOMERS = 2_000, 120  # the newcomers came after the sent campaign
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
FIELDS = {
    "kana": "フリガナ",
    "company": "会社名",
    "prefecture": "都道府県",
    "member_no": "会員番号",
    "points": "ポイント",
}


def make() -> str:
    """Make the demo; return its password. Where there is one already, nothing changes but a password nobody knows."""
    if (user := User.objects.filter(username=LOGIN).first()) and Account.objects.filter(is_demo=True, members=user):
        known = read_password()
        if user.check_password(known):
            return known
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
    with transaction.atomic():
        user, _is_new = User.objects.get_or_create(
            username=LOGIN,
            defaults={"email": f"{LOGIN}@{DOMAIN}", "last_name": "田中", "first_name": "美咲"},
        )
        user.set_password(password)
        user.save(update_fields=["password"])
        if not Account.objects.filter(is_demo=True, members=user).exists():
            _fill(user)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contact, subscription, message, attempt, open, click")
    write_sign_in(password)
    return password


def remove() -> int:
    """Remove every demo account with its user; return how many rows went."""
    removed = 0
    for account in Account.objects.filter(is_demo=True):
        for upload in ContactImport.objects.of(account):
            upload.file.delete(save=False)
        removed += erase(account.pk)
    removed += User.objects.filter(username=LOGIN, membership=None).delete()[0]
    sign_in_file().unlink(missing_ok=True)
    return removed


def sign_in_file() -> Path:
    return Path(settings.VAR) / "demo.txt"


def read_password() -> str:
    """Return the password that was written down, or nothing."""
    try:
        _login, password, *_rest = sign_in_file().read_text().split("\n")
    except (OSError, ValueError):
        return ""
    return password


def write_sign_in(password: str) -> None:
    """Write down how to sign in, for the owner of the folder alone."""
    path = sign_in_file()
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{LOGIN}\n{password}\n")


# -- inside ------------------------------------------------------------------------------------


def _fill(user: User) -> None:
    chance = random.Random(2026)  # noqa: S311 -- the same people each time
    account = Account.objects.create(
        name="株式会社青葉商店",
        postal_address="〒604-0000 京都府京都市中京区青葉町1-2-3",
        complaint_address=f"support@{DOMAIN}",
        is_demo=True,
    )
    Membership.objects.create(account=account, user=user, role=Membership.Role.OWNER)
    sender = Sender.objects.create(
        account=account, domain=make_domain(account, DOMAIN), name="青葉商店", address=f"tayori@{DOMAIN}"
    )
    ContactField.objects.bulk_create(
        ContactField(account=account, key=key, label=label, position=place)
        for place, (key, label) in enumerate(FIELDS.items())
    )
    mailing_list = MailingList.objects.create(account=account, name="青葉だより", about="季節のお知らせを月に二回")
    start = _some_days_ago()
    readers = _write_people(mailing_list, people(PEOPLE, chance), start)
    sent, _draft = _write_campaigns(mailing_list, sender, user)
    send_in_the_past(sent, readers[:-NEWCOMERS], start, chance)


def _some_days_ago() -> datetime:
    """Return ten in the morning of the day four days ago."""
    day = timezone.localtime() - timedelta(days=4)
    return day.replace(hour=10, minute=0, second=0, microsecond=0)


def _write_people(mailing_list: MailingList, found: list[Person], start: datetime) -> list[Reader]:
    """Write contacts who joined over the last year, the newcomers after the sent campaign; all are on the list."""
    account = mailing_list.account
    names = {person.address.partition("@")[2] for person in found}
    Destination.objects.bulk_create((Destination(name=name) for name in sorted(names)), ignore_conflicts=True)
    destinations = dict(Destination.objects.filter(name__in=names).values_list("name", "pk"))
    old, step = len(found) - NEWCOMERS, timedelta(days=365) / len(found)
    rows, readers = [], []
    for place, person in enumerate(found):
        destination = destinations[person.address.partition("@")[2]]
        joined = start - (old - place) * step if place < old else start + (place - old + 1) * timedelta(minutes=10)
        rows.append((account.pk, person.address, destination, person.name, Jsonb(person.fields), joined, joined))
    copy("contact", "account_id address destination_id name fields created_at updated_at", rows)
    known = {address: pk for pk, address in Contact.objects.of(account).values_list("pk", "address")}
    for person, row in zip(found, rows, strict=True):
        readers.append(Reader(known[person.address], row[2], person))
    guests = MailingList.objects.create(account=account, name="お茶会のご案内", about="京都の店での催しを季節ごとに")
    joined_at = [(reader.contact_id, row[5]) for reader, row in zip(readers, rows, strict=True)]
    _subscribe(mailing_list, joined_at, "店頭とウェブの会員登録")
    _subscribe(guests, joined_at[::6], "お茶会の受付")
    return readers


def _subscribe(mailing_list: MailingList, joined_at: list[tuple[int, datetime]], source: str) -> None:
    basis = (Subscription.Basis.CONSENT, Subscription.Basis.CONSENT, Subscription.Basis.RELATIONSHIP)
    copy("subscription", "list_id contact_id account_id status basis source created_at", (
        (mailing_list.pk, contact_id, mailing_list.account_id, "confirmed", str(basis[place % 3]), source, at)
        for place, (contact_id, at) in enumerate(joined_at)
    ))  # fmt: skip


def _write_campaigns(mailing_list: MailingList, sender: Sender, user: User) -> tuple[Campaign, Campaign]:
    """Write two drafts: the one that will have been sent, and the one that is ready to go."""
    own = {"account": mailing_list.account, "list": mailing_list, "sender": sender, "created_by": user}
    sent = Campaign.objects.create(
        name="秋摘み茶のご案内",
        subject=texts.SENT_SUBJECT,
        preheader=texts.SENT_PREHEADER,
        html=texts.SENT_HTML,
        **own,
    )
    draft = Campaign.objects.create(
        name="年末の特別セット",
        subject=texts.DRAFT_SUBJECT,
        preheader=texts.DRAFT_PREHEADER,
        html=texts.DRAFT_HTML,
        **own,
    )
    return sent, draft
