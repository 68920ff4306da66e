from __future__ import annotations

from django.test import override_settings

from accounts.domains.findings import Finding, State
from accounts.domains.records import Need
from accounts.models import Domain
from campaigns.drafts import BLOCKS, FINE, WARNS, Check, audience_of, checks_of
from campaigns.models import Campaign
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_sender

NO_POLICY = Finding("dmarc", State.MISSING, "dmarc_missing", {"name": "_dmarc.aoba.example.jp"})
NO_PROOF = Finding("proof", State.MISSING, "proof_missing", {"name": "_mailsales.aoba.example.jp"})
NO_NEXT_KEY = Finding("dkim-m2", State.MISSING, "dkim_next_missing", {"name": "m2._domainkey"}, Need.RECOMMENDED)
NO_LOGO = Finding("bimi", State.MISSING, "bimi_missing", {}, Need.OPTIONAL)
NO_NAME = Finding("identity-203.0.113.5", State.BAD, "identity_no_ptr", {"address": "203.0.113.5", "name": "a.example"})
MATCH = "Signature and authentication"


class DomainChecksTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        mailing_list = make_list(self.account)
        make_contact(self.account, mailing_list)
        self.draft = make_campaign(self.account, list=mailing_list, sender=make_sender(self.account), subject="新茶")

    def checks(self, state: Domain.State, *findings: Finding, **fields: object) -> list[Check]:
        """Return the checks of a draft whose sender's domain stands so."""
        Domain.objects.update(state=state, findings=[one.stored() for one in findings], **fields)
        draft = Campaign.objects.get(pk=self.draft.pk)
        return checks_of(draft, audience_of(draft))

    def titles(self, badge: object, state: Domain.State, *findings: Finding, **fields: object) -> list[str]:
        return [one.title for one in self.checks(state, *findings, **fields) if one.state is badge]

    def test_a_domain_that_is_ready_is_fine(self) -> None:
        self.assertIn(MATCH, self.titles(FINE, Domain.State.GOOD))

    def test_one_that_is_not_proven_warns_and_leads_to_its_page(self) -> None:
        checks = self.checks(Domain.State.UNPROVEN, proven_at=None)
        [found] = [one for one in checks if one.title == "aoba.example.jp is not confirmed"]
        self.assertIs(found.state, WARNS)
        self.assertIn("/domains/", found.link)
        self.assertNotIn(MATCH, [one.title for one in checks])

    def test_what_receivers_miss_warns(self) -> None:
        titles = self.titles(WARNS, Domain.State.PARTLY, NO_NEXT_KEY, NO_POLICY, NO_LOGO, NO_NAME)
        self.assertEqual(titles, ["There is no DMARC record"])

    def test_a_broken_one_blocks(self) -> None:
        with override_settings(DEFAULT_ROUTE="mx"):
            self.assertEqual(self.titles(BLOCKS, Domain.State.BROKEN, NO_PROOF), ["aoba.example.jp cannot send"])

    def test_but_for_mail_that_stays_in_the_sandbox(self) -> None:
        self.assertEqual(self.titles(WARNS, Domain.State.BROKEN, NO_PROOF), ["aoba.example.jp cannot send"])
