"""Who works here: people, the companies in whose name they send, and what each may do."""

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
    verified_email = models.EmailField(max_length=254, blank=True, db_default="")  # the address they proved to read

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("username"), name="one_user_per_login_id"),
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="one_user_per_email"),
        ]

    @property
    def name(self) -> str:
        """Return the name in Japanese order, or the login ID."""
        return " ".join(part for part in (self.last_name, self.first_name) if part) or self.username

    @property
    def is_verified(self) -> bool:
        """Return whether the person proved to read the present address."""
        return bool(self.email) and self.email.casefold() == self.verified_email.casefold()


class Account(models.Model):
    """A tenant: the company in whose name mail is sent."""

    name = models.CharField(_("Company name"), max_length=100)
    postal_address = models.CharField(_("Postal address"), max_length=200, blank=True)
    complaint_address = models.EmailField(_("Contact address"), max_length=254, blank=True)
    time_zone = models.CharField(_("Time zone"), max_length=40, default="Asia/Tokyo")
    language = models.CharField(_("Language"), max_length=5, choices=User.Language, default=User.Language.JAPANESE)
    sealed_route = models.TextField(blank=True, db_default="")  # it may hold a relay's password
    is_demo = models.BooleanField(_("Demonstration"), default=False)
    # when an address is let go, and when a campaign stops by itself
    soft_bounce_days = models.PositiveSmallIntegerField(
        _("Days with a temporary failure"),
        default=5,
        db_default=5,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
    )
    soft_bounce_window = models.PositiveSmallIntegerField(
        _("within so many days"), default=30, db_default=30, validators=[MinValueValidator(1), MaxValueValidator(90)]
    )
    retry_days = models.PositiveSmallIntegerField(
        _("Days until such an address is tried again"),
        default=90,
        db_default=90,
        validators=[MinValueValidator(7), MaxValueValidator(365)],
    )
    fault_percent = models.PositiveSmallIntegerField(
        _("Percent refused because of us that pause a campaign"),
        default=10,
        db_default=10,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)
    members = models.ManyToManyField(User, through="Membership")

    class Meta:
        db_table = "account"
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

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

    account = models.ForeignKey(Account, models.CASCADE, verbose_name=_("Account"))
    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("User"))
    role = models.CharField(_("Role"), max_length=20, choices=Role, default=Role.EDITOR)
    created_at = models.DateTimeField(_("Created"), auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        db_table = "membership"
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="one_membership_per_user")]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.account}"
