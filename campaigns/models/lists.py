from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from campaigns.models.contacts import Contact


class MailingListQuerySet(models.QuerySet["MailingList"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class MailingList(models.Model):
    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(_("List name"), max_length=100)
    about = models.CharField(_("What it is for"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    contacts = models.ManyToManyField(Contact, through="Subscription", related_name="lists")

    objects = MailingListQuerySet.as_manager()

    class Meta:
        db_table = "mailing_list"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="one_list_per_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:list_detail", args=[self.pk])


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def confirmed(self) -> Self:
        return self.filter(status=Subscription.Status.CONFIRMED)


class Subscription(models.Model):
    """A contact on a list, with the consent on which it rests (特定電子メール法 第3条)."""

    class Status(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("Awaiting confirmation")
        CONFIRMED = "confirmed", _("Reachable")
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")

    class Basis(models.TextChoices):
        CONSENT = "consent", _("Their own consent")
        RELATIONSHIP = "relationship", _("Business relationship")
        CARD = "card", _("Business card or other document")
        PUBLISHED = "published", _("Published address")

    pk = models.CompositePrimaryKey("list_id", "contact_id")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    list = models.ForeignKey(MailingList, models.CASCADE, related_name="subscriptions", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="subscriptions")
    status = models.CharField(max_length=20, choices=Status, default=Status.CONFIRMED)
    basis = models.CharField(_("Consent basis"), max_length=20, choices=Basis)
    source = models.CharField(max_length=200, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    unsubscribed_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        db_table = "subscription"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="unsubscribed", unsubscribed_at__isnull=False)
                | (~models.Q(status="unsubscribed") & models.Q(unsubscribed_at__isnull=True)),
                name="unsubscribed_has_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} on {self.list_id}: {self.status}"
