"""What a campaign would be if it went out now: its mail, its recipients, and what stands in its way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, F, Func, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Concat
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.domains.findings import findings_of
from accounts.domains.records import Need
from accounts.models import Account, Domain, User
from campaigns import merge
from campaigns.content import Imprint, Parts, Source, finish, warnings_of
from campaigns.models import Campaign, Contact, ContactField, Subscription, Suppression
from campaigns.models.lists import SubscriptionQuerySet
from campaigns.plaintext import text_of
from mailsales.badges import Badge

BLOCKS = Badge(gettext_lazy("Cannot be sent"), "octagon-x", "bad")
WARNS = Badge(gettext_lazy("Needs attention"), "triangle-alert", "warn")
FINE = Badge(gettext_lazy("All good"), "circle-check", "good")
MOST_FINDINGS = 2  # of a domain: its own page has them all
LINK_TAGS = ("unsubscribe_url", "view_url")
LINK = re.compile(r"""<a\s[^>]*?\bhref\s*=\s*["']?(https?:[^"'\s>]+)""", re.IGNORECASE)
TITLES = {
    "size": gettext_lazy("The mail is too large"),
    "half_width": gettext_lazy("Half-width katakana"),
    "vendor": gettext_lazy("Characters that some phones lack"),
}


@dataclass(frozen=True)
class Check:
    """One thing looked at before sending. `link` leads to where it can be changed, or is empty."""

    state: Badge
    title: str
    text: str
    link: str = ""
    action: str | Promise = ""

    @property
    def icon_class(self) -> str:
        return f"icon icon--{self.state.tone}"


@dataclass(frozen=True)
class Audience:
    """The people of a list as a campaign sees them."""

    confirmed: int
    suppressed: int
    unconfirmed: int

    @property
    def total(self) -> int:
        return self.confirmed - self.suppressed


# -- the mail ----------------------------------------------------------------------------------


def source_of(campaign: Campaign) -> Source:
    return Source(
        subject=campaign.subject,
        html=campaign.html,
        text=campaign.text if campaign.has_own_text else "",
        preheader=campaign.preheader,
        is_code=campaign.editor == Campaign.Editor.CODE,
    )


def imprint_of(account: Account) -> Imprint:
    return Imprint(account.name, account.postal_address, account.complaint_address, account.language)


def parts_of(campaign: Campaign) -> Parts:
    """Return the templates that would be sent. Raise MergeError."""
    return finish(source_of(campaign), imprint_of(campaign.account))


def copy_of(campaign: Campaign, name: str, user: User) -> Campaign:
    """Save the campaign's content as a new draft."""
    content = ("list", "sender", "subject", "preheader", "editor", "html", "text", "has_own_text", "expiry_hours")
    kept = {field: getattr(campaign, field) for field in content}
    return Campaign.objects.create(account=campaign.account, name=name[:200], created_by=user, **kept)


def values_of(contact: Contact | None) -> dict[str, object]:
    """Return what merge tags know of a contact; None is somebody of whom nothing is known."""
    if contact is None:
        return {}
    return {**contact.fields, "name": contact.name, "address": contact.address}


# -- the people --------------------------------------------------------------------------------


def recipients_of(campaign: Campaign) -> SubscriptionQuerySet:
    """Return the subscriptions that would get it: confirmed, and not suppressed."""
    people = Subscription.objects.of(campaign.account).filter(list=campaign.list_id)
    return people.confirmed().exclude(_is_suppressed(campaign.account))


def audience_of(campaign: Campaign) -> Audience:
    if campaign.list_id is None:
        return Audience(0, 0, 0)
    people = Subscription.objects.of(campaign.account).filter(list=campaign.list_id)
    counts = people.aggregate(
        confirmed=Count("contact", filter=Q(status=Subscription.Status.CONFIRMED)),
        unconfirmed=Count("contact", filter=Q(status=Subscription.Status.UNCONFIRMED)),
    )
    suppressed = people.confirmed().filter(_is_suppressed(campaign.account)).count()
    return Audience(counts["confirmed"], suppressed, counts["unconfirmed"])


def _is_suppressed(account: Account) -> Exists:
    """Say it as the ledger's `fan_out` does."""
    own = Q(account=account) | Q(account=None)
    address = Cast(OuterRef("contact__address"), TextField())
    domain = Func(address, Value("@"), Value(-1), function="split_part", output_field=TextField())
    pattern = Concat(Value("*@"), domain, output_field=TextField())
    return Exists(Suppression.objects.in_force().filter(own, address__in=[address, pattern]))


# -- what stands in its way --------------------------------------------------------------------


def checks_of(campaign: Campaign, audience: Audience) -> list[Check]:
    """Return everything looked at, what blocks first."""
    found = [*_content_checks(campaign), *_account_checks(campaign), *_domain_checks(campaign)]
    found += _audience_checks(campaign, audience)
    found += _body_checks(campaign, has_people=audience.total > 0)
    order = (BLOCKS, WARNS, FINE)
    return sorted(found, key=lambda check: order.index(check.state))


def test_checks_of(campaign: Campaign) -> list[Check]:
    """Return what keeps even a test from going out."""
    checks = [*_content_checks(campaign), *_body_checks(campaign, has_people=False)]
    return [check for check in checks if check.state is BLOCKS]


def is_blocked(checks: list[Check]) -> bool:
    return any(check.state is BLOCKS for check in checks)


def summary_of(checks: list[Check]) -> str:
    blocks = sum(check.state is BLOCKS for check in checks)
    warnings = sum(check.state is WARNS for check in checks)
    if blocks:
        return _("%(blocks)s to fix, %(warnings)s to check") % {"blocks": blocks, "warnings": warnings}
    return _("Nothing stands in the way")


def _content_checks(campaign: Campaign) -> Iterator[Check]:
    edit = reverse("campaigns:campaign_edit", args=[campaign.pk])
    if not campaign.subject.strip():
        yield Check(BLOCKS, _("The subject is empty"), _("Readers decide by it whether to open."), edit, _("Write"))
    if not text_of(campaign.html).strip() and "<img" not in campaign.html:
        yield Check(BLOCKS, _("The body is empty"), _("There is nothing to send yet."), edit, _("Write"))
    if campaign.sender is None:
        yield Check(BLOCKS, _("There is no sender"), _("Choose in whose name it goes out."), edit, _("Choose"))


def _account_checks(campaign: Campaign) -> Iterator[Check]:
    account = campaign.account
    page = reverse("accounts:account_edit")
    if not account.postal_address.strip():
        title, text = _("The sender’s postal address is missing"), _("The Japanese anti-spam law requires it.")
        yield Check(BLOCKS, title, text, page, _("Enter the address"))
    if not account.complaint_address:
        title, text = _("There is no address for complaints"), _("The Japanese anti-spam law requires one.")
        yield Check(BLOCKS, title, text, page, _("Enter the address"))
    if account.postal_address.strip() and account.complaint_address:
        text = _("Sender, postal address, unsubscribe link and contact are all there.")
        yield Check(FINE, _("Details required by law"), text)


def _domain_checks(campaign: Campaign) -> Iterator[Check]:
    """Say whether the sender's domain is proven, and whether receivers will believe its mail."""
    if campaign.sender is None:
        return
    domain = campaign.sender.domain
    link, action = reverse("accounts:domain_detail", args=[domain.pk]), _("Set up")
    if not domain.is_proven:
        text = _("It goes to the sandbox, and to your verified members alone. Prove that the domain is yours.")
        yield Check(WARNS, _("%(domain)s is not confirmed") % {"domain": domain}, text, link, action)
        return
    pressing = [one for one in findings_of(domain) if one.is_pressing and not one.is_of_installation]
    if domain.state == Domain.State.BROKEN:
        said = " ".join(one.title for one in pressing if one.is_failure)
        title = _("%(domain)s cannot send") % {"domain": domain}
        yield Check(WARNS if _stays_here(campaign.account) else BLOCKS, title, said, link, _("Correct it"))
        return
    for finding in [one for one in pressing if one.need == Need.REQUIRED][:MOST_FINDINGS]:
        yield Check(WARNS, finding.title, finding.text, link, action)
    if not any(one.key == "alignment" for one in pressing):
        title, text = _("Signature and authentication"), _("SPF and DKIM match the sender’s domain.")
        yield Check(FINE, title, text)


def _stays_here(account: Account) -> bool:
    """Return whether all mail of the account goes to the sandbox anyway."""
    return (account.route or settings.DEFAULT_ROUTE) == "sandbox"


def _audience_checks(campaign: Campaign, audience: Audience) -> Iterator[Check]:
    if campaign.list is None:
        edit = reverse("campaigns:campaign_edit", args=[campaign.pk])
        yield Check(BLOCKS, _("There are no recipients"), _("Choose the list it goes to."), edit, _("Choose"))
    elif not audience.total:
        text = _("Everyone on it has unsubscribed, is suppressed or has not confirmed, or nobody is on it yet.")
        yield Check(BLOCKS, _("The list reaches nobody"), text, campaign.list.get_absolute_url(), _("Open the list"))
    if audience.unconfirmed:
        count = audience.unconfirmed
        title = ngettext("%(count)s person has not confirmed", "%(count)s people have not confirmed", count)
        yield Check(FINE, title % {"count": number_format(count)}, _("They are left out until they do."))


def _body_checks(campaign: Campaign, *, has_people: bool) -> Iterator[Check]:
    edit = reverse("campaigns:campaign_edit", args=[campaign.pk])
    try:
        parts = parts_of(campaign)
        tags = [tag for part in (parts.subject, parts.html, parts.text) for tag in merge.tags_of(part)]
    except merge.MergeError as error:
        yield Check(BLOCKS, _("A merge tag is wrong"), str(error), edit, _("Correct it"))
        return
    bare = {tag.name for tag in tags if not tag.has_default}
    names = dict.fromkeys(tag.name for tag in tags if tag.name not in LINK_TAGS)
    labels = labels_of(campaign.account)
    for name in names:
        if name not in labels:
            title = _("There is no field “%(name)s”") % {"name": name}
            yield Check(BLOCKS, title, _("Its merge tag would stay empty for everyone."), edit, _("Correct it"))
        elif has_people:
            yield from _empty_checks(campaign, name, labels[name], has_default=name not in bare)
    for warning in warnings_of(parts):
        yield Check(WARNS, str(TITLES[warning.code]), warning.text, edit, _("Change"))
    yield from _link_checks(parts)


def _empty_checks(campaign: Campaign, name: str, label: str, *, has_default: bool) -> Iterator[Check]:
    """Name the readers who have nothing to fill a merge tag with."""
    value = F("contact__name") if name == "name" else KeyTextTransform(name, "contact__fields")
    filled = Coalesce(value, Value(""), output_field=TextField())
    count = 0 if name == "address" else recipients_of(campaign).annotate(filled=filled).filter(filled="").count()
    if not count:
        return
    title = ngettext("“%(field)s” is empty for %(count)s person", "“%(field)s” is empty for %(count)s people", count)
    title %= {"field": label, "count": number_format(count)}
    edit = reverse("campaigns:campaign_edit", args=[campaign.pk])
    if has_default:
        yield Check(WARNS, title, _("They get the default text. You can send it as it is."))
    else:
        yield Check(WARNS, title, _("They see a gap there. Give the merge tag a default text."), edit, _("Change"))


def _link_checks(parts: Parts) -> Iterator[Check]:
    links = LINK.findall(parts.html)
    plain = [url for url in links if url.startswith("http:")]
    if plain:
        title = ngettext("%(count)s link is not encrypted", "%(count)s links are not encrypted", len(plain))
        text = _("Begins with http: %(url)s") % {"url": plain[0]}
        yield Check(WARNS, title % {"count": len(plain)}, text)
    elif links:
        title = ngettext("%(count)s link", "%(count)s links", len(links)) % {"count": len(links)}
        yield Check(FINE, title, _("Clicks are counted for each of them."))


def labels_of(account: Account) -> dict[str, str]:
    """Return what people call each field that a merge tag may name."""
    own = {field.key: field.label for field in ContactField.objects.of(account)}
    return {"name": _("Name"), "address": _("Email address"), **own}
