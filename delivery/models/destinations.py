"""What is known about where mail goes: what holds it back, which servers take it, and how they encrypt.

None of it belongs to an account: destinations are the same for all.
"""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.models import Domain
from campaigns.models import Destination
from mailsales.providers import Provider
from mailsales.reasons import Reason


class ThrottleQuerySet(models.QuerySet["Throttle"]):
    def active(self) -> Self:
        return self.filter(until__gt=now())


class Throttle(models.Model):
    """What holds mail back on a route: nothing goes (`rate` 0) or only so much, until then.

    `scope` is a destination group ("docomo") or one site of it (its MX set); `text` is the reply that was the reason.
    """

    class Maker(models.TextChoices):
        RULE = "rule", _("the receiver’s reply")
        FAILURE = "failure", _("no connection")
        PERSON = "person", _("an operator")

    route = models.CharField(max_length=200)
    scope = models.CharField(max_length=255)
    rate = models.FloatField(db_default=0)  # messages a second of the whole installation
    connections = models.SmallIntegerField(null=True)
    until = models.DateTimeField()
    reason = models.CharField(max_length=20, choices=Reason, db_default=Reason.RATE_LIMITED)
    code = models.SmallIntegerField(db_default=0)
    text = models.CharField(max_length=500, blank=True, db_default="")
    host = models.CharField(max_length=255, blank=True, db_default="")
    made_by = models.CharField(max_length=10, choices=Maker)
    made_at = models.DateTimeField(db_default=Now())
    failures = models.SmallIntegerField(db_default=0)  # in a row, of connections

    objects = ThrottleQuerySet.as_manager()

    class Meta:
        db_table = "throttle"
        constraints = [models.UniqueConstraint(fields=["route", "scope"], name="one_throttle_per_scope")]

    def __str__(self) -> str:
        return f"{self.scope} on {self.route} until {self.until:%F %T}"

    @property
    def is_suspended(self) -> bool:
        return self.rate == 0


class DestinationGroup(models.Model):
    """Where a destination's mail was last found to go: its group, by which it is shaped, and its site (its MX set)."""

    destination = models.OneToOneField(Destination, models.CASCADE, primary_key=True, related_name="+")
    group = models.CharField(max_length=255)
    site = models.CharField(max_length=255)
    found_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "destination_group"
        indexes = [models.Index(fields=["group"], name="destination_group_group")]

    def __str__(self) -> str:
        return f"{self.destination_id}: {self.group}"


class BrokenTls(models.Model):
    """A host whose STARTTLS failed: spoken to in the clear until then, where no policy demands encryption."""

    host = models.CharField(primary_key=True, max_length=255)
    until = models.DateTimeField()
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "broken_tls"

    def __str__(self) -> str:
        return self.host


class StsPolicy(models.Model):
    """A domain's MTA-STS policy as last fetched (RFC 8461 §3.2). Without `policy_id` the domain had none."""

    domain = models.CharField(primary_key=True, max_length=253)
    policy_id = models.CharField(max_length=32, blank=True)
    mode = models.CharField(max_length=10, blank=True)
    mx = ArrayField(models.CharField(max_length=255), default=list)
    text = models.TextField(blank=True)
    fetched_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "sts_policy"

    def __str__(self) -> str:
        return f"{self.domain}: {self.mode}"


class TlsResult(models.Model):
    """How many sessions of a UTC day ended so, for the daily report (RFC 8460 §4). `result` is empty for a success."""

    on = models.DateField()
    domain = models.CharField(max_length=253)
    policy_type = models.CharField(max_length=20)
    policy = ArrayField(models.TextField(), default=list)
    mx_patterns = ArrayField(models.CharField(max_length=255), default=list)
    result = models.CharField(max_length=40, blank=True, db_default="")
    mx = models.CharField(max_length=255, blank=True, db_default="")
    text = models.CharField(max_length=500, blank=True, db_default="")
    n = models.IntegerField()
    reported_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "tls_result"
        constraints = [
            models.UniqueConstraint(
                fields=["on", "domain", "policy_type", "result", "mx"], name="one_tls_result_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.domain} {self.result or 'success'}: {self.n}"


class WarmupDay(models.Model):
    """How many messages a sending domain that warms up may send to a provider on a day, and how many were allotted."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=20, choices=Provider)
    on = models.DateField()
    cap = models.IntegerField()
    used = models.IntegerField(db_default=0)

    class Meta:
        db_table = "warmup_day"
        constraints = [
            models.UniqueConstraint(fields=["domain", "provider", "on"], name="one_warmup_day"),
            models.CheckConstraint(condition=models.Q(used__lte=models.F("cap")), name="warmup_within_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.provider} {self.on}: {self.used} of {self.cap}"


class UnreadReply(models.Model):
    """A reply that no rule knew, with what is personal masked, so that a rule can be written for it."""

    pattern = models.CharField(max_length=300, unique=True)
    sample = models.CharField(max_length=500)
    host = models.CharField(max_length=255, blank=True)
    n = models.IntegerField(db_default=1)
    last_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "unread_reply"
        verbose_name_plural = _("unread replies")

    def __str__(self) -> str:
        return self.sample
