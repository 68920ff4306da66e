from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from tests.base import PASSWORD, MailsalesTestCase

NEW = "five even quieter words here"


class SecurityTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.vera)
        self.url = reverse("accounts:password_change")

    def change(self, **changes: str) -> int:
        data = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW} | changes
        status = self.client.post(self.url, data).status_code
        self.vera.refresh_from_db()
        return status

    def test_it_changes_the_password(self) -> None:
        self.assertEqual(self.change(), 302)
        self.assertTrue(self.vera.check_password(NEW))

    def test_it_keeps_this_session(self) -> None:
        self.change()
        self.assertEqual(self.client.get(reverse("accounts:security")).status_code, 200)

    def test_it_requires_the_old_password(self) -> None:
        self.assertEqual(self.change(old_password="wrong words here"), 422)
        self.assertTrue(self.vera.check_password(PASSWORD))

    def test_it_refuses_a_weak_password(self) -> None:
        self.assertEqual(self.change(new_password1="short", new_password2="short"), 422)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.change(), 302)
        self.assertTrue(self.vera.check_password(PASSWORD))

    def test_it_refuses_a_get(self) -> None:
        self.assertEqual(self.client.get(self.url).status_code, 405)


class LanguageSwitchTest(MailsalesTestCase):
    def choose(self, language: str, back: str = "/security/") -> str:
        data = {"language": language, "next": back}
        return self.client.post(reverse("accounts:language_switch"), data).headers["Location"]

    def test_a_member_keeps_it(self) -> None:
        self.client.force_login(self.alice)
        self.choose(User.Language.JAPANESE)
        self.assertContains(self.client.get(reverse("accounts:security")), "安全の設定")

    def test_a_stranger_gets_a_cookie(self) -> None:
        self.choose("en")
        self.assertEqual(self.client.cookies[settings.LANGUAGE_COOKIE_NAME].value, "en")

    def test_it_goes_back(self) -> None:
        self.assertEqual(self.choose("en"), "/security/")

    def test_it_goes_nowhere_else(self) -> None:
        self.assertEqual(self.choose("en", "https://evil.example.com/"), "/")

    def test_it_ignores_a_language_that_is_not_spoken_here(self) -> None:
        self.client.force_login(self.alice)
        self.choose("fr")
        self.alice.refresh_from_db()
        self.assertEqual(self.alice.language, "en")
