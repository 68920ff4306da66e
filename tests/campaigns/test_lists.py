from __future__ import annotations

from django.urls import reverse

from campaigns.models import Contact, MailingList
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list


class ListListTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.vera)
        self.url = reverse("campaigns:list_list")

    def test_it_counts_who_can_be_reached(self) -> None:
        make_contact(self.account, make_list(self.account))
        response = self.client.get(self.url)
        self.assertContains(response, "青葉だより")
        self.assertEqual(response.context["lists"][0].confirmed, 1)

    def test_it_invites_to_the_first(self) -> None:
        self.client.force_login(self.bob)
        self.assertContains(self.client.get(self.url), reverse("campaigns:list_create"))

    def test_it_is_of_one_account(self) -> None:
        make_list(self.other_account)
        self.assertNotContains(self.client.get(self.url), "青葉だより")

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)

    def test_it_refuses_a_post(self) -> None:
        self.assertEqual(self.client.post(self.url).status_code, 405)


class ListCreateTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:list_create")

    def test_it_saves(self) -> None:
        response = self.client.post(self.url, {"name": "会員", "about": "毎月"})
        self.assertRedirects(response, MailingList.objects.of(self.account).get().get_absolute_url())

    def test_it_refuses_a_name_that_is_empty_or_taken(self) -> None:
        make_list(self.account)
        for name in ("", "青葉だより"):
            with self.subTest(name):
                response = self.client.post(self.url, {"name": name})
                self.assertEqual((response.status_code, MailingList.objects.count()), (422, 1))

    def test_another_account_may_use_the_name(self) -> None:
        make_list(self.other_account)
        self.assertEqual(self.client.post(self.url, {"name": "青葉だより"}).status_code, 302)

    def test_it_requires_role(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.post(self.url, {"name": "会員"}).status_code, 403)
        self.assertFalse(MailingList.objects.exists())


class ListPagesTest(MailsalesTestCase):
    """Detail, edit, delete: one list of one account."""

    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        make_contact(self.account, self.list)
        make_contact(self.account, address="taro@example.jp", name="田中 太郎")
        self.client.force_login(self.bob)

    def url(self, view: str) -> str:
        return reverse(f"campaigns:list_{view}", args=[self.list.pk])

    def test_detail_shows_who_is_on_it(self) -> None:
        response = self.client.get(self.url("detail"))
        self.assertContains(response, "佐藤 花子")
        self.assertNotContains(response, "田中 太郎")

    def test_detail_answers_htmx_with_the_table_alone(self) -> None:
        response = self.client.get(self.url("detail"), {"q": "佐藤"}, headers={"HX-Request": "true"})
        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, "佐藤 花子")

    def test_strangers_get_404(self) -> None:
        self.client.force_login(self.charlie)
        for view in ("detail", "edit", "delete"):
            with self.subTest(view):
                self.assertEqual(self.client.get(self.url(view)).status_code, 404)

    def test_viewers_may_only_look(self) -> None:
        self.client.force_login(self.vera)
        found = [self.client.get(self.url(view)).status_code for view in ("detail", "edit", "delete")]
        self.assertEqual(found, [200, 403, 403])

    def test_edit_saves(self) -> None:
        self.client.post(self.url("edit"), {"name": "若葉だより"})
        self.list.refresh_from_db()
        self.assertEqual(self.list.name, "若葉だより")

    def test_edit_refuses_an_empty_name(self) -> None:
        self.assertEqual(self.client.post(self.url("edit"), {"name": " "}).status_code, 422)

    def test_delete_asks_first(self) -> None:
        self.assertContains(self.client.get(self.url("delete")), "青葉だより")
        self.assertTrue(MailingList.objects.exists())

    def test_delete_leaves_the_contacts(self) -> None:
        self.client.post(self.url("delete"))
        self.assertFalse(MailingList.objects.exists())
        self.assertEqual(Contact.objects.count(), 2)

    def test_a_list_that_a_campaign_uses_stays(self) -> None:
        make_campaign(self.account, list=self.list)
        self.client.post(self.url("delete"))
        self.assertTrue(MailingList.objects.exists())
