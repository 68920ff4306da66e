"""What is written down: mail of the system to people, and who did what."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models.people import Account, User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def waiting(self) -> Self:
        return self.filter(settled_at=None)


class Notice(models.Model):
    """A plain mail of the system itself to one person: a row is all that is needed, `delivery` sends it.

    `due_at` moves with each failed try; `settled_at` is set when it was accepted, or given up. `reply` is the last.
    """

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("Account")
    )
    address = models.CharField(_("Address"), max_length=254)
    subject = models.CharField(_("Subject"), max_length=200)
    text = models.TextField(_("Text"))
    created_at = models.DateTimeField(_("Created"), db_default=Now())
    due_at = models.DateTimeField(_("Next try"), db_default=Now())
    tries = models.PositiveSmallIntegerField(_("Tries"), default=0, db_default=0)
    settled_at = models.DateTimeField(_("Settled"), null=True, blank=True)
    is_sent = models.BooleanField(_("Sent"), default=False, db_default=False)
    reply = models.CharField(_("Reply"), max_length=500, blank=True, db_default="")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        db_table = "notice"
        verbose_name = _("mail of the system")
        verbose_name_plural = _("mails of the system")
        indexes = [models.Index(fields=["due_at"], condition=models.Q(settled_at=None), name="notice_waiting")]

    def __str__(self) -> str:
        return self.subject


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class AuditEntry(models.Model):
    """Who did what: `action` in the form "suppression.release", `about` names what it was done to.

    `user` is None for what the system did by itself; `details` holds what is needed to understand it later, no secrets.
    """

    account = models.ForeignKey(
        Account, models.CASCADE, related_name="+", null=True, blank=True, verbose_name=_("Account")
    )
    user = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True, blank=True, verbose_name=_("User"))
    at = models.DateTimeField(_("Time"), db_default=Now())
    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    action = models.CharField(_("Action"), max_length=60)
    about = models.CharField(_("Concerns"), max_length=300, blank=True)
    details = models.JSONField(_("Details"), default=dict, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        db_table = "audit_entry"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["account", "-id"], name="audit_newest")]

    def __str__(self) -> str:
        return f"{self.action} {self.about}"
