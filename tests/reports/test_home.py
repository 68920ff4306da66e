from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import override

from accounts.models import Domain
from campaigns.models import Campaign
from mailsales.wall import wall
from reports.templatetags.report_tags import contact_events
from tests.make import make_campaign, make_message
from tests.reports.test_reports import ReportTestCase


class HomeTestCase(ReportTestCase):
    def home(self, who: str = "alice") -> Any:
        return self.ask("home", who=who)

    def titles(self) -> str:
        return " ".join(item.title for item in self.home().context["todo"])

    def test_it_shows_the_month(self) -> None:
        self.assertEqual([tile.value for tile in self.home().context["tiles"]], ["4", "22.2", "11.1", "25.0"])

    def test_it_shows_the_latest_campaigns(self) -> None:
        self.assertContains(self.home(), self.campaign.name)

    def test_it_requires_login(self) -> None:
        self.assertEqual(self.client.get(reverse("reports:home")).status_code, 302)

    def test_a_new_account_gets_the_first_steps(self) -> None:
        page = self.home("charlie")
        self.assertContains(page, "Bring in your contacts")
        self.assertNotContains(page, self.campaign.name)

    def test_it_asks_about_what_is_unknown(self) -> None:
        self.assertIn("1 email with an unknown result", self.titles())

    def test_it_asks_about_what_is_on_hold(self) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status="held", closed_at=None)
        self.assertIn("is on hold", self.titles())

    def test_it_asks_to_confirm_a_domain(self) -> None:
        Domain.objects.of(self.account).update(proven_at=None, state="unproven")
        self.assertIn("Confirm your sending domain", self.titles())

    def test_a_broken_domain_stands_before_one_that_is_nearly_ready(self) -> None:
        Domain.objects.of(self.account).update(state="broken")
        Domain.objects.create(account=self.account, name="a.example.jp", proven_at=now(), state="partly")
        titles = self.titles()
        self.assertLess(titles.index("is broken"), titles.index("a.example.jp is nearly ready"))

    def test_it_reminds_of_drafts(self) -> None:
        make_campaign(self.account, name="秋の便り")
        self.assertIn("秋の便り", self.titles())

    def test_it_asks_for_the_details_that_the_law_demands(self) -> None:
        self.account.postal_address = ""
        self.account.save(update_fields=["postal_address"])
        self.assertIn("Complete the sender’s details", self.titles())

    def test_the_rules_about_machines_are_explained(self) -> None:
        self.assertContains(self.ask("rules"), "Apple’s Mail Privacy Protection")

    def test_a_contact_s_page_shows_what_they_did(self) -> None:
        self.client.force_login(self.vera)
        with wall(None):
            page = self.client.get(self.read.contact.get_absolute_url())  # type: ignore[union-attr]
        self.assertContains(page, "Clicked “新茶”")

    def test_a_contact_s_page_shows_what_came_back(self) -> None:
        with wall(self.account.pk), override("en"):
            titles = [event.title for event in contact_events(self.returned.contact)]  # type: ignore[arg-type]
        self.assertEqual(titles, ["Came back with an error", f"Received “{self.campaign.name}”"])

    def test_a_contact_s_history_takes_no_query_for_each_mail(self) -> None:
        contact = self.read.contact
        make_message(make_campaign(self.account, name="秋の便り"), contact, status="sent")  # type: ignore[arg-type]
        with self.assertNumQueries(7):
            contact_events(contact)  # type: ignore[arg-type]

    def test_a_reason_is_said_in_japanese(self) -> None:
        self.vera.language = "ja"
        self.vera.save(update_fields=["language"])
        page = self.ask("campaign_report", self.campaign.pk)
        self.assertContains(page, "宛先不明")
