from __future__ import annotations

from django.urls import reverse

from tests.base import MailsalesTestCase

VALUES = {"soft_bounce_days": 3, "soft_bounce_window": 14, "retry_days": 60, "fault_percent": 5}


class ThresholdsTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.url = reverse("accounts:account_thresholds")

    def save(self, **changes: int) -> int:
        status = self.client.post(self.url, VALUES | changes).status_code
        self.account.refresh_from_db()
        return status

    def test_the_page_shows_them_with_their_ranges(self) -> None:
        page = self.client.get(reverse("accounts:account_edit"))
        self.assertContains(page, "When addresses are let go")
        self.assertContains(page, "7 to 365.")

    def test_it_saves(self) -> None:
        self.assertEqual(self.save(), 302)
        self.assertEqual({name: getattr(self.account, name) for name in VALUES}, VALUES)

    def test_what_is_out_of_range_is_refused(self) -> None:
        for wrong in ({"soft_bounce_days": 31}, {"retry_days": 6}, {"fault_percent": 0}, {"soft_bounce_window": 91}):
            self.assertEqual(self.save(**wrong), 422, wrong)
        self.assertEqual(self.account.soft_bounce_days, 5)

    def test_more_days_than_the_window_has_are_refused(self) -> None:
        self.assertEqual(self.save(soft_bounce_days=20), 422)

    def test_only_owners_may(self) -> None:
        self.client.force_login(self.bob)
        self.assertEqual(self.save(), 403)

    def test_it_takes_a_post(self) -> None:
        self.assertEqual(self.client.get(self.url).status_code, 405)
