"""What waits for a person: the first steps of a new account, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.domains.guide import summary_of
from accounts.models import Account, Domain, Sender
from campaigns.models import Campaign, Contact
from delivery.models import Message
from mailsales.reasons import OPEN_QUESTIONS


@dataclass(frozen=True)
class Task:
    icon: str
    icon_class: str
    title: str
    text: str
    href: str
    action: str


@dataclass(frozen=True)
class Step:
    mark: str  # "done", "now" or nothing
    title: str
    text: str
    href: str = ""
    action: str = ""


def first_steps(account: Account) -> list[Step]:
    """Return the way to the first mail: what is done is marked, the first of the rest is the one to take."""
    has_sender = bool(account.postal_address) and Sender.objects.of(account).exists()
    has_contacts = Contact.objects.of(account).exists()
    has_campaign = Campaign.objects.of(account).exists()
    ways = [
        (has_contacts, _("Bring in your contacts"), _("Your Excel list, saved as CSV, works as it is."), "campaigns:import_create", pgettext("button", "Import")),
        (has_sender, _("Say who sends"), _("Your company’s postal address and the sender’s name belong into every email."), "accounts:account_edit", _("Set up")),
        (has_campaign, _("Write a campaign and send it to yourself"), _("At first it goes to the sandbox. Nothing leaves it."), "campaigns:campaign_create", _("Write")),
        (Domain.objects.of(account).proven().exists(), _("Confirm your sending domain"), _("After that you can send to real recipients. The DNS settings take about 10 minutes."), "accounts:domain_list", _("Set up")),
    ]  # fmt: skip
    steps = [Step("done", _("Create an account"), account.name)]
    is_next = True
    for is_done, title, text, view, action in ways:
        mark = "done" if is_done else "now" if is_next else ""
        is_next = is_next and is_done
        steps.append(Step(mark, title, text, "" if is_done else reverse(view), "" if is_done else action))
    return steps


def things_to_do(account: Account) -> list[Task]:
    """Return what waits for a decision, the most pressing first."""
    return [*_missing_imprint(account), *_domains(account), *_held(account), *_unknown(account), *_drafts(account)]


def _missing_imprint(account: Account) -> list[Task]:
    if account.postal_address and account.complaint_address:
        return []
    text = _("The Japanese anti-spam law asks for a postal address and a contact in every email.")
    return [
        Task(
            "building-2",
            "icon icon--bad",
            _("Complete the sender’s details"),
            text,
            reverse("accounts:account_edit"),
            _("Set up"),
        )
    ]


def _domains(account: Account) -> list[Task]:
    """Return a task for each domain that something is wrong with; none confirmed at all is one task."""
    domains = list(Domain.objects.of(account).order_by("name"))
    if domains and not any(domain.is_proven for domain in domains):
        view = (
            reverse("accounts:domain_detail", args=[domains[0].pk])
            if len(domains) == 1
            else reverse("accounts:domain_list")
        )
        text = _("After that you can send to real recipients. The DNS settings take about 10 minutes.")
        return [Task("globe", "icon icon--warn", _("Confirm your sending domain"), text, view, _("Set up"))]
    titles = {
        Domain.State.BROKEN: (_("%(domain)s is broken"), "icon icon--bad"),
        Domain.State.PARTLY: (_("%(domain)s is nearly ready"), "icon icon--warn"),
    }
    tasks = []
    for domain in sorted(domains, key=lambda domain: domain.state != Domain.State.BROKEN):
        if found := titles.get(Domain.State(domain.state)):
            title, icon_class = found
            href = reverse("accounts:domain_detail", args=[domain.pk])
            tasks.append(
                Task("globe", icon_class, title % {"domain": domain.name}, summary_of(domain), href, _("Set up"))
            )
    return tasks[:3]


def _held(account: Account) -> list[Task]:
    held = Campaign.objects.of(account).filter(status=Campaign.Status.HELD)[:3]
    title, text = _("“%(name)s” is on hold"), _("It is late, or could not be started. Decide whether it goes out.")
    return [
        Task(
            "hand",
            "icon icon--warn",
            title % {"name": one.name},
            one.fault or text,
            one.get_absolute_url(),
            _("Review"),
        )
        for one in held
    ]


def _unknown(account: Account) -> list[Task]:
    found = Message.objects.of(account).filter(reason__in=list(OPEN_QUESTIONS), status=Message.Status.UNKNOWN)
    by_campaign: dict[int, int] = {}
    for pk in found.values_list("campaign_id", flat=True)[:10_000]:
        by_campaign[pk] = by_campaign.get(pk, 0) + 1
    tasks = []
    for campaign in Campaign.objects.of(account).filter(pk__in=by_campaign).order_by("-send_at")[:2]:
        count = by_campaign[campaign.pk]
        title = ngettext("%(count)s email with an unknown result", "%(count)s emails with an unknown result", count)
        text = _("The connection broke during “%(name)s”. Decide whether to send them again.") % {"name": campaign.name}
        tasks.append(
            Task(
                "circle-question-mark",
                "icon icon--warn",
                title % {"count": count},
                text,
                campaign.get_absolute_url(),
                _("Review"),
            )
        )
    return tasks


def _drafts(account: Account) -> list[Task]:
    drafts = Campaign.objects.of(account).filter(status=Campaign.Status.DRAFT).order_by("-updated_at")[:2]
    return [
        Task("pencil", "icon", _("“%(name)s” is unfinished") % {"name": draft.name}, _("Write on, test it, send it."), draft.get_absolute_url(), _("Keep writing"))
        for draft in drafts
    ]  # fmt: skip
