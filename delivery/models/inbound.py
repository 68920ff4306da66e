"""Mail that our own two SMTP servers took: what the world sends back, and what the sandbox took in its place."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from delivery.models.ledger import BADGES, Message
from mailsales.badges import Badge


class InboundMail(models.Model):
    """A mail that came to one of our tokens: kept before it is answered 250, read by a task afterwards."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", null=True, db_index=False)
    recipient = models.CharField(max_length=320)
    mail_from = models.CharField(max_length=320, blank=True)
    raw = models.BinaryField()
    received_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=40, blank=True, db_default="")

    class Meta:
        db_table = "inbound_mail"
        indexes = [models.Index(fields=["id"], condition=models.Q(read_at=None), name="inbound_unread")]


class SandboxMailQuerySet(models.QuerySet["SandboxMail"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class SandboxMail(models.Model):
    """A mail that the sandbox took, or refused as its address asked for. `account` is None without a valid token."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", null=True, db_index=False)
    message_id = models.BigIntegerField(null=True)
    mail_from = models.CharField(max_length=320)
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=400, blank=True)
    raw = models.BinaryField()
    size = models.IntegerField()
    tls = models.CharField(max_length=20, blank=True)
    code = models.SmallIntegerField()
    reply = models.CharField(max_length=500)
    received_at = models.DateTimeField(db_default=Now())

    objects = SandboxMailQuerySet.as_manager()

    class Meta:
        db_table = "sandbox_mail"
        indexes = [models.Index(fields=["account", "-id"], name="sandbox_newest")]

    def __str__(self) -> str:
        return self.subject

    @property
    def state(self) -> Badge:
        if 200 <= self.code < 300:
            return Badge(_("Accepted"), "check", "good")
        if self.code >= 500:
            return Badge(_("Refused"), "circle-x", "bad")
        if not self.code:
            return BADGES[Message.Status.UNKNOWN]
        return Badge(_("Deferred"), "clock", "warn")
