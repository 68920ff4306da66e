from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from mailsales.reasons import Reason

READERS_OWN = frozenset({Reason.UNSUBSCRIBED, Reason.COMPLAINT, Reason.PAUSED})  # only the reader can undo them


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def binding(self, account: Account) -> Self:
        """Return what holds for the account: its own, and everybody's."""
        return self.filter(models.Q(account=account) | models.Q(account=None))

    def in_force(self) -> Self:
        return self.filter(models.Q(retry_at=None) | models.Q(retry_at__gt=Now()))


class Suppression(models.Model):
    """An address that is not mailed: by one account, or by nobody (`account` is None).

    "*@example.jp" stands for every address of that domain. From `retry_at` on it counts no more; None is for good.
    `evidence` is a copy, not a reference: {"text": the server's or reporter's words, or what a person noted, "campaign": name,
    "list": name, "days": the days of a soft failure, "file": the imported file's name, "by_hand": the note of an entry that
    an unsubscribe replaced}, each only where there is one.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", null=True, blank=True)
    address = models.CharField(_("Address or domain"), max_length=254)
    reason = models.CharField(max_length=20, choices=Reason)
    evidence = models.JSONField(default=dict, blank=True, db_default={})
    retry_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        db_table = "suppression"
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        indexes = [
            models.Index(fields=["account", "id"], name="suppression_by_account"),
            models.Index(fields=["account", "reason", "id"], name="suppression_by_reason"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["address", "account"], name="one_suppression_per_address", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def is_pattern(self) -> bool:
        return self.address.startswith("*@")

    @property
    def is_shared(self) -> bool:
        """Return whether it holds for every account of the installation."""
        return self.account_id is None

    @property
    def is_readers_own(self) -> bool:
        return self.reason in READERS_OWN

    @property
    def has_ended(self) -> bool:
        return self.retry_at is not None and self.retry_at <= now()
