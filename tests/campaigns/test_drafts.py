from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import time_machine
from django.urls import reverse

from campaigns.models import Campaign, ContactField, TestSend
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_sender

TOKYO = ZoneInfo("Asia/Tokyo")


class DraftTestCase(MailsalesTestCase):
    """A draft that lacks nothing, and Bob to work on it."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.list = make_list(self.account)
        self.contact = make_contact(self.account, self.list)
        self.draft = make_campaign(self.account, list=self.list, sender=make_sender(self.account))

    def url(self, view: str) -> str:
        return reverse(f"campaigns:campaign_{view}", args=[self.draft.pk])


class CampaignEditTest(DraftTestCase):
    def post(self, htmx: bool = False, **changes: object) -> Any:
        data: dict[str, object] = {
            "name": "新茶",
            "subject": "新茶です",
            "editor": self.draft.editor,
            "html": "<p>こんにちは</p>",
        }
        data |= {"list": self.list.pk, "sender": self.draft.sender_id} | changes
        response = self.client.post(self.url("edit"), data, headers={"HX-Request": "true"} if htmx else {})
        self.draft.refresh_from_db()
        return response

    def test_it_saves(self) -> None:
        self.assertRedirects(self.post(), self.url("edit"))
        self.assertEqual((self.draft.subject, self.draft.revision), ("新茶です", 1))

    def test_it_goes_on_to_the_schedule(self) -> None:
        self.assertRedirects(self.post(next="schedule"), self.url("schedule"))

    def test_it_goes_on_to_the_test(self) -> None:
        self.assertRedirects(self.post(next="test"), self.url("test"))

    def test_it_saves_while_one_writes(self) -> None:
        response = self.post(htmx=True)
        self.assertContains(response, "Saved automatically")
        self.assertTemplateNotUsed(response, "base.html")
        self.assertEqual(response.headers["HX-Trigger"], "campaign-saved")

    def test_htmx_gets_the_preview_alone(self) -> None:
        response = self.client.get(self.url("edit"), {"contact": self.contact.address}, headers={"HX-Request": "true"})
        self.assertContains(response, "佐藤 花子様、新茶フェアを開きます")
        self.assertTemplateNotUsed(response, "base.html")

    def test_bad_input_saves_nothing(self) -> None:
        self.assertEqual(self.post(name="").status_code, 422)
        self.assertEqual(self.draft.revision, 0)

    def test_a_wrong_merge_tag_is_saved_and_named(self) -> None:
        self.post(html="<p>{{ name | }}</p>")
        self.assertContains(self.client.get(self.url("edit")), "This merge tag is not complete")

    def test_a_scheduled_campaign_is_not_found(self) -> None:
        self.draft.schedule(None)
        self.assertEqual(self.post().status_code, 404)

    def test_one_scheduled_meanwhile_is_not_changed(self) -> None:
        with patch.object(Campaign, "save_content", return_value=False):
            self.assertEqual(self.post().status_code, 302)
        self.assertEqual(self.draft.subject, "{{ name }}様、新茶フェアを開きます")

    def test_the_simple_editor_becomes_code(self) -> None:
        self.post(switch="code")
        self.assertEqual((self.draft.editor, self.draft.html), ("code", "<p>こんにちは</p>"))

    def test_code_becomes_simple_when_nothing_is_lost(self) -> None:
        self.post(editor="code", switch="rich")
        self.assertEqual(self.draft.editor, "rich")

    def test_code_stays_code_when_something_would_be_lost(self) -> None:
        self.post(switch="code")
        response = self.post(editor="code", switch="rich", html="<table><tr><td>新茶</td></tr></table>")
        self.assertContains(response, "cannot show all of this HTML", status_code=422)
        self.assertEqual(self.draft.editor, "code")

    def test_it_offers_the_accounts_own_fields(self) -> None:
        ContactField.objects.create(account=self.account, key="company", label="会社名")
        self.assertContains(self.client.get(self.url("edit")), "{{ company | default: &quot;&quot; }}")

    def test_it_requires_a_writer(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.post().status_code, 403)

    def test_a_stranger_finds_nothing(self) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.post().status_code, 404)

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.post().status_code, 302)


class CampaignPreviewTest(DraftTestCase):
    def get(self, **query: str) -> Any:
        return self.client.get(self.url("preview"), query)

    def test_it_shows_the_mail_of_a_contact(self) -> None:
        Campaign.objects.filter(pk=self.draft.pk).update(html="<p>{{ name }} 様</p>")
        self.assertContains(self.get(contact=self.contact.address), "佐藤 花子 様")

    def test_it_shows_the_footer(self) -> None:
        self.assertContains(self.get(), "京都府京都市中京区青葉町1-2-3")

    def test_it_shows_the_text(self) -> None:
        response = self.get(part="text")
        self.assertEqual(response.headers["Content-Type"], "text/plain; charset=utf-8")

    def test_it_says_what_is_wrong_with_a_tag(self) -> None:
        Campaign.objects.filter(pk=self.draft.pk).update(html="<p>{{ name | }}</p>")
        self.assertContains(self.get(), "This merge tag is not complete")

    def test_it_lets_the_mail_do_nothing(self) -> None:
        policy = self.get().headers["Content-Security-Policy"]
        for directive in ("sandbox", "default-src 'none'", "frame-ancestors 'self'"):
            self.assertIn(directive, policy)
        self.assertNotIn("script-src", policy)

    def test_our_pages_may_frame_it(self) -> None:
        self.assertEqual(self.get().headers["X-Frame-Options"], "SAMEORIGIN")

    def test_a_contact_of_others_is_nobody(self) -> None:
        other = make_contact(self.other_account, address="x@example.jp", name="みどり")
        self.assertNotContains(self.get(contact=other.address), "みどり")

    def test_a_stranger_finds_nothing(self) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.get().status_code, 404)


@patch("campaigns.views.drafts.ring")
class CampaignTestTest(DraftTestCase):
    def post(self, addresses: str) -> int:
        return self.client.post(self.url("test"), {"addresses": addresses}).status_code

    def test_it_orders_a_copy_for_each_address(self, ring: object) -> None:
        self.assertEqual(self.post("a@example.jp\nb@example.jp, a@example.jp"), 302)
        self.assertEqual(sorted(test.address for test in TestSend.objects.all()), ["a@example.jp", "b@example.jp"])

    def test_it_rings(self, ring: object) -> None:
        self.post("a@example.jp")
        ring.assert_called_once_with("delivery.send_tests")  # type: ignore[attr-defined]

    def test_it_is_filled_in_for_the_first_person(self, ring: object) -> None:
        self.post("a@example.jp")
        self.assertEqual(TestSend.objects.get().contact, self.contact)

    def test_it_refuses_what_is_no_address(self, ring: object) -> None:
        self.assertEqual(self.post("a@example.jp\nhello"), 422)
        self.assertFalse(TestSend.objects.exists())

    def test_it_refuses_six(self, ring: object) -> None:
        self.assertEqual(self.post("\n".join(f"a{number}@example.jp" for number in range(6))), 422)

    def test_it_refuses_a_wrong_merge_tag(self, ring: object) -> None:
        Campaign.objects.filter(pk=self.draft.pk).update(html="<p>{{ name | }}</p>")
        self.assertEqual(self.post("a@example.jp"), 422)
        self.assertFalse(TestSend.objects.exists())

    def test_the_outcome_is_polled_while_one_waits(self, ring: object) -> None:
        self.post("a@example.jp")
        response = self.client.get(self.url("test"), headers={"HX-Request": "true"})
        self.assertContains(response, "every 2s")
        self.assertTemplateNotUsed(response, "base.html")

    def test_polling_ends_with_the_last_outcome(self, ring: object) -> None:
        self.post("a@example.jp")
        TestSend.objects.update(status="failed", reply="550 5.1.1 User unknown")
        response = self.client.get(self.url("test"), headers={"HX-Request": "true"})
        self.assertContains(response, "550 5.1.1 User unknown")
        self.assertNotContains(response, "every 2s")

    def test_a_viewer_may_not(self, ring: object) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.post("a@example.jp"), 403)

    def test_a_stranger_finds_nothing(self, ring: object) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.post("a@example.jp"), 404)


@patch("campaigns.views.drafts.ring")
class CampaignScheduleTest(DraftTestCase):
    def confirm(self, **data: str) -> int:
        status = self.client.post(self.url("confirm"), data).status_code
        self.draft.refresh_from_db()
        return status

    def test_it_counts_who_gets_it(self, ring: object) -> None:
        self.assertEqual(self.client.get(self.url("schedule")).context["audience"].total, 1)

    def test_asking_changes_nothing(self, ring: object) -> None:
        response = self.client.get(self.url("confirm"), {"when": "now"})
        self.assertContains(response, "Send “新茶フェアのご案内” to 1 person now?")
        self.draft.refresh_from_db()
        self.assertEqual(self.draft.status, "draft")

    def test_it_sends_now(self, ring: object) -> None:
        self.assertEqual((self.confirm(when="now"), self.draft.status), (302, "scheduled"))
        ring.assert_called_once_with("delivery.tick")  # type: ignore[attr-defined]

    @time_machine.travel(datetime(2026, 11, 24, 10, 0, tzinfo=TOKYO), tick=False)
    def test_it_sends_at_a_time_of_the_accounts_zone(self, ring: object) -> None:
        self.confirm(when="later", date="2026-11-26", time="10:07")
        self.assertEqual(self.draft.send_at, datetime(2026, 11, 26, 10, 7, tzinfo=TOKYO))

    @time_machine.travel(datetime(2026, 11, 24, 10, 0, tzinfo=TOKYO), tick=False)
    def test_it_refuses_a_time_that_has_passed(self, ring: object) -> None:
        self.assertEqual(self.confirm(when="later", date="2026-11-24", time="9:59"), 422)
        self.assertEqual(self.draft.status, "draft")

    def test_it_refuses_a_time_without_a_date(self, ring: object) -> None:
        self.assertEqual(self.confirm(when="later", time="9:59"), 422)

    def test_it_refuses_a_blocked_campaign(self, ring: object) -> None:
        Campaign.objects.filter(pk=self.draft.pk).update(subject="")
        self.assertEqual((self.confirm(when="now"), self.draft.status), (422, "draft"))

    def test_two_people_schedule_once(self, ring: object) -> None:
        self.confirm(when="now")
        self.assertEqual(self.confirm(when="now"), 404)

    def test_a_scheduled_one_shows_its_time(self, ring: object) -> None:
        self.draft.schedule(self.draft.created_at + timedelta(days=1))
        self.assertTemplateUsed(self.client.get(self.url("schedule")), "campaigns/campaign_scheduled.html")

    def test_a_viewer_may_not(self, ring: object) -> None:
        self.client.force_login(self.vera)
        self.assertEqual((self.confirm(when="now"), self.draft.status), (403, "draft"))

    def test_a_stranger_finds_nothing(self, ring: object) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual((self.confirm(when="now"), self.draft.status), (404, "draft"))
