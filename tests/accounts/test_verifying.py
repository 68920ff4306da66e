from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from django.core.cache import cache
from django.urls import reverse
from django.utils.timezone import now

from accounts import verifying
from accounts.models import Notice, User
from tests.base import MailsalesTestCase


class VerifyingTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.vera)
        self.ask = reverse("accounts:address_verify")
        cache.delete(f"address_verify:{self.vera.pk}")

    def link(self, user: User | None = None) -> str:
        return reverse("accounts:address_confirm", args=[verifying.token_of(user or self.vera)])

    def is_verified(self) -> bool:
        self.vera.refresh_from_db()
        return self.vera.is_verified

    def test_the_page_says_that_it_is_not_confirmed(self) -> None:
        self.assertContains(self.client.get(reverse("accounts:security")), "Send me a confirmation")

    def test_it_sends_a_link(self) -> None:
        self.client.post(self.ask)
        notice = Notice.objects.of(self.account).get()
        self.assertEqual(notice.address, "vera@example.org")
        self.assertIn("/security/address/", notice.text)

    def test_it_sends_once_a_minute(self) -> None:
        self.client.post(self.ask)
        self.assertContains(self.client.post(self.ask, follow=True), "a moment ago")
        self.assertEqual(Notice.objects.count(), 1)

    def test_without_an_address_nothing_is_sent(self) -> None:
        User.objects.filter(pk=self.vera.pk).update(email="")
        self.assertContains(self.client.post(self.ask, follow=True), "There is no address")
        self.assertFalse(Notice.objects.exists())

    def test_opening_the_link_changes_nothing(self) -> None:
        self.assertContains(self.client.get(self.link()), "Yes, I read this address")
        self.assertFalse(self.is_verified())

    def test_the_button_confirms(self) -> None:
        self.client.post(self.link())
        self.assertTrue(self.is_verified())

    def test_it_works_for_the_person_who_asked_alone(self) -> None:
        self.assertEqual(self.client.post(self.link(self.bob)).status_code, 404)
        self.assertFalse(self.is_verified())

    def test_a_stranger_signs_in_first(self) -> None:
        link = self.link()
        self.client.logout()
        self.assertIn("/login/", self.client.post(link).headers["Location"])

    def test_another_address_voids_the_link_and_what_it_proved(self) -> None:
        link = self.link()
        self.client.post(link)
        User.objects.filter(pk=self.vera.pk).update(email="other@example.org")
        self.assertFalse(self.is_verified())
        self.assertEqual(self.client.post(link).status_code, 404)

    def test_it_works_for_three_days(self) -> None:
        link = self.link()
        for days, status in ((2, 200), (4, 404)):
            with patch("django.core.signing.time.time", return_value=(now() + timedelta(days=days)).timestamp()):
                self.assertEqual(self.client.get(link).status_code, status)

    def test_asking_takes_a_post(self) -> None:
        self.assertEqual(self.client.get(self.ask).status_code, 405)
