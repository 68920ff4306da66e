from __future__ import annotations

from typing import Self

from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from mailsales import vault


class User(AbstractUser):
    """A person who signs in, with `username` (the login ID) or `email`, neither minding upper and lower case."""

    class Language(models.TextChoices):
        JAPANESE = "ja", "日本語"
        ENGLISH = "en", "English"

    language = models.CharField(_("Language"), max_length=5, choices=Language, blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("username"), name="one_user_per_login_id"),
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="one_user_per_email"),
        ]

    @property
    def name(self) -> str:
        """Return the name in Japanese order, or the login ID."""
        return " ".join(part for part in (self.last_name, self.first_name) if part) or self.username


class Account(models.Model):
    """A tenant: the company in whose name mail is sent."""

    name = models.CharField(_("Company name"), max_length=100)
    postal_address = models.CharField(_("Postal address"), max_length=200, blank=True)
    complaint_address = models.EmailField(_("Contact address"), max_length=254, blank=True)
    time_zone = models.CharField(_("Time zone"), max_length=40, default="Asia/Tokyo")
    language = models.CharField(_("Language"), max_length=5, choices=User.Language, default=User.Language.JAPANESE)
    sealed_route = models.TextField(blank=True, db_default="")  # it may hold a relay's password
    is_demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership")

    class Meta:
        db_table = "account"

    def __str__(self) -> str:
        return self.name

    @property
    def route(self) -> str:
        """Return where the account's mail goes, as `delivery.routes.read_route` takes it; empty: DEFAULT_ROUTE."""
        return vault.unseal(self.sealed_route) if self.sealed_route else ""

    @route.setter
    def route(self, route: str) -> None:
        self.sealed_route = vault.seal(route) if route else ""

    @property
    def initial(self) -> str:
        """Return the first character that tells the company apart."""
        for form in ("株式会社", "有限会社", "合同会社", "（株）", "(株)"):
            if self.name.startswith(form) and len(self.name) > len(form):
                return self.name[len(form)]
        return self.name[:1]


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def newest_first(self) -> Self:
        return self.order_by("-pk")


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", pgettext_lazy("role", "Owner")
        APPROVER = "approver", _("Approver")
        EDITOR = "editor", pgettext_lazy("role", "Editor")
        VIEWER = "viewer", _("Viewer")

    account = models.ForeignKey(Account, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE)
    role = models.CharField(_("Role"), max_length=20, choices=Role, default=Role.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        db_table = "membership"
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_user")]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.account}"


class DomainQuerySet(models.QuerySet["Domain"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class Domain(models.Model):
    """A domain from which the account sends.

    While it warms up, each provider gets `warmup_first` messages on the first day and `warmup_growth` times as many on
    each next one, at most twice.
    """

    account = models.ForeignKey(Account, models.CASCADE)
    name = models.CharField(_("Domain"), max_length=253)
    warmup_started_on = models.DateField(_("Warming up since"), null=True, blank=True)  # None: no limit
    warmup_first = models.PositiveIntegerField(_("Messages to each provider on the first day"), default=200)
    warmup_growth = models.FloatField(
        _("Growth from day to day"), default=1.5, validators=[MinValueValidator(1.0), MaxValueValidator(2.0)]
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DomainQuerySet.as_manager()

    class Meta:
        db_table = "domain"
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="one_domain_per_account")]

    def __str__(self) -> str:
        return self.name

    @property
    def bounce_name(self) -> str:
        """Return the domain of envelope senders, below the From domain so that SPF aligns (RFC 7489 §3.1.2)."""
        return f"bounce.{self.name}"


class DkimKey(models.Model):
    """A signing key of a domain (RFC 6376). The private half is sealed with the installation's SECRET_KEY."""

    class Algorithm(models.TextChoices):
        RSA = "rsa-sha256", "RSA"
        ED25519 = "ed25519-sha256", "Ed25519"

    account = models.ForeignKey(Account, models.CASCADE)
    domain = models.ForeignKey(Domain, models.CASCADE, related_name="keys")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=20, choices=Algorithm)
    sealed_private_key = models.TextField()
    public_key = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "dkim_key"
        constraints = [models.UniqueConstraint(fields=["domain", "selector"], name="one_key_per_selector")]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

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
