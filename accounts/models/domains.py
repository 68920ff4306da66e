"""The domains from which an account sends, their keys, and the names that stand in From."""

from __future__ import annotations

import secrets
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models.people import Account
from mailsales import vault


class DomainQuerySet(models.QuerySet["Domain"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def proven(self) -> Self:
        return self.filter(proven_at__isnull=False)


def make_proof() -> str:
    return secrets.token_hex(16)


class Domain(models.Model):
    """A domain from which the account sends, once it has proven that it holds it.

    Several accounts may try; the one whose `proof` stands in DNS holds it. `findings` are the last check's, in the form
    of `accounts.domains.findings.Finding.stored()`: codes and values, which become words when they are shown.
    While it warms up, each provider gets `warmup_first` messages on the first day and `warmup_growth` times as many on
    each next one, at most twice.
    """

    class State(models.TextChoices):
        UNPROVEN = "unproven", _("Not confirmed")
        GOOD = "good", _("Ready")
        PARTLY = "partly", _("Nearly ready")  # it may send; something that receivers ask for is missing
        BROKEN = "broken", _("Broken")  # proven, but what it needs to send is gone from DNS

    account = models.ForeignKey(Account, models.CASCADE, verbose_name=_("Account"))
    name = models.CharField(_("Domain"), max_length=253)
    proof = models.CharField(max_length=40, default=make_proof, editable=False)
    proven_at = models.DateTimeField(_("Confirmed"), null=True, blank=True)
    state = models.CharField(
        _("State"), max_length=20, choices=State, default=State.UNPROVEN, db_default=State.UNPROVEN
    )
    findings = models.JSONField(_("Findings"), default=list, blank=True, db_default=[])
    checked_at = models.DateTimeField(_("Last checked"), null=True, blank=True)
    broken_since = models.DateTimeField(_("Broken since"), null=True, blank=True)
    tracking_label = models.CharField(_("Name for links"), max_length=63, blank=True, db_default="")
    is_tracking_ready = models.BooleanField(_("Links use that name"), default=False, db_default=False)
    warmup_started_on = models.DateField(_("Warming up since"), null=True, blank=True)  # None: no limit
    warmup_first = models.PositiveIntegerField(_("Messages to each provider on the first day"), default=200)
    warmup_growth = models.FloatField(
        _("Growth from day to day"), default=1.5, validators=[MinValueValidator(1.0), MaxValueValidator(2.0)]
    )
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        db_table = "domain"
        verbose_name = _("sending domain")
        verbose_name_plural = _("sending domains")
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="one_domain_per_account"),
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(proven_at__isnull=False), name="one_holder_per_domain"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_proven(self) -> bool:
        return self.proven_at is not None

    @property
    def may_send(self) -> bool:
        """Return whether mail of this domain may leave the sandbox."""
        return self.is_proven and self.state != self.State.BROKEN

    @property
    def bounce_name(self) -> str:
        """Return the domain of envelope senders, below the From domain so that SPF aligns (RFC 9989 §4.4)."""
        return f"bounce.{self.name}"

    @property
    def proof_name(self) -> str:
        """Return where the proof stands in DNS."""
        return f"_mailsales.{self.name}"

    @property
    def proof_record(self) -> str:
        return f"mailsales-verification={self.proof}"

    @property
    def tracking_host(self) -> str:
        """Return the host of links and pixel under the domain, or nothing."""
        return f"{self.tracking_label}.{self.name}" if self.tracking_label else ""


class DkimKeyQuerySet(models.QuerySet["DkimKey"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def signing(self) -> Self:
        return self.filter(active_at__isnull=False, retired_at=None)


class DkimKey(models.Model):
    """A signing key of a domain (RFC 6376). The private half is sealed with the installation's SECRET_KEY.

    It is published before it signs (`published_at`: when its record was first seen right), signs from `active_at` to
    `retired_at`, and is kept 14 days longer, for mail that is still on its way.
    """

    class Algorithm(models.TextChoices):
        RSA = "rsa-sha256", "RSA"
        ED25519 = "ed25519-sha256", "Ed25519"

    class State(models.TextChoices):
        NEXT = "next", pgettext_lazy("key", "Next")
        CURRENT = "current", _("Signing")
        OLD = "old", _("Replaced")

    account = models.ForeignKey(Account, models.CASCADE)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="keys")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=20, choices=Algorithm)
    sealed_private_key = models.TextField()
    public_key = models.TextField()
    is_imported = models.BooleanField(default=False, db_default=False)
    published_at = models.DateTimeField(null=True, blank=True)
    active_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DkimKeyQuerySet.as_manager()

    class Meta:
        db_table = "dkim_key"
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="one_key_per_selector"),
            models.UniqueConstraint(
                fields=["domain", "algorithm"],
                condition=models.Q(active_at__isnull=False, retired_at=None),
                name="one_signing_key_per_algorithm",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def state(self) -> State:
        if self.retired_at:
            return self.State.OLD
        return self.State.CURRENT if self.active_at else self.State.NEXT

    @property
    def record_name(self) -> str:
        """Return where the public half stands in DNS (RFC 6376 §3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain.name}"

    @property
    def private_key(self) -> str:
        """Return the PEM. Raise `vault.Sealed` under another SECRET_KEY."""
        return vault.unseal(self.sealed_private_key)

    @private_key.setter
    def private_key(self, pem: str) -> None:
        self.sealed_private_key = vault.seal(pem)

    @property
    def record(self) -> str:
        """Return the TXT record that publishes the key (RFC 6376 §3.6.1, RFC 8463 §4)."""
        kind = "rsa" if self.algorithm == self.Algorithm.RSA else "ed25519"
        return f"v=DKIM1; k={kind}; p={self.public_key}"


class BlocklistAnswer(models.Model):
    """What a block list last said of an address or a domain that sends (RFC 5782). Shared: it is about no account."""

    class State(models.TextChoices):
        CLEAN = "clean", _("Not listed")
        LISTED = "listed", _("Listed")
        UNKNOWN = "unknown", _("No answer")  # refused, too many queries, or no reply: no verdict

    name = models.CharField(_("Address or domain"), max_length=253)
    list = models.CharField(_("Block list"), max_length=100)
    state = models.CharField(_("State"), max_length=20, choices=State)
    text = models.CharField(_("Answer"), max_length=300, blank=True)
    checked_at = models.DateTimeField(_("Last checked"))

    class Meta:
        db_table = "blocklist_answer"
        verbose_name = _("answer of a block list")
        verbose_name_plural = _("answers of block lists")
        constraints = [models.UniqueConstraint(fields=["name", "list"], name="one_answer_per_blocklist")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state} in {self.list}"


class SenderQuerySet(models.QuerySet["Sender"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Sender(models.Model):
    """A From identity of the account."""

    account = models.ForeignKey(Account, models.CASCADE)
    domain = models.ForeignKey(Domain, models.PROTECT)
    name = models.CharField(_("Sender name"), max_length=100)
    address = models.EmailField(_("Sender address"), max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SenderQuerySet.as_manager()

    class Meta:
        db_table = "sender"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["account", "address", "name"], name="one_sender_per_identity")]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>"
