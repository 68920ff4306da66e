from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from campaigns.models import Suppression
from delivery.models import Strike
from mailsales.wall import wall
from tests.base import MailsalesTestCase


class UndoTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.alice)
        self.url = reverse("campaigns:suppression_undo")
        self.now = timezone.localtime()

    def make(self, address: str, reason: str = "user_unknown", hours_ago: int = 0, **values: Any) -> Suppression:
        told = {"account": self.account, "address": address, "reason": reason}
        suppression = Suppression.objects.create(**told | values)
        Suppression.objects.filter(pk=suppression.pk).update(created_at=self.now - timedelta(hours=hours_ago))
        return suppression

    def span(self, *reasons: str, hours: int = 1) -> dict[str, Any]:
        return {
            "since": self.said(-timedelta(hours=hours)),
            "until": self.said(timedelta(minutes=1)),
            "reasons": reasons,
        }

    def said(self, later: timedelta) -> str:
        """Return a time in the account's zone, as a browser sends it."""
        return timezone.localtime(self.now + later, ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%dT%H:%M")

    def post(self, *reasons: str, hours: int = 1) -> Any:
        with wall(self.account.pk):  # as the web process works
            return self.client.post(self.url, self.span(*reasons, hours=hours))

    def left(self) -> set[str]:
        return set(Suppression.objects.values_list("address", flat=True))


class SuppressionUndoTest(UndoTestCase):
    def test_it_shows_what_it_would_release_and_changes_nothing(self) -> None:
        self.make("taro@example.jp", evidence={"text": "550 5.1.1 unknown"})
        response = self.client.get(self.url, self.span("user_unknown"))
        self.assertContains(response, "taro@example.jp")
        self.assertContains(response, "Mail 1 address again")
        self.assertEqual(self.left(), {"taro@example.jp"})

    def test_it_releases_a_time_span_and_reasons(self) -> None:
        self.make("taro@example.jp")
        self.make("old@example.jp", hours_ago=3)
        self.make("full@example.jp", "mailbox_full")
        self.assertRedirects(self.post("user_unknown"), reverse("campaigns:suppression_list"))
        self.assertEqual(self.left(), {"old@example.jp", "full@example.jp"})

    def test_wishes_and_what_a_person_added_stay(self) -> None:
        self.make("a@example.jp", "unsubscribed")
        self.make("b@example.jp", "complaint")
        self.make("c@example.jp", created_by=self.bob)
        self.make("d@example.jp")
        self.assertEqual(self.post("unsubscribed", "complaint", "user_unknown").status_code, 422)
        self.post("user_unknown")
        self.assertEqual(self.left(), {"a@example.jp", "b@example.jp", "c@example.jp"})

    def test_of_others_and_of_all_nothing_is_released(self) -> None:
        self.make("a@example.jp", account=self.other_account)
        self.make("b@example.jp", account=None)
        self.make("c@example.jp")
        self.post("user_unknown")
        self.assertEqual(self.left(), {"a@example.jp", "b@example.jp"})

    def test_their_failures_are_forgotten(self) -> None:
        self.make("taro@example.jp")
        for address in ("taro@example.jp", "jiro@example.jp"):
            told = {"account": self.account, "address": address, "reason": "mailbox_full", "message_id": 0}
            Strike.objects.create(**told, on=self.now.date())
        self.post("user_unknown")
        self.assertEqual([strike.address for strike in Strike.objects.all()], ["jiro@example.jp"])

    def test_it_is_written_down(self) -> None:
        self.make("taro@example.jp")
        self.post("user_unknown")
        entry = AuditEntry.objects.get(action="suppression.undo")
        self.assertEqual((entry.user, entry.details["count"]), (self.alice, 1))
        self.assertEqual(entry.details["reasons"], ["user_unknown"])
        self.assertLess(entry.details["since"], entry.details["until"])

    def test_bad_input_changes_nothing(self) -> None:
        self.make("taro@example.jp")
        self.assertEqual(self.post().status_code, 422)
        self.assertEqual(self.client.post(self.url, self.span("user_unknown") | {"since": "x"}).status_code, 422)
        turned = {"since": self.said(timedelta(minutes=5))}
        self.assertEqual(self.client.post(self.url, self.span("user_unknown") | turned).status_code, 422)
        self.assertEqual(self.left(), {"taro@example.jp"})

    def test_without_failures_there_is_nothing_to_undo(self) -> None:
        self.make("a@example.jp", "complaint")
        self.assertContains(self.client.get(self.url), "There is nothing to undo")

    def test_it_is_an_owner_s_matter(self) -> None:
        for user in (self.bob, self.vera):
            self.client.force_login(user)
            self.assertEqual(self.post("user_unknown").status_code, 403)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)
