from __future__ import annotations

from django.urls import reverse

from campaigns.models import Contact, ContactField, MailingList, Subscription, Suppression
from tests.base import MailsalesTestCase
from tests.make import make_contact, make_list


class ContactListTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.vera)
        self.url = reverse("campaigns:contact_list")

    def test_it_shows_them(self) -> None:
        make_contact(self.account, make_list(self.account))
        response = self.client.get(self.url)
        self.assertContains(response, "佐藤 花子")
        self.assertContains(response, "hanako.sato@example.jp")
        self.assertContains(response, "Reachable")

    def test_it_invites_to_an_import(self) -> None:
        self.assertContains(self.client.get(self.url), "Import your contacts")

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)

    def test_it_is_of_one_account(self) -> None:
        make_contact(self.other_account)
        self.assertNotContains(self.client.get(self.url), "hanako.sato")

    def test_it_refuses_a_post(self) -> None:
        self.assertEqual(self.client.post(self.url).status_code, 405)

    def test_htmx_gets_the_table_alone(self) -> None:
        response = self.client.get(self.url, headers={"HX-Request": "true"})
        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, 'id="contact-table"')

    def test_it_shows_who_left_and_who_is_suppressed(self) -> None:
        gone = make_contact(self.account, make_list(self.account))
        Subscription.objects.filter(contact=gone).update(status="unsubscribed", unsubscribed_at="2026-01-01T00:00:00Z")
        response = self.client.get(self.url)
        self.assertNotContains(response, "Reachable")
        self.assertContains(response, "Unsubscribed")
        Suppression.objects.create(account=self.account, address=gone.address, reason="complaint")
        self.assertContains(self.client.get(self.url), "Suppressed")

    def test_it_filters_by_list(self) -> None:
        own = make_list(self.account)
        make_contact(self.account, own)
        make_contact(self.account, address="taro@example.jp")
        response = self.client.get(self.url, {"list": own.pk})
        self.assertEqual([row["contact"].address for row in response.context["contacts"]], ["hanako.sato@example.jp"])

    def test_it_ignores_the_list_of_another_account(self) -> None:
        make_contact(self.account)
        response = self.client.get(self.url, {"list": make_list(self.other_account).pk})
        self.assertEqual(len(response.context["contacts"]), 1)

    def test_it_pages_by_key(self) -> None:
        made = [make_contact(self.account, address=f"p{number}@example.jp") for number in range(51)]
        following = self.client.get(self.url).context["page"].following
        self.assertEqual(following, f"?after={made[1].pk}")
        shown = self.client.get(self.url + following).context["contacts"]
        self.assertEqual([row["contact"] for row in shown], [made[0]])


class ContactCreateTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:contact_create")

    def test_it_saves_a_contact_with_list_and_basis(self) -> None:
        own = make_list(self.account)
        ContactField.objects.create(account=self.account, key="company", label="会社名")
        typed = {
            "address": "ｔａｒｏ＠example.jp",
            "name": "髙橋 太郎",
            "own_company": "青葉",
            "lists": own.pk,
            "basis": "card",
        }
        response = self.client.post(self.url, typed)
        contact = Contact.objects.get()
        self.assertRedirects(response, contact.get_absolute_url())
        self.assertEqual(
            (contact.address, contact.name, contact.fields), ("taro@example.jp", "髙橋 太郎", {"company": "青葉"})
        )
        self.assertEqual(Subscription.objects.get(contact=contact).basis, "card")

    def test_it_takes_an_old_address_of_a_carrier(self) -> None:
        self.client.post(self.url, {"address": "abc.@docomo.ne.jp", "basis": "consent"})
        self.assertEqual(Contact.objects.get().address, "abc.@docomo.ne.jp")

    def test_it_refuses_a_bad_or_known_address(self) -> None:
        make_contact(self.account)
        for address in ("", "nobody", "hanako.sato@example.jp"):
            with self.subTest(address):
                response = self.client.post(self.url, {"address": address, "basis": "consent"})
                self.assertEqual((response.status_code, Contact.objects.count()), (422, 1))

    def test_it_refuses_the_list_of_another_account(self) -> None:
        typed = {"address": "taro@example.jp", "lists": make_list(self.other_account).pk, "basis": "consent"}
        self.assertEqual(self.client.post(self.url, typed).status_code, 422)
        self.assertFalse(Contact.objects.exists())

    def test_it_requires_role(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.get(self.url).status_code, 403)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)


class ContactPagesTest(MailsalesTestCase):
    """Detail, edit, delete: one contact of one account."""

    def setUp(self) -> None:
        super().setUp()
        self.contact = make_contact(self.account, make_list(self.account), fields={"company": "青葉"})
        self.client.force_login(self.bob)

    def url(self, view: str) -> str:
        return reverse(f"campaigns:contact_{view}", args=[self.contact.pk])

    def test_detail_shows_facts_and_lists(self) -> None:
        response = self.client.get(self.url("detail"))
        for said in ("佐藤 花子", "青葉", "青葉だより", "Their own consent"):
            self.assertContains(response, said)

    def test_detail_shows_that_nothing_is_sent(self) -> None:
        Suppression.objects.create(account=self.account, address=self.contact.address, reason="complaint")
        self.assertContains(self.client.get(self.url("detail")), "Reported as spam")

    def test_strangers_get_404(self) -> None:
        self.client.force_login(self.charlie)
        for view in ("detail", "edit", "delete"):
            with self.subTest(view):
                self.assertEqual(self.client.get(self.url(view)).status_code, 404)

    def test_viewers_may_only_look(self) -> None:
        self.client.force_login(self.vera)
        found = {view: self.client.get(self.url(view)).status_code for view in ("detail", "edit", "delete")}
        self.assertEqual(found, {"detail": 200, "edit": 403, "delete": 403})

    def test_edit_saves(self) -> None:
        self.client.post(self.url("edit"), {"address": "hanako@example.com", "name": "鈴木 花子"})
        self.contact.refresh_from_db()
        self.assertEqual((self.contact.address, self.contact.name), ("hanako@example.com", "鈴木 花子"))
        self.assertEqual(self.contact.destination.name, "example.com")

    def test_edit_refuses_a_bad_address(self) -> None:
        response = self.client.post(self.url("edit"), {"address": "hanako@", "name": "鈴木"})
        self.contact.refresh_from_db()
        self.assertEqual((response.status_code, self.contact.name), (422, "佐藤 花子"))

    def test_delete_asks_first(self) -> None:
        self.assertContains(self.client.get(self.url("delete")), "hanako.sato@example.jp")
        self.assertTrue(Contact.objects.exists())

    def test_delete_deletes_and_leaves_the_list(self) -> None:
        self.client.post(self.url("delete"))
        self.assertFalse(Contact.objects.exists())
        self.assertTrue(MailingList.objects.exists())


class ContactExportTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        ContactField.objects.create(account=self.account, key="company", label="会社名")
        make_contact(self.account, name="髙橋 𠮷子", fields={"company": "青葉"})
        make_contact(self.other_account, address="stranger@example.jp")
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:contact_export")

    def body(self, encoding: str) -> bytes:
        return b"".join(self.client.get(self.url, {"encoding": encoding}).streaming_content)  # type: ignore[attr-defined]

    def test_it_tells_which_characters_cp932_cannot_hold(self) -> None:
        response = self.client.get(self.url)
        self.assertEqual(response.context["missing"], ["𠮷"])
        self.assertContains(response, "𠮷")

    def test_it_exports_for_excel(self) -> None:
        lines = self.body("cp932").decode("cp932").splitlines()
        self.assertEqual(lines, ["Address,Name,会社名", "hanako.sato@example.jp,髙橋 〓子,青葉"])

    def test_it_exports_utf_8_with_a_mark(self) -> None:
        self.assertTrue(self.body("utf-8").startswith(b"\xef\xbb\xbf"))
        self.assertIn("髙橋 𠮷子", self.body("utf-8").decode())

    def test_it_exports_one_account(self) -> None:
        self.assertNotIn(b"stranger", self.body("utf-8"))

    def test_it_refuses_another_encoding(self) -> None:
        self.assertEqual(self.client.get(self.url, {"encoding": "ebcdic"}).status_code, 422)

    def test_it_requires_role(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.get(self.url).status_code, 403)
