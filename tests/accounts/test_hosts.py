from __future__ import annotations

from django.test import override_settings

from tests.base import MailsalesTestCase

SITE = "mail.example.jp"


@override_settings(IS_PRODUCTION=True, OWN_HOSTS=[SITE])
class HostsTest(MailsalesTestCase):
    def status(self, path: str, host: str) -> int:
        return self.client.get(path, headers={"Host": host}).status_code

    def test_our_own_host_has_all_pages(self) -> None:
        self.assertEqual(self.status("/auth/login/", SITE), 200)
        self.assertEqual(self.status("/auth/login/", f"{SITE}:8000"), 200)

    def test_a_customers_host_has_what_mails_link_to(self) -> None:
        self.assertEqual(self.status("/v/test", "click.aoba.example.jp"), 200)

    def test_readers_pages_have_their_styles_there_too(self) -> None:
        for path in ("/static/nothing.css", "/b/1/0"):
            self.assertEqual(self.status(path, "click.aoba.example.jp"), 404)

    def test_readers_choose_a_language_there(self) -> None:
        response = self.client.post("/l/en", {"next": "/v/test"}, headers={"Host": "click.aoba.example.jp"})
        self.assertEqual((response.status_code, response["Location"]), (303, "/v/test"))

    def test_nothing_else_is_there_under_another_name(self) -> None:
        for host in ("click.aoba.example.jp", "evil.example", ""):
            self.assertEqual(self.status("/auth/login/", host), 400)
