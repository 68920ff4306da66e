from __future__ import annotations

from typing import Self

from django.core.files.storage import Storage, storages
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, User
from campaigns.models.lists import MailingList, Subscription


def private_storage() -> Storage:
    return storages["private"]


class ContactImportQuerySet(models.QuerySet["ContactImport"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class ContactImport(models.Model):
    """One file of contacts: read, checked by a person, and then loaded by a worker in slices.

    `columns` maps each column of the file to a target: {"0": "address", "1": "name", "3": "field:company"}.
    """

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("Check columns")
        QUEUED = "queued", _("Waiting")
        READING = "reading", _("Reading")
        LOADING = "loading", _("Importing")
        DONE = "done", _("Finished")
        REFUSED = "refused", _("Refused")
        STOPPED = "stopped", _("Stopped")

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    list = models.ForeignKey(MailingList, models.CASCADE, related_name="+")
    created_by = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True, blank=True)
    file = models.FileField(storage=private_storage, upload_to="imports/", max_length=200)
    file_name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status, default=Status.UPLOADED)
    encoding = models.CharField(_("Character encoding"), max_length=20)
    delimiter = models.CharField(_("Delimiter"), max_length=1)
    heading_rows = models.PositiveSmallIntegerField(default=1)
    columns = models.JSONField(default=dict)
    basis = models.CharField(_("Consent basis"), max_length=20, choices=Subscription.Basis)
    rows = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    error = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(null=True, blank=True)

    objects = ContactImportQuerySet.as_manager()

    class Meta:
        db_table = "contact_import"

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("campaigns:import_detail", args=[self.pk])


class ImportRefusalQuerySet(models.QuerySet["ImportRefusal"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class ImportRefusal(models.Model):
    """A row of a file that was not imported: its line, why, and the row as it came."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    contact_import = models.ForeignKey(ContactImport, models.CASCADE, related_name="refusals")
    line = models.PositiveIntegerField()
    reason = models.CharField(max_length=20)
    detail = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=300, blank=True)
    row = models.JSONField(default=list)

    objects = ImportRefusalQuerySet.as_manager()

    class Meta:
        db_table = "import_refusal"
        constraints = [models.UniqueConstraint(fields=["contact_import", "line"], name="one_refusal_per_line")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
