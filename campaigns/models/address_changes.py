from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now

from accounts.models import Account
from campaigns.models.contacts import Contact


class AddressChangeQuerySet(models.QuerySet["AddressChange"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class AddressChange(models.Model):
    """A reader's wish to get mail at another address, in force once they confirm it from there."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    address = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = AddressChangeQuerySet.as_manager()

    class Meta:
        db_table = "address_change"

    def __str__(self) -> str:
        return f"{self.contact} to {self.address}"
