from __future__ import annotations

from django.urls import reverse

from tests.base import MailsalesTestCase

DATA = {
    "name": "株式会社青葉茶舗",
    "postal_address": "京都府京都市",
    "complaint_address": "help@aoba.example.jp",
    "time_zone": "Asia/Seoul",
}


class AccountEditTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.url = reverse("accounts:account_edit")

    def post(self, **changes: str) -> int:
        status = self.client.post(self.url, DATA | changes).status_code
        self.account.refresh_from_db()
        return status

    def test_it_saves(self) -> None:
        self.assertEqual(self.post(), 302)
        self.assertEqual((self.account.name, self.account.time_zone), ("株式会社青葉茶舗", "Asia/Seoul"))

    def test_it_shows_what_is_stored(self) -> None:
        self.assertContains(self.client.get(self.url), self.account.postal_address)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.post(), 302)
        self.assertEqual(self.account.name, "株式会社青葉商店")

    def test_it_requires_an_owner(self) -> None:
        self.client.force_login(self.bob)
        self.assertEqual(self.post(), 403)

    def test_it_refuses_an_unknown_zone(self) -> None:
        self.assertEqual(self.post(time_zone="Moon/Base"), 422)
        self.assertEqual(self.account.time_zone, "Asia/Tokyo")

    def test_it_refuses_an_empty_name(self) -> None:
        self.assertEqual(self.post(name=""), 422)

    def test_the_sidebar_keeps_the_stored_name_while_a_form_is_wrong(self) -> None:
        response = self.client.post(self.url, DATA | {"time_zone": "Moon/Base"})
        self.assertContains(response, "株式会社青葉商店", status_code=422)

    def test_it_refuses_other_methods(self) -> None:
        self.assertEqual(self.client.put(self.url).status_code, 405)
