from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class Destination(models.Model):
    """A domain to which mail goes. Shared by all accounts: it says nothing about anybody."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=253, unique=True)

    class Meta:
        db_table = "destination"

    def __str__(self) -> str:
        return self.name


class ContactFieldQuerySet(models.QuerySet["ContactField"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class ContactField(models.Model):
    """A field of the account's own; `key` is its merge tag and its key in `Contact.fields`."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    key = models.CharField(max_length=40)
    label = models.CharField(_("Field"), max_length=100)
    position = models.PositiveSmallIntegerField(default=0)

    objects = ContactFieldQuerySet.as_manager()

    class Meta:
        db_table = "contact_field"
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "key"], name="one_field_per_key"),
            models.CheckConstraint(condition=models.Q(key__regex=r"^[a-z][a-z0-9_]*$"), name="a_key_is_a_merge_tag"),
        ]

    def __str__(self) -> str:
        return self.label


class ContactQuerySet(models.QuerySet["Contact"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Contact(models.Model):
    """A person whom an account may mail.

    `search_key` and `bigrams` are made by PostgreSQL from the address, the name and the fields `kana` and `company`:
    see `campaigns/search.py`.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(_("Email address"), max_length=254)
    destination = models.ForeignKey(Destination, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(_("Name"), max_length=200, blank=True, db_default="")
    fields = models.JSONField(default=dict, blank=True, db_default={})
    created_at = models.DateTimeField(db_default=models.functions.Now())
    updated_at = models.DateTimeField(db_default=models.functions.Now())
    search_key = models.GeneratedField(
        expression=Func(F("address"), F("name"), F("fields"), function="contact_search_key"),
        output_field=models.TextField(),
        db_persist=True,
    )
    bigrams = models.GeneratedField(
        expression=Func(F("address"), F("name"), F("fields"), function="contact_bigrams"),
        output_field=ArrayField(models.TextField()),
        db_persist=True,
    )

    objects = ContactQuerySet.as_manager()

    class Meta:
        db_table = "contact"
        indexes = [models.Index(fields=["account", "id"], name="contact_by_account")]
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="one_contact_per_address")]

    def __str__(self) -> str:
        return self.address

    def get_absolute_url(self) -> str:
        return reverse("campaigns:contact_detail", args=[self.pk])
