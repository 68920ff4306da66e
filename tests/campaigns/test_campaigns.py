from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_list, make_sender


class CampaignListTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.vera)
        self.url = reverse("campaigns:campaign_list")

    def test_it_shows_them(self) -> None:
        make_campaign(self.account)
        self.assertContains(self.client.get(self.url), "新茶フェアのご案内")

    def test_it_invites_to_the_first(self) -> None:
        self.assertContains(self.client.get(self.url), "Create your first campaign")

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)

    def test_it_is_of_one_account(self) -> None:
        make_campaign(self.other_account)
        self.assertNotContains(self.client.get(self.url), "新茶フェアのご案内")

    def test_it_filters_by_state(self) -> None:
        make_campaign(self.account, name="残す", status="cancelled")
        make_campaign(self.account, name="隠す")
        response = self.client.get(self.url, {"status": "cancelled"})
        self.assertEqual([campaign.name for campaign in response.context["campaigns"]], ["残す"])

    def test_it_searches_name_and_subject(self) -> None:
        for name, subject in (("秋の便り", ""), ("A", "秋の新茶"), ("B", "冬")):
            make_campaign(self.account, name=name, subject=subject)
        response = self.client.get(self.url, {"q": "秋"})
        self.assertEqual([campaign.name for campaign in response.context["campaigns"]], ["A", "秋の便り"])

    def test_it_pages_by_key(self) -> None:
        made = [make_campaign(self.account, name=f"{number}") for number in range(51)]
        following = self.client.get(self.url).context["page"].following
        self.assertEqual(following, f"?after={made[1].pk}")
        self.assertEqual(list(self.client.get(self.url + following).context["campaigns"]), [made[0]])

    def test_it_pages_back(self) -> None:
        made = [make_campaign(self.account, name=f"{number}") for number in range(51)]
        page = self.client.get(self.url, {"before": made[0].pk}).context["page"]
        self.assertEqual((page.rows[0], page.rows[-1], page.previous), (made[50], made[1], ""))

    def test_htmx_gets_the_table_alone(self) -> None:
        response = self.client.get(self.url, headers={"HX-Request": "true"})
        self.assertTemplateNotUsed(response, "base.html")
        self.assertContains(response, 'id="campaign-table"')

    def test_it_refuses_a_post(self) -> None:
        self.assertEqual(self.client.post(self.url).status_code, 405)


class CampaignCreateTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.url = reverse("campaigns:campaign_create")

    def test_it_makes_a_draft(self) -> None:
        response = self.client.post(self.url, {"name": "冬のごあいさつ"})
        campaign = Campaign.objects.of(self.account).get()
        self.assertRedirects(response, reverse("campaigns:campaign_edit", args=[campaign.pk]))
        self.assertEqual((campaign.status, campaign.created_by), ("draft", self.bob))

    def test_it_offers_what_there_is_one_of(self) -> None:
        mailing_list = make_list(self.account)
        self.assertEqual(self.client.get(self.url).context["form"]["list"].value(), mailing_list.pk)

    def test_it_requires_a_name(self) -> None:
        self.assertEqual(self.client.post(self.url, {"name": ""}).status_code, 422)
        self.assertFalse(Campaign.objects.exists())

    def test_it_refuses_a_list_of_others(self) -> None:
        stranger = make_list(self.other_account)
        self.assertEqual(self.client.post(self.url, {"name": "冬", "list": stranger.pk}).status_code, 422)

    def test_it_refuses_a_sender_of_others(self) -> None:
        stranger = make_sender(self.other_account)
        self.assertEqual(self.client.post(self.url, {"name": "冬", "sender": stranger.pk}).status_code, 422)

    def test_it_refuses_a_viewer(self) -> None:
        self.client.force_login(self.vera)
        self.assertEqual(self.client.post(self.url, {"name": "冬"}).status_code, 403)


@patch("campaigns.views.campaigns.ring")
class CampaignVerbsTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(self.bob)
        self.campaign = make_campaign(
            self.account,
            list=make_list(self.account),
            sender=make_sender(self.account),
            status="sending",
            send_at=timezone.now(),
            expires_at=timezone.now() + timedelta(hours=72),
        )

    def post(self, verb: str) -> int:
        status = self.client.post(reverse(f"campaigns:campaign_{verb}", args=[self.campaign.pk])).status_code
        self.campaign.refresh_from_db()
        return status

    def put(self, status: str) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status=status, paused_at=timezone.now())

    def test_pause(self, ring: object) -> None:
        self.assertEqual((self.post("pause"), self.campaign.status), (302, "paused"))

    def test_resume(self, ring: object) -> None:
        self.put("paused")
        self.assertEqual((self.post("resume"), self.campaign.status), (302, "sending"))

    def test_release(self, ring: object) -> None:
        self.put("held")
        self.assertEqual((self.post("release"), self.campaign.status), (302, "scheduled"))

    def test_cancel(self, ring: object) -> None:
        self.assertEqual((self.post("cancel"), self.campaign.status), (302, "cancelled"))

    def test_cancel_asks_first(self, ring: object) -> None:
        response = self.client.get(reverse("campaigns:campaign_cancel", args=[self.campaign.pk]))
        self.assertContains(response, "for good?")
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.status, "sending")

    def test_a_verb_that_no_longer_fits_does_nothing(self, ring: object) -> None:
        self.put("cancelled")
        self.assertEqual((self.post("resume"), self.campaign.status), (302, "cancelled"))

    def test_a_stranger_finds_nothing(self, ring: object) -> None:
        self.client.force_login(self.charlie)
        for verb in ("pause", "resume", "release", "cancel", "copy", "delete"):
            self.assertEqual((self.post(verb), self.campaign.status), (404, "sending"), verb)

    def test_a_viewer_may_not(self, ring: object) -> None:
        self.client.force_login(self.vera)
        for verb in ("pause", "resume", "release", "cancel", "copy", "delete"):
            self.assertEqual((self.post(verb), self.campaign.status), (403, "sending"), verb)

    def test_a_get_changes_nothing(self, ring: object) -> None:
        for verb in ("pause", "resume", "release", "copy"):
            url = reverse(f"campaigns:campaign_{verb}", args=[self.campaign.pk])
            self.assertEqual(self.client.get(url).status_code, 405, verb)

    def test_copy_makes_a_draft(self, ring: object) -> None:
        self.post("copy")
        copy = Campaign.objects.of(self.account).get(status="draft")
        self.assertEqual(
            (copy.html, copy.list, copy.name), (self.campaign.html, self.campaign.list, "Copy of 新茶フェアのご案内")
        )

    def test_only_drafts_are_deleted(self, ring: object) -> None:
        self.assertEqual(self.post("delete"), 404)

    def test_a_draft_is_deleted(self, ring: object) -> None:
        draft = make_campaign(self.account)
        self.client.post(reverse("campaigns:campaign_delete", args=[draft.pk]))
        self.assertFalse(Campaign.objects.filter(pk=draft.pk).exists())
