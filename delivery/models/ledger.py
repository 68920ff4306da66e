"""The ledger's tables. `mailsales/ledger.sql` holds every statement on them."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from campaigns.models import Campaign, Contact, Destination
from mailsales.badges import Badge
from mailsales.reasons import Reason


class Installation(models.Model):
    """One row for the whole installation. Nothing is claimed while `held_at` is set."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    held_at = models.DateTimeField(null=True)
    ticked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "installation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]

    def release(self) -> bool:
        """Let mail go again; return False when the hold is no longer the one that was read."""
        held = Installation.objects.filter(pk=self.pk, held_at__isnull=False, held_at=self.held_at)
        return held.update(held_at=None) == 1


class Rendition(models.Model):
    """The content of a campaign, frozen when it started (`delivery/compose.py` reads it)."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="+")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    content = models.BinaryField()
    frozen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "rendition"


class Fanout(models.Model):
    """The cursor that walks the list; a row of its own, so that a slice never locks the campaign."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="+")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    after_id = models.BigIntegerField(db_default=0)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "fanout"


class Lane(models.Model):
    """Which Celery task may work on a campaign: the one that brings this epoch."""

    pk = models.CompositePrimaryKey("campaign_id", "slot")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    slot = models.SmallIntegerField()
    epoch = models.IntegerField(db_default=0)
    rung_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "lane"


class Generation(models.Model):
    """One life of one worker process: once closed, it claims no more."""

    host = models.CharField(max_length=255)
    boot = models.UUIDField()
    pid = models.IntegerField()
    beat_at = models.DateTimeField(db_default=Now())
    suspect_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=10, db_default="")

    class Meta:
        db_table = "generation"


class Lease(models.Model):
    """A chunk of messages claimed by one generation."""

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="+", db_index=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    claimed_at = models.DateTimeField(db_default=Now())
    unsettled = models.IntegerField()
    message_ids = ArrayField(models.BigIntegerField())

    class Meta:
        db_table = "lease"


class MessageQuerySet(models.QuerySet["Message"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Message(models.Model):
    """One campaign for one contact, closed by the next hop's own reply.

    Rows are written by the ledger's statements alone. `address` is a snapshot taken at fan-out. No index may mention
    `status`, nor anything else that recording a `sent` changes: that keeps the record a HOT update.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        DEFERRED = "deferred", _("Deferred")
        BOUNCED = "bounced", _("Bounced")
        SUPPRESSED = "suppressed", _("Left out")
        CANCELLED = "cancelled", _("Cancelled")
        UNKNOWN = "unknown", _("Unknown")

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact, models.SET_NULL, related_name="+", null=True, db_index=False, db_constraint=False
    )
    destination = models.ForeignKey(Destination, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    address = models.CharField(max_length=254)
    status = models.CharField(max_length=20, choices=Status, db_default=Status.QUEUED)
    reason = models.CharField(max_length=20, choices=Reason, null=True)  # noqa: DJ001 -- NULL keeps ordinary rows out of the index
    due_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    lease_id = models.BigIntegerField(null=True)
    tries = models.SmallIntegerField(db_default=0)

    objects = MessageQuerySet.as_manager()

    class Meta:
        db_table = "message"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "contact"], name="one_message_per_contact"),
            models.CheckConstraint(
                condition=models.Q(due_at__isnull=False, status__in=["queued", "deferred"])
                | (models.Q(due_at=None) & ~models.Q(status__in=["queued", "deferred"])),
                name="due_while_it_waits",
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None, status__in=["queued", "deferred", "sending"])
                | (models.Q(closed_at__isnull=False) & ~models.Q(status__in=["queued", "deferred", "sending"])),
                name="closed_or_open",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="sending") | models.Q(lease_id__isnull=False), name="leased_while_sending"
            ),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "due_at", "id"], condition=models.Q(due_at__isnull=False), name="message_due"
            ),
            models.Index(
                fields=["campaign", "reason"], condition=models.Q(reason__isnull=False), name="message_reason"
            ),
            models.Index(fields=["contact"], name="message_contact"),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.status}"

    @property
    def state(self) -> Badge:
        """Return the state; what was refused as spam says so."""
        if self.status == self.Status.BOUNCED and self.reason and Reason(self.reason).is_spam:
            return Badge(_("Refused as spam"), "shield-x", "bad")
        return BADGES[self.Status(self.status)]


BADGES = {
    Message.Status.QUEUED: Badge(Message.Status.QUEUED.label, "hourglass"),
    Message.Status.SENDING: Badge(Message.Status.SENDING.label, "send", "live"),
    Message.Status.SENT: Badge(Message.Status.SENT.label, "check", "good"),
    Message.Status.DEFERRED: Badge(Message.Status.DEFERRED.label, "clock", "warn"),
    Message.Status.BOUNCED: Badge(Message.Status.BOUNCED.label, "circle-x", "bad"),
    Message.Status.SUPPRESSED: Badge(Message.Status.SUPPRESSED.label, "minus"),
    Message.Status.CANCELLED: Badge(Message.Status.CANCELLED.label, "ban"),
    Message.Status.UNKNOWN: Badge(Message.Status.UNKNOWN.label, "circle-question-mark"),
}


class Attempt(models.Model):
    """One SMTP transaction of a message under a lease, and its reply; code 0 means that none came."""

    pk = models.CompositePrimaryKey("message_id", "lease_id")
    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    message = models.ForeignKey(Message, models.CASCADE, related_name="attempts", db_index=False, db_constraint=False)
    lease_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())
    code = models.SmallIntegerField()
    command = models.CharField(max_length=8)
    host = models.CharField(max_length=255)
    text = models.CharField(max_length=500)

    class Meta:
        db_table = "attempt"


class LinkQuerySet(models.QuerySet["Link"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Link(models.Model):
    """A link of a rendition; tokens name it by its number."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="+", db_index=False)
    number = models.SmallIntegerField()
    url = models.TextField()
    label = models.CharField(max_length=200, blank=True, db_default="")

    objects = LinkQuerySet.as_manager()

    class Meta:
        db_table = "link"
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_link_per_number")]

    def __str__(self) -> str:
        return self.url
