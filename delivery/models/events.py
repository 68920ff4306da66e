"""What became of a message after the next hop had accepted it: opens, clicks, bounces, complaints, unsubscribes."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Func
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from campaigns.models import Campaign
from delivery.models.ledger import Message
from mailsales.reasons import Reason


class EventQuerySet(models.QuerySet["Event"]):
    """Events are partitioned by month, so they carry bare ids."""

    def of(self, account: Account) -> Self:
        return self.filter(account_id=account.pk)

    def by_people(self) -> Self:
        return self.filter(machine="")


class Event(models.Model):
    """What came back about a message: columns that each kind of event has."""

    pk = models.CompositePrimaryKey("at", "id")
    at = models.DateTimeField(db_default=Now())
    id = models.BigIntegerField(db_default=Func(models.Value("event_id"), function="nextval"))
    account_id = models.BigIntegerField()
    campaign_id = models.BigIntegerField()
    message_id = models.BigIntegerField()

    class Meta:
        abstract = True


class Open(Event):
    """The pixel was fetched. `machine` names what fetched it, or is empty for a person."""

    machine = models.CharField(max_length=40, db_default="")
    user_agent = models.CharField(max_length=255, db_default="")
    ip = models.GenericIPAddressField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "open"


class Click(Event):
    """A link was followed. `machine` as for Open."""

    number = models.SmallIntegerField()
    machine = models.CharField(max_length=40, db_default="")
    user_agent = models.CharField(max_length=255, db_default="")
    ip = models.GenericIPAddressField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "click"


class Bounce(Event):
    """A failure reported after the next hop had accepted the message (RFC 3464)."""

    is_hard = models.BooleanField()
    reason = models.CharField(max_length=20, choices=Reason)
    enhanced = models.CharField(max_length=12, db_default="")
    code = models.SmallIntegerField(null=True)
    text = models.CharField(max_length=500, db_default="")

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "bounce"


class Strike(models.Model):
    """A day on which an address could not be reached for the moment; enough of them suppress it (delivery/strikes.py)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=254)
    on = models.DateField()
    reason = models.CharField(max_length=20, choices=Reason)
    text = models.CharField(max_length=500, blank=True, db_default="")
    message_id = models.BigIntegerField()

    class Meta:
        db_table = "strike"
        constraints = [models.UniqueConstraint(fields=["account", "address", "on"], name="one_strike_per_day")]

    def __str__(self) -> str:
        return f"{self.address} on {self.on}"


class Complaint(models.Model):
    """A report of abuse about a message (ARF, RFC 5965)."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, related_name="+", db_constraint=False)
    at = models.DateTimeField(db_default=Now())
    feedback_type = models.CharField(max_length=20)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "complaint"


class Unsubscribe(models.Model):
    """A reader left a list through a message; the subscription itself stands in campaigns."""

    class How(models.TextChoices):
        PAGE = "page", _("Button on the page")
        ONE_CLICK = "one_click", _("Button of the mail app")
        MAIL = "mail", _("By email")

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+")
    message = models.OneToOneField(Message, models.CASCADE, related_name="+", db_constraint=False)
    at = models.DateTimeField(db_default=Now())
    how = models.CharField(max_length=20, choices=How)
    why = models.CharField(max_length=20, blank=True, db_default="")

    class Meta:
        db_table = "unsubscribe"
