"""Whom deleted messages were for: links in mail must work for years."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now

from accounts.models import Account


class GoneMessageQuerySet(models.QuerySet["GoneMessage"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class GoneMessage(models.Model):
    """What is left of a message that may have gone out and was deleted since, with its campaign or by itself.

    PostgreSQL writes these rows itself (migration 0005), whoever deletes the message and however; with the account
    they go. `contact_id` and `list_id` are bare: what they name may be gone too.
    """

    message_id = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    contact_id = models.BigIntegerField(null=True)
    list_id = models.BigIntegerField(null=True)
    address = models.CharField(max_length=254)
    gone_at = models.DateTimeField(db_default=Now())

    objects = GoneMessageQuerySet.as_manager()

    class Meta:
        db_table = "gone_message"

    def __str__(self) -> str:
        return self.address
