from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Sender, User
from campaigns import merge
from campaigns.models.contacts import Contact
from campaigns.models.lists import MailingList
from mailsales import ledger
from mailsales.badges import Badge


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)

    def due(self) -> Self:
        """Return those whose time has come, oldest first."""
        return self.filter(status=Campaign.Status.SCHEDULED, send_at__lte=Now()).order_by("send_at", "pk")


class Campaign(models.Model):
    """One mailing. `revision` moves with every edit, so that what is started is what was rendered."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        APPROVED = "approved", _("Approved")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        HELD = "held", _("On hold")
        SENT = "sent", _("Sent")
        CANCELLED = "cancelled", _("Cancelled")

    class Editor(models.TextChoices):
        RICH = "rich", _("Simple")
        CODE = "code", "HTML"

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(_("Campaign name"), max_length=200)
    list = models.ForeignKey(
        MailingList, models.PROTECT, related_name="+", verbose_name=_("Recipients"), null=True, blank=True
    )
    sender = models.ForeignKey(
        Sender, models.PROTECT, related_name="+", verbose_name=_("Sender"), null=True, blank=True
    )
    subject = models.CharField(_("Subject"), max_length=300, blank=True)
    preheader = models.CharField(_("Preheader"), max_length=300, blank=True)
    editor = models.CharField(max_length=20, choices=Editor, default=Editor.RICH)
    html = models.TextField(_("HTML body"), blank=True)
    text = models.TextField(_("Text body"), blank=True)
    has_own_text = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    revision = models.PositiveIntegerField(default=0, db_default=0)
    send_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    expiry_hours = models.PositiveSmallIntegerField(default=72, db_default=72)
    paused_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=500, blank=True, db_default="")
    created_by = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        db_table = "campaign"
        indexes = [
            models.Index(
                fields=["status"],
                condition=models.Q(status__in=["scheduled", "sending", "paused", "held", "cancelled"], closed_at=None),
                name="campaign_open",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "in_review", "approved"], send_at=None)
                | models.Q(status__in=["scheduled", "sending", "paused", "held", "sent"], send_at__isnull=False)
                | models.Q(status="cancelled"),
                name="send_at_once_it_is_booked",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["draft", "cancelled"])
                | models.Q(list__isnull=False, sender__isnull=False),
                name="a_booked_campaign_has_list_and_sender",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        if self.status in self.EDITABLE:
            return reverse("campaigns:campaign_edit", args=[self.pk])
        if self.status == self.Status.SCHEDULED:
            return reverse("campaigns:campaign_schedule", args=[self.pk])
        return reverse("reports:campaign_report", args=[self.pk])

    EDITABLE = (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED)

    @property
    def shown_subject(self) -> str:
        """Return the subject as somebody gets it of whom nothing is known; as it was written while it has a fault."""
        return self.subject_for({})

    def subject_for(self, values: Mapping[str, object]) -> str:
        """Return the subject with these values of a contact in it."""
        try:
            return merge.compile(self.subject).render(values).strip()
        except merge.MergeError:
            return self.subject

    @property
    def is_due(self) -> bool:
        """Return whether its time has come and the next tick starts it."""
        return self.status == self.Status.SCHEDULED and self.send_at is not None and self.send_at <= now()

    @property
    def is_editable(self) -> bool:
        return self.status in self.EDITABLE

    def save_content(self, **fields: Any) -> bool:
        """Save an edit and move `revision`, unless the campaign was scheduled meanwhile; return whether it was saved."""
        own = Campaign.objects.filter(pk=self.pk, status__in=self.EDITABLE)
        if not own.update(**fields, revision=F("revision") + 1, updated_at=now()):
            return False
        self.refresh_from_db()
        return True

    def schedule(self, send_at: datetime | None) -> bool:
        """Let delivery pick the campaign up at `send_at`, or at once; return False unless it still was a draft."""
        return self._change("press_send", send_at=send_at)

    def pause(self) -> bool:
        return self._change("pause")

    def resume(self) -> bool:
        return self._change("resume") and self._forget_fault()

    def cancel(self) -> bool:
        """Send nothing more. What is on its way when the workers see it (within 1.5 s) is still sent."""
        return self._change("cancel")

    def release(self) -> bool:
        """Let a campaign on hold go on, or start."""
        return self._change("release") and self._forget_fault()

    def _forget_fault(self) -> bool:
        return Campaign.objects.filter(pk=self.pk).update(fault="") == 1

    def _change(self, statement: str, **values: Any) -> bool:
        """Run one guarded statement of the ledger; return whether it happened."""
        if not ledger.change(statement, campaign=self.pk, **values):
            return False
        self.refresh_from_db()
        return True

    @property
    def state(self) -> Badge:
        return BADGES[self.Status(self.status)]


BADGES = {
    Campaign.Status.DRAFT: Badge(Campaign.Status.DRAFT.label, "pencil"),
    Campaign.Status.IN_REVIEW: Badge(Campaign.Status.IN_REVIEW.label, "hourglass", "warn"),
    Campaign.Status.APPROVED: Badge(Campaign.Status.APPROVED.label, "check", "good"),
    Campaign.Status.SCHEDULED: Badge(Campaign.Status.SCHEDULED.label, "calendar-clock", "live"),
    Campaign.Status.SENDING: Badge(Campaign.Status.SENDING.label, "send", "live"),
    Campaign.Status.PAUSED: Badge(Campaign.Status.PAUSED.label, "pause", "warn"),
    Campaign.Status.HELD: Badge(Campaign.Status.HELD.label, "hand", "warn"),
    Campaign.Status.SENT: Badge(Campaign.Status.SENT.label, "check", "good"),
    Campaign.Status.CANCELLED: Badge(Campaign.Status.CANCELLED.label, "ban"),
}


class TestSendQuerySet(models.QuerySet["TestSend"]):
    def of(self, account: Account) -> Self:
        return self.filter(account=account)


class TestSend(models.Model):
    """One copy of a draft for its writers. A worker sends it; unlike a message it may go twice."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="tests")
    address = models.CharField(_("Email address"), max_length=254)
    contact = models.ForeignKey(Contact, models.SET_NULL, related_name="+", null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, related_name="+", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.QUEUED)
    reply = models.CharField(max_length=500, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = TestSendQuerySet.as_manager()

    class Meta:
        db_table = "test_send"
        indexes = [models.Index(fields=["created_at"], condition=models.Q(status="queued"), name="test_send_queued")]

    def __str__(self) -> str:
        return f"{self.campaign} to {self.address}"

    @property
    def state(self) -> Badge:
        return TEST_BADGES[self.Status(self.status)]


TEST_BADGES = {
    TestSend.Status.QUEUED: Badge(TestSend.Status.QUEUED.label, "hourglass"),
    TestSend.Status.SENT: Badge(TestSend.Status.SENT.label, "check", "good"),
    TestSend.Status.FAILED: Badge(TestSend.Status.FAILED.label, "circle-x", "bad"),
}
