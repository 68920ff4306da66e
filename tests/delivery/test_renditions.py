"""What a domain's standing means for the mail of its account: the way it takes, its keys, its links."""

from __future__ import annotations

from django.test import override_settings
from django.utils.timezone import now

from accounts.domains.keys import complete
from accounts.models import Domain
from campaigns.models import Campaign
from delivery import compose, renditions
from delivery.compose import Recipient
from delivery.models import Rendition
from mailsales.routes import RouteKind
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_list, make_sender


@override_settings(DEFAULT_ROUTE="mx", TRACKING_URL="https://mailsales.example")
class RenditionsTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(self.account, list=make_list(self.account), sender=make_sender(self.account))
        self.domain = Domain.objects.get()

    def load(self, **fields: object) -> renditions.Loaded:
        Domain.objects.update(**fields)
        campaign = Campaign.objects.select_related("account", "sender__domain").get()
        content = compose.freeze(renditions.content_of(campaign))
        Rendition.objects.update_or_create(campaign=campaign, defaults={"account": self.account, "content": content})
        return renditions.load(campaign.pk)

    def test_a_proven_domain_s_mail_goes_out(self) -> None:
        self.assertEqual(self.load().route_to("hanako@example.jp").kind, RouteKind.MX)

    def test_an_unproven_one_s_stays_in_the_sandbox(self) -> None:
        self.assertEqual(self.load(proven_at=None).route_to("hanako@example.jp").kind, RouteKind.SANDBOX)

    def test_but_for_members_who_proved_to_read_their_address(self) -> None:
        self.assertEqual(self.load(proven_at=None).route_to(self.alice.email).kind, RouteKind.SANDBOX)
        self.alice.verified_email = self.alice.email
        self.alice.save()
        self.assertEqual(self.load().route_to(self.alice.email.upper()).kind, RouteKind.MX)
        self.assertEqual(self.load().route_to(self.charlie.email).kind, RouteKind.SANDBOX)

    def test_each_algorithm_signs_once_and_what_is_next_or_old_does_not(self) -> None:
        complete(self.domain)
        self.domain.keys.create(
            account=self.account, selector="m0", algorithm="rsa-sha256", active_at=now(), retired_at=now()
        )
        mail = self.load().composer.compose(Recipient(1, "hanako@example.jp"), b"x", 1).body
        selectors = [line for line in mail.split(b"\r\n") if b" s=" in line]
        self.assertEqual([b"s=m1;" in line or b"s=e1;" in line for line in selectors], [True, True])

    def test_links_are_at_the_domain_s_own_host_once_it_leads_here(self) -> None:
        recipient = Recipient(1, "hanako@example.jp")
        self.assertIn("https://mailsales.example/u/", self.load(tracking_label="click").composer.web_page(recipient))
        own = self.load(is_tracking_ready=True).composer.web_page(recipient)
        self.assertIn("https://click.aoba.example.jp/u/", own)
        self.assertNotIn("https://mailsales.example", own)
