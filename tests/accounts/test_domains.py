from __future__ import annotations

from django.urls import reverse

from accounts.domains.making import make_domain
from accounts.models import AuditEntry, Domain
from tests.base import MailsalesTestCase
from tests.make import make_sender


class DomainListTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.url = reverse("accounts:domain_list")

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertIn("/login/", self.client.get(self.url).headers["Location"])

    def test_an_empty_one_offers_the_first_step(self) -> None:
        self.assertContains(self.client.get(self.url), "Add your first sending domain")

    def test_it_shows_state_and_senders(self) -> None:
        make_sender(self.account)
        answer = self.client.get(self.url)
        self.assertContains(answer, "Ready")
        self.assertContains(answer, "1 sender")

    def test_members_may_look(self) -> None:
        make_domain(self.account, "aoba.example.jp")
        self.client.force_login(self.vera)
        answer = self.client.get(self.url)
        self.assertContains(answer, "aoba.example.jp")
        self.assertNotContains(answer, "Add a domain")

    def test_it_is_of_one_account(self) -> None:
        make_domain(self.other_account, "midori.example.jp")
        self.assertNotContains(self.client.get(self.url), "midori.example.jp")

    def test_it_takes_no_post(self) -> None:
        self.assertEqual(self.client.post(self.url).status_code, 405)


class DomainCreateTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.url = reverse("accounts:domain_create")

    def test_it_makes_one_with_keys(self) -> None:
        answer = self.client.post(self.url, {"name": "https://www.Aoba.example.jp/shop"})
        domain = Domain.objects.of(self.account).get()
        self.assertRedirects(answer, reverse("accounts:domain_detail", args=[domain.pk]), fetch_redirect_response=False)
        self.assertEqual(domain.name, "aoba.example.jp")
        self.assertEqual(domain.keys.count(), 4)

    def test_it_is_written_down(self) -> None:
        self.client.post(self.url, {"name": "aoba.example.jp"})
        self.assertEqual(AuditEntry.objects.get().about, "aoba.example.jp")

    def test_mailboxes_for_everybody_are_refused_in_words(self) -> None:
        for name in ("gmail.com", "docomo.ne.jp", "taro@yahoo.co.jp"):
            self.assertContains(self.client.post(self.url, {"name": name}), "Only the provider itself", status_code=422)
        self.assertFalse(Domain.objects.exists())

    def test_what_is_no_domain_is_refused_in_words(self) -> None:
        self.assertContains(self.client.post(self.url, {"name": "青葉商店"}), "This is no domain", status_code=422)
        self.assertContains(self.client.post(self.url, {"name": ""}), "Enter a domain", status_code=422)

    def test_the_same_again_is_refused(self) -> None:
        make_domain(self.account, "aoba.example.jp")
        answer = self.client.post(self.url, {"name": "aoba.example.jp"})
        self.assertContains(answer, "in your list already", status_code=422)

    def test_another_account_may_try_as_well(self) -> None:
        make_domain(self.other_account, "aoba.example.jp")
        self.assertEqual(self.client.post(self.url, {"name": "aoba.example.jp"}).status_code, 302)

    def test_it_requires_an_owner(self) -> None:
        self.client.force_login(self.bob)
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(self.client.post(self.url, {"name": "aoba.example.jp"}).status_code, 403)
