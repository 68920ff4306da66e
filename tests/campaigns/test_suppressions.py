from __future__ import annotations

from django.urls import reverse

from campaigns.models import Suppression
from tests.base import MailsalesTestCase


class SuppressionTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:suppression_list")
        self.create = reverse("campaigns:suppression_create")

    def make(self, address: str = "taro@example.jp", reason: str = "user_unknown", **values: object) -> Suppression:
        return Suppression.objects.create(**{"account": self.account, "address": address, "reason": reason} | values)

    def release(self, suppression: Suppression) -> str:
        return reverse("campaigns:suppression_release", args=[suppression.pk])


class SuppressionListTest(SuppressionTestCase):
    def test_it_shows_reason_and_evidence(self) -> None:
        self.make(evidence={"text": "550 5.1.1 unknown"})
        response = self.client.get(self.url)
        for said in ("taro@example.jp", "No such address", "550 5.1.1 unknown"):
            self.assertContains(response, said)

    def test_it_filters_by_reason_and_address(self) -> None:
        self.make()
        self.make("hanako@example.jp", "complaint")
        for query in ({"reason": "complaint"}, {"q": "HANAKO"}):
            with self.subTest(query):
                shown = self.client.get(self.url, query).context["suppressions"]
                self.assertEqual([one.address for one in shown], ["hanako@example.jp"])

    def test_it_is_of_one_account(self) -> None:
        self.make(account=self.other_account)
        self.assertNotContains(self.client.get(self.url), "taro@example.jp")

    def test_htmx_gets_the_table_alone(self) -> None:
        response = self.client.get(self.url, headers={"HX-Request": "true"})
        self.assertTemplateNotUsed(response, "base.html")

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)

    def test_viewers_may_look(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.get(self.url).status_code, 200)
        self.assertEqual(self.client.get(self.create).status_code, 403)


class SuppressionCreateTest(SuppressionTestCase):
    def test_it_saves_who_and_why(self) -> None:
        self.client.post(self.create, {"address": "ｔａｒｏ＠example.jp", "note": "電話で"})
        found = Suppression.objects.get()
        self.assertEqual((found.address, found.reason, found.created_by), ("taro@example.jp", "manual", self.bob))
        self.assertEqual(found.evidence, {"text": "電話で"})

    def test_it_saves_an_address_once(self) -> None:
        self.make()
        self.client.post(self.create, {"address": "taro@example.jp"})
        self.assertEqual(Suppression.objects.get().reason, "user_unknown")

    def test_it_refuses_a_bad_address(self) -> None:
        for address in ("", "taro@"):
            with self.subTest(address):
                self.assertEqual(self.client.post(self.create, {"address": address}).status_code, 422)
                self.assertFalse(Suppression.objects.exists())


class SuppressionReleaseTest(SuppressionTestCase):
    def test_it_asks_first(self) -> None:
        self.assertContains(self.client.get(self.release(self.make())), "taro@example.jp")
        self.assertTrue(Suppression.objects.exists())

    def test_it_releases(self) -> None:
        self.assertRedirects(self.client.post(self.release(self.make())), self.url)
        self.assertFalse(Suppression.objects.exists())

    def test_what_a_reader_asked_for_stays(self) -> None:
        for reason in ("unsubscribed", "complaint"):
            with self.subTest(reason):
                response = self.client.post(self.release(self.make(f"{reason}@example.jp", reason)))
                self.assertEqual(response.status_code, 404)
        self.assertEqual(Suppression.objects.count(), 2)

    def test_strangers_get_404(self) -> None:
        suppression = self.make()
        self.client.force_login(self.charlie)
        self.assertEqual(self.client.post(self.release(suppression)).status_code, 404)
        self.assertTrue(Suppression.objects.exists())

    def test_what_holds_for_all_accounts_is_not_theirs(self) -> None:
        self.assertEqual(self.client.post(self.release(self.make(account=None))).status_code, 404)

    def test_it_requires_role(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.post(self.release(self.make())).status_code, 403)
