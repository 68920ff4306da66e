from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models.functions import Now

from accounts.models import Account, User
from mailsales.reasons import Reason


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def in_force(self) -> Self:
        return self.filter(models.Q(retry_at=None) | models.Q(retry_at__gt=Now()))


class Suppression(models.Model):
    """An address that is not mailed: by one account, or by nobody (`account` is None).

    "*@example.jp" stands for every address of that domain. From `retry_at` on it counts no more; None is for good.
    `evidence` is a copy, not a reference: {"text": the server's or reporter's words, "campaign": name, "list": name}.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", null=True, blank=True)
    address = models.CharField(max_length=254)
    reason = models.CharField(max_length=20, choices=Reason)
    evidence = models.JSONField(default=dict, blank=True, db_default={})
    retry_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        db_table = "suppression"
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
