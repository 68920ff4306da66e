from __future__ import annotations

from django.test import override_settings
from django.urls import reverse

from accounts.domains.making import make_domain
from accounts.models import DkimKey, Domain, Sender
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_sender


class SendersTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.url = reverse("accounts:sender_create")

    def post(self, address: str = "tayori@new.example.jp", name: str = "青葉だより") -> int:
        return self.client.post(self.url, {"name": name, "address": address}).status_code

    def test_it_creates_one(self) -> None:
        self.assertEqual(self.post(), 302)
        self.assertEqual(str(Sender.objects.of(self.account).get()), "青葉だより <tayori@new.example.jp>")

    def test_a_new_domain_gets_keys_that_sign_and_the_next_ones(self) -> None:
        self.post()
        keys = DkimKey.objects.of(self.account).filter(domain__name="new.example.jp").order_by("selector")
        states = {key.selector: str(key.state) for key in keys}
        self.assertEqual(states, {"e1": "current", "e2": "next", "m1": "current", "m2": "next"})

    def test_their_private_halves_are_sealed(self) -> None:
        self.post()
        for key in DkimKey.objects.all():
            self.assertTrue(key.private_key.startswith("-----BEGIN PRIVATE KEY"))
            self.assertNotIn("PRIVATE KEY", key.sealed_private_key)

    def test_a_known_domain_keeps_its_keys(self) -> None:
        keys = set(make_domain(self.account, "new.example.jp").keys.all())
        self.post()
        self.assertEqual(set(DkimKey.objects.all()), keys)

    def test_two_accounts_have_keys_of_their_own(self) -> None:
        make_domain(self.other_account, "new.example.jp")
        self.post()
        self.assertEqual(Domain.objects.filter(name="new.example.jp").count(), 2)

    def test_a_full_width_address_is_folded(self) -> None:
        self.post("ｔａｙｏｒｉ＠new.example.jp")
        self.assertEqual(Sender.objects.get().address, "tayori@new.example.jp")

    def test_bad_input_is_refused(self) -> None:
        self.assertEqual(self.post("tayori"), 422)
        self.assertFalse(Sender.objects.exists())

    def test_the_same_again_is_refused(self) -> None:
        self.post()
        self.assertEqual(self.post(), 422)

    def test_it_requires_an_owner(self) -> None:
        self.client.force_login(self.bob)
        self.assertEqual(self.post(), 403)

    def test_members_see_the_list(self) -> None:
        make_sender(self.account)
        self.client.force_login(self.vera)
        self.assertContains(self.client.get(reverse("accounts:sender_list")), "tayori@aoba.example.jp")

    def test_the_list_shows_the_state_of_the_domain(self) -> None:
        sender = make_sender(self.account)
        page = self.client.get(reverse("accounts:sender_list"))
        self.assertContains(page, "Ready")
        self.assertContains(page, reverse("accounts:domain_detail", args=[sender.domain_id]))

    def test_a_domain_that_is_not_confirmed_is_said_in_words(self) -> None:
        answer = self.client.post(self.url, {"name": "青葉だより", "address": "tayori@new.example.jp"}, follow=True)
        self.assertContains(answer, "new.example.jp is not confirmed. Emails from it go through the sandbox")

    def test_in_the_sandbox_a_confirmed_domain_sends_nothing_out(self) -> None:
        make_sender(self.account)
        self.assertContains(self.client.get(self.url), "this account sends everything to the sandbox")

    @override_settings(DEFAULT_ROUTE="mx")
    def test_the_form_says_where_emails_go(self) -> None:
        make_sender(self.account)
        make_domain(self.account, "new.example.jp")
        page = self.client.get(self.url)
        self.assertContains(page, "Emails from aoba.example.jp go out to everybody.")
        self.assertContains(page, "new.example.jp is not confirmed.")

    def test_the_list_is_of_one_account(self) -> None:
        make_sender(self.account)
        self.client.force_login(self.charlie)
        self.assertNotContains(self.client.get(reverse("accounts:sender_list")), "tayori@aoba.example.jp")


class SenderEditTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.sender = make_sender(self.account)
        self.edit = reverse("accounts:sender_edit", args=[self.sender.pk])
        self.delete = reverse("accounts:sender_delete", args=[self.sender.pk])

    def test_it_changes_one(self) -> None:
        self.client.post(self.edit, {"name": "卸売部", "address": "oroshi@aoba.example.jp"})
        self.sender.refresh_from_db()
        self.assertEqual(str(self.sender), "卸売部 <oroshi@aoba.example.jp>")

    def test_a_stranger_finds_nothing(self) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.client.get(self.edit).status_code, 404)
        self.assertEqual(self.client.post(self.delete).status_code, 404)

    def test_deleting_asks_first(self) -> None:
        self.assertContains(self.client.get(self.delete), "Delete the sender")
        self.assertTrue(Sender.objects.exists())

    def test_it_deletes(self) -> None:
        self.client.post(self.delete)
        self.assertFalse(Sender.objects.exists())

    def test_one_that_a_campaign_uses_stays(self) -> None:
        make_campaign(self.account, sender=self.sender)
        self.assertContains(self.client.post(self.delete, follow=True), "so it stays")
        self.assertTrue(Sender.objects.exists())
