from __future__ import annotations

from datetime import timedelta

import time_machine
from axes.models import AccessAttempt
from django.urls import reverse
from django.utils import timezone

from tests.base import PASSWORD, MailsalesTestCase


class SignInTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = reverse("account_login")

    def sign_in(self, login: str, password: str = PASSWORD) -> int:
        return self.client.post(self.url, {"login": login, "password": password}).status_code

    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.client.session

    def fail(self, *logins: str) -> None:  # type: ignore[override]
        for login in logins:
            self.sign_in(login, "wrong words here")

    def test_it_shows_the_form(self) -> None:
        self.assertContains(self.client.get(self.url), 'autocomplete="current-password"')

    def test_a_login_id_signs_in(self) -> None:
        self.assertEqual(self.sign_in("alice"), 302)
        self.assertTrue(self.is_signed_in())

    def test_an_address_in_another_case_signs_in(self) -> None:
        self.assertEqual(self.sign_in("Alice@Example.ORG"), 302)
        self.assertTrue(self.is_signed_in())

    def test_a_wrong_password_does_not(self) -> None:
        self.sign_in("alice", "wrong words here")
        self.assertFalse(self.is_signed_in())

    def test_after_five_wrong_passwords_the_right_one_is_refused(self) -> None:
        self.fail("alice", "ALICE", "alice@example.org", "Alice@Example.Org", " alice ")
        self.assertEqual(self.sign_in("alice"), 429)
        self.assertFalse(self.is_signed_in())

    def test_a_lock_on_the_login_id_holds_for_the_address(self) -> None:
        self.fail(*["alice"] * 5)
        self.assertEqual(self.sign_in("ALICE@example.org"), 429)

    def test_four_wrong_passwords_lock_nobody(self) -> None:
        self.fail(*["alice"] * 4)
        self.assertEqual(self.sign_in("alice"), 302)

    def test_others_are_not_locked(self) -> None:
        self.fail(*["alice"] * 5)
        self.assertEqual(self.sign_in("bob"), 302)

    def test_a_success_forgets_what_went_wrong_before(self) -> None:
        self.fail(*["alice"] * 4)
        self.sign_in("alice")
        self.assertFalse(AccessAttempt.objects.exists())

    def test_the_lock_says_when_it_ends(self) -> None:
        self.fail(*["alice"] * 5)
        response = self.client.post(
            self.url, {"login": "alice", "password": PASSWORD}, headers={"Accept-Language": "en"}
        )
        self.assertContains(response, "locked for 30 minutes", status_code=429)

    def test_a_lock_ends(self) -> None:
        self.fail(*["alice"] * 5)
        with time_machine.travel(timezone.now() + timedelta(minutes=31)):
            self.assertEqual(self.sign_in("alice"), 302)

    def test_one_who_was_switched_off_is_told(self) -> None:
        self.alice.is_active = False
        self.alice.save()
        self.sign_in("alice")
        self.assertFalse(self.is_signed_in())

    def test_signing_out_takes_a_post(self) -> None:
        self.client.force_login(self.alice)
        self.assertEqual(self.client.get(reverse("account_logout")).status_code, 405)
        self.client.post(reverse("account_logout"))
        self.assertFalse(self.is_signed_in())

    def test_nobody_signs_up(self) -> None:
        self.assertEqual(self.client.get("/auth/signup/").status_code, 404)
