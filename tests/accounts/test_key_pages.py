from __future__ import annotations

from django.urls import reverse

from accounts.models import DkimKey
from mailsales.dkim_keys import RSA, make_key
from tests.accounts.domains import DomainTestCase


class KeyPagesTestCase(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.rotate = reverse("accounts:key_rotate", args=[self.domain.pk])
        self.take = reverse("accounts:key_import", args=[self.domain.pk])

    def signing(self) -> set[str]:
        return set(DkimKey.objects.signing().values_list("selector", flat=True))


class KeyRotateTest(KeyPagesTestCase):
    def test_it_asks_first(self) -> None:
        self.publish()
        self.recheck()
        self.assertContains(self.client.get(self.rotate), "Change the signing keys of aoba.example.jp now?")
        self.assertEqual(self.signing(), {"m1", "e1"})

    def test_the_next_keys_sign(self) -> None:
        self.publish()
        self.recheck()
        self.assertContains(self.client.post(self.rotate, follow=True), "These keys sign now")
        self.assertEqual(self.signing(), {"m2", "e2"})

    def test_keys_that_are_not_in_dns_never_sign(self) -> None:
        self.assertContains(self.client.get(self.rotate), "The next keys are not in DNS yet")
        self.assertContains(self.client.post(self.rotate, follow=True), "nothing was changed")
        self.assertEqual(self.signing(), {"m1", "e1"})

    def test_only_owners_may(self) -> None:
        self.client.force_login(self.bob)
        self.assertEqual(self.client.post(self.rotate).status_code, 403)
        self.assertEqual(self.client.get(self.take).status_code, 403)

    def test_a_stranger_finds_nothing(self) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.client.post(self.rotate).status_code, 404)
        self.assertEqual(self.client.post(self.take).status_code, 404)


class KeyImportTest(KeyPagesTestCase):
    def post(self, selector: str = "s2024", pem: str = "") -> int:
        return self.client.post(self.take, {"selector": selector, "pem": pem or make_key(RSA)[0]}).status_code

    def test_it_takes_a_key(self) -> None:
        self.assertEqual(self.post(), 302)
        key = DkimKey.objects.get(selector="s2024")
        self.assertTrue(key.is_imported)
        self.assertNotIn("PRIVATE KEY", key.sealed_private_key)

    def test_a_whole_record_name_is_cut(self) -> None:
        self.post("S2024._domainkey.aoba.example.jp")
        self.assertTrue(DkimKey.objects.filter(selector="s2024").exists())

    def test_what_is_no_key_is_refused_and_nothing_saved(self) -> None:
        self.assertEqual(self.post(pem="-----BEGIN nonsense"), 422)
        self.assertEqual(self.post(selector="a b"), 422)
        self.assertEqual(self.post(selector="m1"), 422)
        self.assertEqual(DkimKey.objects.filter(is_imported=True).count(), 0)

    def test_it_is_never_shown_again(self) -> None:
        pem = make_key(RSA)[0]
        self.post(pem=pem)
        page = self.client.get(reverse("accounts:domain_detail", args=[self.domain.pk])).content.decode()
        self.assertNotIn(pem.splitlines()[1], page)
