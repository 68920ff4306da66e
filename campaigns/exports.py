"""Contacts as a CSV file, streamed: for Excel in Shift_JIS (CP932), or UTF-8 with a byte order mark."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.models import Account
from campaigns.models import Contact, ContactField
from mailsales.csv_files import csv_response, unsayable

CHUNK = 2_000


def missing_letters(account: Account) -> list[str]:
    """Return the characters in names and fields that CP932 cannot hold, as far as the newest contacts show."""
    newest = Contact.objects.of(account).order_by("-pk").values_list("name", "fields")[:10_000]
    return unsayable((text for name, fields in newest for text in (name, *map(str, fields.values()))), "cp932")


def contacts_csv(account: Account, encoding: str) -> StreamingHttpResponse:
    return csv_response(_rows(account), encoding, "contacts.csv")


def _rows(account: Account) -> Iterator[list[object]]:
    fields = list(ContactField.objects.of(account))
    yield [_("Address"), _("Name"), *(field.label for field in fields)]
    after = 0
    while found := list(Contact.objects.of(account).filter(pk__gt=after).order_by("pk")[:CHUNK]):
        for contact in found:
            yield [contact.address, contact.name, *(contact.fields.get(field.key, "") for field in fields)]
        after = found[-1].pk
