"""Finding contacts by a part of address, name, kana or company, fast at a million rows behind the wall.

Words of three characters and more are found by a trigram index; shorter ones, as most Japanese family names are, by an
array of pairs of characters (docs/decisions.md §6). Full-width and half-width, upper and lower case are the same.
"""

from __future__ import annotations

import unicodedata

from django.db import connection

from accounts.models import Account
from campaigns.models import Contact, MailingList
from mailsales import wall

MOST_WORDS = 6


def words_of(typed: str) -> list[str]:
    """Return the words to look for, folded as PostgreSQL folds the search key."""
    return unicodedata.normalize("NFKC", typed.replace("\0", "")).lower().split()[:MOST_WORDS]


def find(
    account: Account,
    typed: str,
    *,
    mailing_list: MailingList | None = None,
    after: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Contact]:
    """Return contacts that hold every word, newest first: those below the key `after`, or the nearest above `before`."""
    wall.enter(account.pk)
    values = [words_of(typed), mailing_list.pk if mailing_list else None, after, before, limit]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM contact_search(%s::text[], %s::bigint, %s::bigint, %s::bigint, %s)", values)
        ids = [pk for (pk,) in cursor.fetchall()]
    return list(Contact.objects.of(account).filter(pk__in=ids).order_by("-pk"))
