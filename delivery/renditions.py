"""From rows to what `compose` works on: a campaign's content and route, and the keys that sign it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from django.conf import settings

from accounts.models import Account, DkimKey, Domain, Membership
from campaigns import drafts
from campaigns.models import Campaign, Subscription, TestSend
from delivery.compose import TEST, Composer, Content, Rendition, freeze
from delivery.dkim import Signer, Signers
from delivery.models import Rendition as Frozen
from delivery.models import ReturnMailbox
from delivery.routes import read_route, route_of
from delivery.warmup import Plan, plan_of
from mailsales.routes import Route

TEST_MARK = "[テスト] "


def content_of(campaign: Campaign) -> Content:
    """Return what the campaign says. Raise MergeError for a wrong merge tag. It must have a list and a sender."""
    sender = campaign.sender
    assert sender
    assert campaign.list_id
    parts = drafts.parts_of(campaign)
    mailbox = ReturnMailbox.objects.filter(domain=sender.domain).first()
    return Content(
        account_id=campaign.account_id,
        campaign_id=campaign.pk,
        list_id=campaign.list_id,
        sender_name=sender.name,
        sender_address=sender.address,
        domain=sender.domain.name,
        bounce_domain=sender.domain.bounce_name,
        subject=parts.subject,
        html=parts.html,
        text=parts.text,
        mailbox=mailbox.address if mailbox else "",
        takes_plus=mailbox is None or mailbox.takes_plus,
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A campaign ready to be sent by this process: compiled once, shared by all its messages."""

    campaign_id: int
    composer: Composer
    route: Route
    plan: Plan | None = None  # of a sending domain that warms up
    insiders: frozenset[str] = frozenset()
    insiders_route: Route | None = None

    def route_to(self, address: str) -> Route:
        """Return the way to an address: what is not proven reaches nobody but the account's own verified members."""
        return self.insiders_route if self.insiders_route and address.casefold() in self.insiders else self.route


def warmup_days(campaign: Campaign) -> int:
    """Return for how many days the campaign's sender may have to wait for its turn, if its domain warms up."""
    plan = plan_of(campaign.sender.domain) if campaign.sender else None
    if plan is None:
        return 0
    left = Subscription.objects.filter(list=campaign.list_id, status=Subscription.Status.CONFIRMED).count()
    return next(days for days in count() if (left := left - plan.cap_on(plan.today() + timedelta(days=days))) <= 0)


def load(campaign_id: int) -> Loaded:
    """Return the started campaign, compiled. Raise Rendition.DoesNotExist before its start."""
    row = Frozen.objects.select_related("account").get(pk=campaign_id)
    rendition = Rendition.load(row.content)
    signers = signers_of(row.account_id, rendition.domain)
    domain = Domain.objects.of(row.account).filter(name=rendition.domain).first()
    composer = Composer(rendition, signers, tracking_url_of(domain))
    return _loaded(campaign_id, composer, row.account, domain)


def load_test(test: TestSend) -> Loaded:
    """Return a draft as it stands, for one copy to its writers. Raise MergeError for a wrong merge tag."""
    content = content_of(test.campaign)
    content = replace(content, kind=TEST, subject=TEST_MARK + content.subject)
    rendition = Rendition.load(freeze(content))
    signers = signers_of(test.account_id, rendition.domain)
    domain = test.campaign.sender.domain if test.campaign.sender else None
    composer = Composer(rendition, signers, tracking_url_of(domain))
    return _loaded(test.campaign_id, composer, test.account, domain)


def signers_of(account_id: int, domain: str) -> Signers:
    """Return the keys that sign for the account's domain."""
    keys = DkimKey.objects.signing().filter(account=account_id, domain__name=domain).order_by("pk")
    return Signers([Signer(domain, key.selector, key.algorithm, key.private_key) for key in keys])


def tracking_url_of(domain: Domain | None) -> str:
    """Return where links and the pixel point: to the domain's own host once it leads here, else to the installation's."""
    return f"https://{domain.tracking_host}" if domain and domain.is_tracking_ready else settings.TRACKING_URL


def _loaded(campaign_id: int, composer: Composer, account: Account, domain: Domain | None) -> Loaded:
    plan, route = plan_of(domain) if domain else None, route_of(account, domain)
    if domain and domain.is_proven:
        return Loaded(campaign_id, composer, route, plan)
    return Loaded(campaign_id, composer, route, plan, _verified_members(account), read_route(account.route))


def _verified_members(account: Account) -> frozenset[str]:
    users = [membership.user for membership in Membership.objects.of(account).select_related("user")]
    return frozenset(user.email.casefold() for user in users if user.is_verified)
