from __future__ import annotations

from django.urls import reverse

from accounts.models import Membership
from campaigns.models import Campaign
from tests.base import MailsalesTestCase


class AccountSwitchTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        Membership.objects.create(account=self.other_account, user=self.bob, role=Membership.Role.OWNER)
        self.client.force_login(self.bob)
        self.url = reverse("accounts:account_switch")

    def switch_to(self, account_id: object) -> int:
        return self.client.post(self.url, {"to": account_id}).status_code

    def acting(self) -> int:
        return int(self.client.get(reverse("accounts:security")).context["account"].pk)

    def test_the_newest_membership_acts_first(self) -> None:
        self.assertEqual(self.acting(), self.other_account.pk)

    def test_it_switches(self) -> None:
        self.assertEqual(self.switch_to(self.account.pk), 302)
        self.assertEqual(self.acting(), self.account.pk)

    def test_it_requires_a_post(self) -> None:
        self.assertEqual(self.client.get(self.url).status_code, 405)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertIn("/auth/login/", self.client.post(self.url, {"to": 1}).headers["Location"])

    def test_an_account_of_others_is_not_found(self) -> None:
        self.client.force_login(self.alice)
        self.assertEqual(self.switch_to(self.other_account.pk), 404)

    def test_nonsense_is_not_found(self) -> None:
        self.assertEqual(self.switch_to("one"), 404)

    def test_whoever_lost_the_membership_acts_for_another(self) -> None:
        self.switch_to(self.account.pk)
        Membership.objects.of(self.account).filter(user=self.bob).delete()
        self.assertEqual(self.acting(), self.other_account.pk)

    def test_a_form_of_the_other_account_changes_nothing(self) -> None:
        data = {"account": self.account.pk, "name": "冬のごあいさつ"}
        response = self.client.post(reverse("campaigns:campaign_create"), data)
        self.assertContains(response, "You switched companies", status_code=409)
        self.assertFalse(Campaign.objects.exists())

    def test_htmx_of_the_other_account_is_sent_to_a_page_that_explains(self) -> None:
        headers = {"HX-Request": "true", "X-Account": str(self.account.pk)}
        response = self.client.get(reverse("campaigns:campaign_list"), headers=headers)
        self.assertEqual((response.status_code, response.headers["HX-Redirect"]), (409, "/account/changed/"))

    def test_a_form_of_the_same_account_is_taken(self) -> None:
        data = {"account": self.other_account.pk, "name": "冬のごあいさつ"}
        self.client.post(reverse("campaigns:campaign_create"), data)
        self.assertTrue(Campaign.objects.of(self.other_account).exists())

    def test_somebody_without_a_company_is_told(self) -> None:
        Membership.objects.filter(user=self.bob).delete()
        response = self.client.get(reverse("campaigns:campaign_list"), follow=True)
        self.assertContains(response, "You belong to no company yet")
