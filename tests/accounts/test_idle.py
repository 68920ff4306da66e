from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from django.urls import reverse

from tests.base import MailsalesTestCase
from tests.make import make_campaign

NOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


class IdleTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.url = reverse("accounts:security")
        self.polled = reverse("campaigns:campaign_test", args=[make_campaign(self.account).pk])
        with time_machine.travel(NOON, tick=False):
            self.client.force_login(self.alice)
            self.client.get(self.url)

    def after(self, minutes: float, url: str = "", **headers: str) -> int:
        """Return the status of a request that comes so many minutes after noon."""
        with time_machine.travel(NOON + timedelta(minutes=minutes), tick=False):
            return self.client.get(url or self.url, headers=headers).status_code

    def poll(self, minutes: float) -> int:
        return self.after(minutes, self.polled, HX_Request="true")

    def test_a_session_outlasts_fourteen_minutes(self) -> None:
        self.assertEqual(self.after(14), 200)

    def test_it_ends_after_fifteen(self) -> None:
        self.assertEqual(self.after(15), 302)
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_action_extends_it(self) -> None:
        self.after(10)
        self.assertEqual(self.after(24), 200)

    def test_polling_does_not(self) -> None:
        self.assertEqual(self.poll(10), 200)
        self.assertEqual(self.after(16), 302)

    def test_a_polled_page_opened_by_a_person_does(self) -> None:
        self.after(10, self.polled)
        self.assertEqual(self.after(16), 200)

    def test_staying_does(self) -> None:
        with time_machine.travel(NOON + timedelta(minutes=14.5), tick=False):
            response = self.client.post(reverse("accounts:stay"))
        self.assertEqual(response.headers["Idle-Left"], "900")
        self.assertEqual(self.after(28), 200)

    def test_each_answer_says_how_long_is_left(self) -> None:
        with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
            response = self.client.get(self.polled, headers={"HX-Request": "true"})
        self.assertEqual(response.headers["Idle-Left"], "300")

    def test_the_page_says_so_too(self) -> None:
        with time_machine.travel(NOON, tick=False):
            self.assertContains(self.client.get(self.url), 'data-idle="900"')

    def test_who_comes_back_gets_where_they_were(self) -> None:
        with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
            response = self.client.get(self.url)
        self.assertRedirects(response, f"/auth/login/?next={self.url}")

    def test_htmx_is_sent_to_the_whole_page(self) -> None:
        with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
            response = self.client.get(self.polled, headers={"HX-Request": "true"})
        self.assertEqual((response.status_code, response.headers["HX-Redirect"]), (204, "/auth/login/"))
