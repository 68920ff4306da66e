from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils.timezone import now

from delivery.compose import freeze
from delivery.machines import APPLE, NAMELESS, SCANNER
from delivery.models import Click, Link, Message, Open, Rendition
from mailsales import tokens
from mailsales.wall import wall
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_content, make_list, make_message

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
TARGET = "https://aoba.example.jp/shincha?a=1"


class PublicTestCase(MailsalesTestCase):
    """A mail that was sent an hour ago, with two links; its reader's programs ask for things behind the wall."""

    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.contact = make_contact(self.account, self.list)
        self.campaign = make_campaign(self.account, list=self.list)
        self.message = self.sent(self.contact, ago=timedelta(hours=1))
        for number in (1, 2, 3):
            Link.objects.create(account=self.account, campaign=self.campaign, number=number, url=f"{TARGET}{number}")

    def sent(self, contact: Any, *, ago: timedelta) -> Message:
        return make_message(self.campaign, contact, status=Message.Status.SENT, closed_at=now() - ago)

    def ask(self, path: str, *, method: str = "get", agent: str = PHONE, **values: Any) -> Any:
        """Return the answer to a program without any cookie, as the web process gives it."""
        with wall(None):
            return getattr(Client(HTTP_USER_AGENT=agent), method)(path, **values)

    def click_path(self, number: int = 1) -> str:
        return f"/c/{tokens.link_token(self.account.pk, self.message.pk, number)}"

    def open_path(self) -> str:
        return f"/o/{tokens.open_token(self.account.pk, self.message.pk)}"

    def leave_path(self) -> str:
        return f"/u/{tokens.unsubscribe_token(self.account.pk, self.message.pk)}"


class ClickTestCase(PublicTestCase):
    def test_it_leads_on(self) -> None:
        response = self.ask(self.click_path())
        self.assertEqual((response.status_code, response["Location"]), (302, f"{TARGET}1"))
        self.assertIn("no-store", response["Cache-Control"])

    def test_it_is_counted(self) -> None:
        self.ask(self.click_path(2))
        click = Click.objects.get()
        self.assertEqual((click.message_id, click.campaign_id, click.number), (self.message.pk, self.campaign.pk, 2))
        self.assertEqual((click.machine, click.user_agent, click.ip), ("", PHONE, "127.0.0.1"))

    def test_head_leads_on_and_counts_nothing(self) -> None:
        self.assertEqual(self.ask(self.click_path(), method="head")["Location"], f"{TARGET}1")
        self.assertFalse(Click.objects.exists())

    def test_it_takes_one_query_beside_the_wall(self) -> None:
        with wall(None), self.assertNumQueries(2):
            Client(HTTP_USER_AGENT=PHONE).get(self.click_path())

    def test_a_member_who_reads_mail_is_asked_for_no_session(self) -> None:
        client = Client(HTTP_USER_AGENT=PHONE)
        client.force_login(self.alice)
        with wall(None), self.assertNumQueries(2):
            client.get(self.click_path())

    def test_a_bad_token_takes_down_the_wall_of_the_request_before(self) -> None:
        for path in ("/c/AAAA", "/o/AAAA", "/u/AAAA", "/v/AAAA"):
            with wall(self.account.pk), connection.cursor() as cursor:
                self.assertEqual(Client().get(path).status_code, 404)
                cursor.execute("SELECT current_setting('app.account_id')")
                self.assertEqual(cursor.fetchone(), ("",), path)

    def test_nobody_else_s_address_is_led_to(self) -> None:
        for token in ("https:evil.example.com", tokens.open_token(self.account.pk, self.message.pk), "a", "é", "AAAA"):
            self.assertEqual(self.ask(f"/c/{token}").status_code, 404)
        self.assertEqual(self.ask(f"{self.click_path()}?url=https://evil.example.com")["Location"], f"{TARGET}1")

    def test_a_dead_link_explains_itself_to_the_reader(self) -> None:
        page = self.ask("/c/AAAA", headers={"accept-language": "en"})
        self.assertContains(page, "This link leads nowhere any more", status_code=404)

    def test_a_link_that_the_mail_did_not_have_is_not_found(self) -> None:
        self.assertEqual(self.ask(self.click_path(9)).status_code, 404)
        self.assertFalse(Click.objects.exists())

    def test_a_token_of_another_account_shows_nothing(self) -> None:
        stolen = tokens.link_token(self.other_account.pk, self.message.pk, 1)
        self.assertEqual(self.ask(f"/c/{stolen}").status_code, 404)

    def test_a_link_of_a_removed_campaign_is_not_found(self) -> None:
        path = self.click_path()
        self.campaign.delete()
        self.assertEqual(self.ask(path).status_code, 404)

    def test_it_takes_no_post(self) -> None:
        self.assertEqual(self.ask(self.click_path(), method="post").status_code, 405)

    def test_scanners_are_machines(self) -> None:
        self.ask(self.click_path(), agent="Barracuda Sentinel")
        self.assertEqual(Click.objects.get().machine, SCANNER)

    def test_nobody_clicks_within_two_seconds_of_delivery(self) -> None:
        Message.objects.update(closed_at=now() - timedelta(seconds=1))
        self.ask(self.click_path())
        self.assertEqual(Click.objects.get().machine, SCANNER)

    def test_nobody_follows_three_links_at_once(self) -> None:
        for number in (1, 2, 3):
            self.ask(self.click_path(number))
        self.assertEqual(set(Click.objects.values_list("machine", flat=True)), {SCANNER})

    def test_a_person_may_follow_two(self) -> None:
        self.ask(self.click_path(1))
        self.ask(self.click_path(2))
        self.assertEqual(Click.objects.of(self.account).by_people().count(), 2)


class PixelTestCase(PublicTestCase):
    def test_it_is_a_picture_that_nobody_keeps(self) -> None:
        response = self.ask(self.open_path())
        self.assertEqual((response.status_code, response["Content-Type"]), (200, "image/gif"))
        self.assertTrue(response.content.startswith(b"GIF89a"))
        self.assertIn("no-store", response["Cache-Control"])

    def test_it_counts_an_open(self) -> None:
        self.ask(self.open_path())
        found = Open.objects.get()
        self.assertEqual((found.message_id, found.account_id, found.machine), (self.message.pk, self.account.pk, ""))

    def test_head_counts_nothing(self) -> None:
        self.assertEqual(self.ask(self.open_path(), method="head").status_code, 200)
        self.assertFalse(Open.objects.exists())

    def test_apple_opens_for_everybody_and_is_a_machine(self) -> None:
        self.ask(self.open_path(), agent="Mozilla/5.0")
        self.assertEqual(Open.objects.get().machine, APPLE)

    def test_gmail_s_proxy_comes_when_a_person_opens(self) -> None:
        self.ask(self.open_path(), agent="Mozilla/5.0 Firefox/11.0 (via ggpht.com GoogleImageProxy)")
        self.assertEqual(Open.objects.get().machine, "")

    def test_who_gives_no_name_is_a_machine(self) -> None:
        self.ask(self.open_path(), agent="")
        self.assertEqual(Open.objects.get().machine, NAMELESS)

    def test_a_bad_token_is_not_found(self) -> None:
        self.assertEqual(self.ask("/o/abc").status_code, 404)


class MailViewTestCase(PublicTestCase):
    def setUp(self) -> None:
        super().setUp()
        frozen = freeze(make_content(account_id=self.account.pk, campaign_id=self.campaign.pk))
        Rendition.objects.create(campaign=self.campaign, account=self.account, content=frozen)

    def view_path(self) -> str:
        return f"/v/{tokens.view_token(self.account.pk, self.message.pk)}"

    def test_it_shows_the_mail_as_it_was_sent(self) -> None:
        page = self.ask(self.view_path())
        self.assertContains(page, "佐藤 花子様")
        self.assertContains(page, self.click_path())

    def test_it_runs_no_script(self) -> None:
        policy = self.ask(self.view_path())["Content-Security-Policy"]
        self.assertIn("sandbox allow-popups", policy)
        self.assertNotIn("script-src", policy)

    def test_a_bad_token_is_not_found(self) -> None:
        self.assertEqual(self.ask("/v/AAAA").status_code, 404)
