"""Mail that our own two SMTP servers took: what the world sends back, and what the sandbox took in its place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Domain
from delivery.models.ledger import BADGES, Message
from mailsales import vault
from mailsales.badges import Badge

READ_AFTER, READ_AFTER_TROUBLE = timedelta(seconds=50), timedelta(minutes=15)


class InboundMail(models.Model):
    """A mail that came back to us, over SMTP or out of a mailbox: kept before that is confirmed, read by a task afterwards.

    `account` is None where no valid token said whose it is: it is kept for the operator and changes nothing.
    """

    class Source(models.TextChoices):
        SMTP = "smtp", "SMTP"
        IMAP = "imap", "IMAP"

    class Outcome(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("Undeliverable for good")
        SOFT_BOUNCE = "soft_bounce", _("Undeliverable for now")
        COMPLAINT = "complaint", _("Complaint")
        UNSUBSCRIBE = "unsubscribe", _("Unsubscribed")
        REPEATED = "repeated", _("Known already")
        DELAYED = "delayed", _("Delayed")
        DELIVERED = "delivered", _("Delivered")
        FEEDBACK = "feedback", _("Report that blames nobody")
        AUTOMATIC = "automatic", _("Automatic reply")
        NO_REPORT = "no_report", _("No report")
        TEST = "test", _("About a test send")
        NOTICE = "notice", _("Mail of the system came back")
        MESSAGE_GONE = "message_gone", _("About a deleted message")
        FORGED = "forged", _("Forged or damaged address")
        NO_TOKEN = "no_token", _("Report about no mail of ours")
        FOR_OPERATOR = "for_operator", _("For a person to read")
        UNREADABLE = "unreadable", _("Unreadable")

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", null=True, db_index=False, verbose_name=_("Account")
    )
    recipient = models.CharField(_("Recipient"), max_length=320)
    mail_from = models.CharField(_("Envelope sender"), max_length=320, blank=True)
    raw = models.BinaryField()
    source = models.CharField(_("Came by"), max_length=4, choices=Source, default=Source.SMTP, db_default=Source.SMTP)
    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    remote_id = models.CharField(max_length=200, null=True, blank=True, unique=True)  # "mailbox:uidvalidity:uid"
    received_at = models.DateTimeField(_("Received"), db_default=Now())
    read_at = models.DateTimeField(_("Read"), null=True)
    outcome = models.CharField(_("Result"), max_length=40, choices=Outcome, blank=True, db_default="")

    class Meta:
        db_table = "inbound_mail"
        verbose_name = _("returned mail")
        verbose_name_plural = _("returned mails")
        indexes = [
            models.Index(fields=["id"], condition=models.Q(read_at=None), name="inbound_unread"),
            models.Index(fields=["received_at"], name="inbound_received"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} ({self.pk})"


class ReturnMailboxQuerySet(models.QuerySet["ReturnMailbox"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def due(self, now: datetime) -> Self:
        """Those to be read: every minute, and seldom while there is trouble, since providers lock who knocks too often."""
        is_due = models.Q(read_at=None) | models.Q(trouble="", read_at__lt=now - READ_AFTER)
        return self.filter(is_due | models.Q(read_at__lt=now - READ_AFTER_TROUBLE))


class ReturnMailbox(models.Model):
    """A mailbox that takes a domain's returned mail, read over IMAP (RFC 9051): for who cannot point an MX record here.

    Envelope senders become its address, with the token behind a plus sign if `takes_plus` (RFC 5233), else without.
    Mails up to `last_uid` were looked at. `trouble` is what the last reading failed at, or empty.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name=_("Account"))
    domain = models.OneToOneField(Domain, models.CASCADE, related_name="+", verbose_name=_("Domain"))
    address = models.EmailField(_("Address of the mailbox"), max_length=254)
    takes_plus = models.BooleanField(_("It takes addresses with a plus sign"), default=True)
    host = models.CharField(_("IMAP server"), max_length=253)
    port = models.PositiveIntegerField(_("Port"), default=993)
    username = models.CharField(_("Login name"), max_length=254)
    sealed_password = models.TextField()
    folder = models.CharField(_("Folder"), max_length=100, default="INBOX")
    uid_validity = models.BigIntegerField(default=0, db_default=0)  # of `last_uid` (RFC 9051 §2.3.1.1)
    last_uid = models.BigIntegerField(default=0, db_default=0)
    read_at = models.DateTimeField(_("Read"), null=True, blank=True)
    trouble = models.CharField(_("Trouble"), max_length=500, blank=True, db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReturnMailboxQuerySet.as_manager()

    class Meta:
        db_table = "return_mailbox"
        verbose_name = _("return mailbox")
        verbose_name_plural = _("return mailboxes")

    def __str__(self) -> str:
        return self.address

    @property
    def password(self) -> str:
        """Return it in clear. Raise `vault.Sealed` under another SECRET_KEY."""
        return vault.unseal(self.sealed_password)

    @password.setter
    def password(self, password: str) -> None:
        self.sealed_password = vault.seal(password)


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
