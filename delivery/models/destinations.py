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

    route = models.CharField(_("Route"), max_length=200)
    scope = models.CharField(_("Scope"), max_length=255)
    rate = models.FloatField(_("Messages a second"), db_default=0)  # messages a second of the whole installation
    connections = models.SmallIntegerField(_("Connections"), null=True)
    until = models.DateTimeField(_("Until"))
    reason = models.CharField(_("Reason"), max_length=20, choices=Reason, db_default=Reason.RATE_LIMITED)
    code = models.SmallIntegerField(_("Reply code"), db_default=0)
    text = models.CharField(_("Reply"), max_length=500, blank=True, db_default="")
    host = models.CharField(_("Server"), max_length=255, blank=True, db_default="")
    made_by = models.CharField(_("Made by"), max_length=10, choices=Maker)
    made_at = models.DateTimeField(_("Made"), db_default=Now())
    failures = models.SmallIntegerField(_("Failures in a row"), db_default=0)  # in a row, of connections

    objects = ThrottleQuerySet.as_manager()

    class Meta:
        db_table = "throttle"
        verbose_name = _("throttle")
        verbose_name_plural = _("throttles")
        constraints = [models.UniqueConstraint(fields=["route", "scope"], name="one_throttle_per_scope")]

    def __str__(self) -> str:
        return f"{self.scope} on {self.route} until {self.until:%F %T}"

    @property
    def is_suspended(self) -> bool:
        return self.rate == 0


class DestinationGroup(models.Model):
    """Where a destination's mail was last found to go: its group, by which it is shaped, and its site (its MX set)."""

    destination = models.OneToOneField(
        Destination, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("Destination")
    )
    group = models.CharField(_("Group"), max_length=255)
    site = models.CharField(_("Servers (MX)"), max_length=255)
    found_at = models.DateTimeField(_("Found"), db_default=Now())

    class Meta:
        db_table = "destination_group"
        verbose_name = _("group of a destination")
        verbose_name_plural = _("groups of destinations")
        indexes = [models.Index(fields=["group"], name="destination_group_group")]

    def __str__(self) -> str:
        return f"{self.destination_id}: {self.group}"


class BrokenTls(models.Model):
    """A host whose STARTTLS failed: spoken to in the clear until then, where no policy demands encryption."""

    host = models.CharField(_("Server"), primary_key=True, max_length=255)
    until = models.DateTimeField(_("Until"))
    text = models.CharField(_("Fault"), max_length=500, blank=True)

    class Meta:
        db_table = "broken_tls"
        verbose_name = _("server with broken TLS")
        verbose_name_plural = _("servers with broken TLS")

    def __str__(self) -> str:
        return self.host


class StsPolicy(models.Model):
    """A domain's MTA-STS policy as last fetched (RFC 8461 §3.2). Without `policy_id` the domain had none."""

    domain = models.CharField(_("Domain"), primary_key=True, max_length=253)
    policy_id = models.CharField(_("Policy id"), max_length=32, blank=True)
    mode = models.CharField(_("Mode"), max_length=10, blank=True)
    mx = ArrayField(models.CharField(max_length=255), default=list, verbose_name=_("Servers (MX)"))
    text = models.TextField(_("Policy text"), blank=True)
    fetched_at = models.DateTimeField(_("Fetched"), db_default=Now())
    expires_at = models.DateTimeField(_("Valid until"))

    class Meta:
        db_table = "sts_policy"
        verbose_name = _("MTA-STS policy")
        verbose_name_plural = _("MTA-STS policies")

    def __str__(self) -> str:
        return f"{self.domain}: {self.mode}"


class TlsResult(models.Model):
    """How many sessions of a UTC day ended so, for the daily report (RFC 8460 §4). `result` is empty for a success."""

    on = models.DateField(_("Day"))
    domain = models.CharField(_("Domain"), max_length=253)
    policy_type = models.CharField(_("Kind of policy"), max_length=20)
    policy = ArrayField(models.TextField(), default=list, verbose_name=_("Policy text"))
    mx_patterns = ArrayField(models.CharField(max_length=255), default=list, verbose_name=_("Servers of the policy"))
    result = models.CharField(_("Result"), max_length=40, blank=True, db_default="")
    mx = models.CharField(_("Server"), max_length=255, blank=True, db_default="")
    text = models.CharField(_("Fault"), max_length=500, blank=True, db_default="")
    n = models.IntegerField(_("Sessions"))
    reported_at = models.DateTimeField(_("Reported"), null=True)

    class Meta:
        db_table = "tls_result"
        verbose_name = _("result of encryption")
        verbose_name_plural = _("results of encryption")
        constraints = [
            models.UniqueConstraint(
                fields=["on", "domain", "policy_type", "result", "mx"], name="one_tls_result_per_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.domain} {self.result or 'success'}: {self.n}"


class WarmupDay(models.Model):
    """How many messages a sending domain that warms up may send to a provider on a day, and how many were allotted."""

    domain = models.ForeignKey(Domain, models.CASCADE, related_name="+", verbose_name=_("Domain"))
    provider = models.CharField(_("Mail provider"), max_length=20, choices=Provider)
    on = models.DateField(_("Day"))
    cap = models.IntegerField(_("At most"))
    used = models.IntegerField(_("Allotted"), db_default=0)

    class Meta:
        db_table = "warmup_day"
        verbose_name = _("day of warming up")
        verbose_name_plural = _("days of warming up")
        constraints = [
            models.UniqueConstraint(fields=["domain", "provider", "on"], name="one_warmup_day"),
            models.CheckConstraint(condition=models.Q(used__lte=models.F("cap")), name="warmup_within_cap"),
        ]

    def __str__(self) -> str:
        return f"{self.domain} {self.provider} {self.on}: {self.used} of {self.cap}"


class UnreadReply(models.Model):
    """A reply that no rule knew, with what is personal masked, so that a rule can be written for it."""

    pattern = models.CharField(_("Pattern"), max_length=300, unique=True)
    sample = models.CharField(_("Sample"), max_length=500)
    host = models.CharField(_("Server"), max_length=255, blank=True)
    n = models.IntegerField(_("Times"), db_default=1)
    last_at = models.DateTimeField(_("Last seen"), db_default=Now())

    class Meta:
        db_table = "unread_reply"
        verbose_name = _("unread reply")
        verbose_name_plural = _("unread replies")

    def __str__(self) -> str:
        return self.sample
