from __future__ import annotations

import csv
import io
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import now
from django.utils.translation import override

from campaigns.models import Campaign
from delivery.models import Attempt, Bounce, Click, Complaint, Lane, Link, Message, Open, Unsubscribe
from mailsales.reasons import Reason
from mailsales.wall import wall
from reports import queries, summaries
from reports.places import places
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_message, make_sender

NO_USER = "5.1.1 <{}>: User unknown"
TALLY = """
INSERT INTO tally (account_id, campaign_id, destination_id, status, n)
SELECT account_id, campaign_id, destination_id, 'all', count(*) FROM message WHERE campaign_id = %(c)s GROUP BY 1, 2, 3
UNION ALL SELECT account_id, campaign_id, destination_id, status, count(*) FROM message
WHERE campaign_id = %(c)s AND status NOT IN ('queued', 'sending') GROUP BY 1, 2, 3, 4
"""


class ReportTestCase(MailsalesTestCase):
    """A campaign two hours old to nine people, one for each fate; everything is asked for behind the wall."""

    def setUp(self) -> None:
        super().setUp()
        self.list = make_list(self.account)
        self.campaign = make_campaign(
            self.account,
            list=self.list,
            sender=make_sender(self.account),
            status=Campaign.Status.SENT,
            send_at=now() - timedelta(hours=2),
            closed_at=now() - timedelta(hours=1),
        )
        self.lease = 0
        self.read = self.message("read@example.jp", reply=(250, "2.0.0 Ok"))
        self.fetched = self.message("apple@gmail.com", reply=(250, "2.0.0 Ok"))
        self.silent = self.message("silent@gmail.com", reply=(250, "2.0.0 Ok"))
        self.returned = self.message("late@example.jp", reply=(250, "2.0.0 Ok"))
        self.gone = self.failed("gone@docomo.ne.jp", Reason.USER_UNKNOWN, (550, NO_USER.format("gone@docomo.ne.jp")))
        self.gone_too = self.failed("too@docomo.ne.jp", Reason.USER_UNKNOWN, (550, NO_USER.format("too@docomo.ne.jp")))
        self.spam = self.failed("spam@gmail.com", Reason.SPAM, (550, "5.7.1 unsolicited mail"))
        self.unknown = self.message("unknown@example.jp", status="unknown", reason=Reason.NO_REPLY, reply=(0, ""))
        self.left_out = self.message("out@example.jp", status="suppressed")
        self.react()
        self.count()

    def message(self, address: str, *, reply: tuple[int, str] | None = None, **fields: Any) -> Message:
        contact = make_contact(self.account, self.list, address=address, name=f"{address[:4]} さん")
        values = {"status": Message.Status.SENT, "tries": 1 if reply else 0} | fields
        if values["status"] not in ("queued", "deferred", "sending"):
            values.setdefault("closed_at", now() - timedelta(minutes=100))
        message = make_message(self.campaign, contact, **values)
        if reply:
            self.lease += 1
            Attempt.objects.create(
                account=self.account, message=message, lease_id=self.lease, code=reply[0], command="dot", host="mx.example.jp", text=reply[1]
            )  # fmt: skip
        return message

    def failed(self, address: str, reason: Reason, reply: tuple[int, str]) -> Message:
        return self.message(address, status="bounced", reason=reason, reply=reply)

    def react(self) -> None:
        """Let a person open twice and click, a machine open and click, one mail come back, one reader leave."""
        for number in (1, 2):
            Link.objects.create(
                account=self.account, campaign=self.campaign, number=number, url=f"https://x.example.jp/{number}", label="新茶"
            )  # fmt: skip
        for at in (60, 30):
            self.event(Open, self.read, minutes=at)
        self.event(Open, self.fetched, minutes=90, machine="Apple Mail Privacy Protection")
        self.event(Click, self.read, minutes=59, number=1)
        self.event(Click, self.fetched, minutes=90, number=2, machine="security check")
        self.event(
            Bounce, self.returned, minutes=50, is_hard=True, reason=Reason.USER_UNKNOWN, code=550, text="5.1.1 gone"
        )
        own = {"account": self.account, "campaign": self.campaign}
        Unsubscribe.objects.create(**own, message=self.read, how=Unsubscribe.How.PAGE)
        Complaint.objects.create(**own, message=self.silent, feedback_type="abuse", text="Feedback-Type: abuse")

    def event(self, model: Any, message: Message, *, minutes: int, **fields: Any) -> None:
        at = now() - timedelta(minutes=minutes)
        model.objects.create(
            at=at, account_id=self.account.pk, campaign_id=self.campaign.pk, message_id=message.pk, **fields
        )

    def count(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM tally")
            cursor.execute(TALLY, {"c": self.campaign.pk})

    def ask(self, view: str, *args: int, who: str = "vera", query: str = "", **headers: str) -> Any:
        self.client.force_login(getattr(self, who))
        with wall(None):
            return self.client.get(reverse(f"reports:{view}", args=args) + query, headers=headers)

    def post(self, view: str, *args: int, who: str = "bob", **data: str) -> Any:
        self.client.force_login(getattr(self, who))
        with wall(None):
            return self.client.post(reverse(f"reports:{view}", args=args), data)


class QueriesTestCase(ReportTestCase):
    """Figures are those of the rows, asked for as the web process asks."""

    def test_counts_add_up(self) -> None:
        with wall(self.account.pk):
            found = queries.counts(self.campaign)
        self.assertEqual((found.total, found.sent, found.bounced, found.spam, found.unknown), (9, 4, 2, 1, 1))
        self.assertEqual((found.suppressed, found.late, found.waiting, found.done), (1, 1, 0, 9))

    def test_people_are_told_from_machines(self) -> None:
        with wall(self.account.pk):
            found = queries.reactions(self.campaign)
        self.assertEqual((found.opened, found.opened_by_machine), (1, 1))
        self.assertEqual((found.clicked, found.clicked_by_machine), (1, 1))
        self.assertEqual((found.left, found.reports), (1, 1))

    def test_a_person_counts_once_an_hour(self) -> None:
        with wall(self.account.pk):
            found = queries.hours(self.campaign)
        self.assertEqual((found.opens[:3], sum(found.clicks)), ([0, 1, 0], 1))

    def test_the_same_words_about_two_people_are_one_kind(self) -> None:
        with wall(self.account.pk):
            found = {failure.reason: failure for failure in queries.failures(self.campaign)}
        unknown = found[Reason.USER_UNKNOWN]
        self.assertEqual((unknown.count, unknown.replies[0]), (3, (2, "550 5.1.1 …: User unknown")))
        self.assertEqual(found[Reason.SPAM].count, 1)

    def test_links_count_people_and_machines(self) -> None:
        with wall(self.account.pk):
            found = [(link.number, link.people, link.clicks, link.machine) for link in queries.links(self.campaign)]
        self.assertEqual(found, [(1, 1, 1, 0), (2, 0, 0, 1)])

    def test_providers_add_up(self) -> None:
        with wall(self.account.pk):
            found = {str(place.name): place for place in places(self.campaign)}
        gmail, docomo = found["Gmail"], found["docomo"]
        self.assertEqual((gmail.total, gmail.sent, gmail.spam, gmail.bounced), (3, 2, 1, 0))
        self.assertEqual((docomo.total, docomo.bounced), (2, 2))
        self.assertEqual(sum(place.total for place in found.values()), 9)

    def test_the_month_adds_up(self) -> None:
        with wall(self.account.pk):
            found = queries.last_days(self.account, now() - timedelta(days=30))
        self.assertEqual((found.campaigns, found.sent, found.bounced, found.spam, found.opened), (1, 4, 2, 1, 1))

    def test_another_account_sees_nothing_of_it(self) -> None:
        with wall(self.other_account.pk):
            self.assertEqual(queries.counts(self.campaign), queries.Counts())
            self.assertEqual(queries.failures(self.campaign), [])


class CampaignReportTestCase(ReportTestCase):
    def test_it_shows_everything(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk)
        self.assertEqual(page.status_code, 200)
        for words in ("Where 9 emails went", "No such address", "550 5.1.1 …: User unknown", "https://x.example.jp/1"):
            self.assertContains(page, words)

    def test_the_parts_of_the_ledger_add_up_to_its_title(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk)
        self.assertEqual(sum(part.count for part in page.context["ledger"]), 9)

    def test_it_asks_little_of_the_database(self) -> None:
        self.client.force_login(self.vera)
        with self.assertNumQueries(30):
            self.client.get(reverse("reports:campaign_report", args=[self.campaign.pk]))

    def test_it_requires_login(self) -> None:
        url = reverse("reports:campaign_report", args=[self.campaign.pk])
        self.assertIn(reverse("account_login"), self.client.get(url)["Location"])

    def test_strangers_find_nothing(self) -> None:
        for view in ("campaign_report", "campaign_export"):
            self.assertEqual(self.ask(view, self.campaign.pk, who="charlie").status_code, 404)
        self.assertEqual(self.ask("message_detail", self.read.pk, who="charlie").status_code, 404)
        self.assertEqual(self.post("campaign_resend", self.campaign.pk, who="charlie").status_code, 404)

    def test_a_campaign_about_to_start_shows_its_progress(self) -> None:
        """Who pressed "send now" is led here before the next tick."""
        Campaign.objects.filter(pk=self.campaign.pk).update(
            status=Campaign.Status.SCHEDULED, send_at=now(), closed_at=None
        )
        self.assertContains(self.ask("campaign_report", self.campaign.pk), "campaign-progress")

    def test_a_draft_leads_to_its_editor(self) -> None:
        draft = make_campaign(self.account)
        self.assertRedirects(
            self.ask("campaign_report", draft.pk), draft.get_absolute_url(), fetch_redirect_response=False
        )

    def test_what_never_began_has_no_figures(self) -> None:
        for status, words in (("held", "should it still go out?"), ("cancelled", "cancelled before anything was sent")):
            campaign = make_campaign(
                self.account, list=self.list, sender=self.campaign.sender, status=status, send_at=now(), name=status
            )
            page = self.ask("campaign_report", campaign.pk)
            self.assertContains(page, words)
            self.assertNotContains(page, "Opens and clicks")

    def test_recipients_are_filtered_by_what_became_of_them(self) -> None:
        expected = {
            "bounced": {self.gone, self.gone_too},
            "spam": {self.spam},
            "unknown": {self.unknown},
            "opened": {self.read},
            "clicked": {self.read},
        }
        for result, messages in expected.items():
            page = self.ask("campaign_report", self.campaign.pk, query=f"?result={result}")
            self.assertEqual(
                {row.pk for row in page.context["recipients"]}, {message.pk for message in messages}, result
            )

    def test_chips_count_what_they_show(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk)
        counts = {str(chip["label"]): chip["count"] for chip in page.context["chips"]}
        self.assertEqual((counts["All"], counts["Bounced"], counts["Refused as spam"]), (9, 2, 1))

    def test_recipients_are_found_by_address_and_name(self) -> None:
        for q in ("gone@", "GONE さん"):
            page = self.ask("campaign_report", self.campaign.pk, query=f"?q={q}")
            self.assertEqual([row.pk for row in page.context["recipients"]], [self.gone.pk])

    def test_htmx_gets_the_recipients_alone(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk, **{"HX-Request": "true", "HX-Target": "recipient-table"})
        self.assertTrue(
            page.content.decode().lstrip().startswith('<section class="card no-print" id="recipient-table"')
        )

    def test_the_unknown_may_be_sent_again_by_writers_alone(self) -> None:
        url = reverse("reports:campaign_resend", args=[self.campaign.pk])
        self.assertContains(self.ask("campaign_report", self.campaign.pk, who="bob"), url)
        self.assertNotContains(self.ask("campaign_report", self.campaign.pk, who="vera"), url)


class LiveReportTestCase(ReportTestCase):
    def setUp(self) -> None:
        super().setUp()
        Campaign.objects.filter(pk=self.campaign.pk).update(status="sending", closed_at=None)
        self.waiting = self.message("wait@example.jp", status="queued")
        self.deferred = self.message(
            "later@gmail.com", status="deferred", reason=Reason.RATE_LIMITED, reply=(421, "4.7.28 unusual rate")
        )
        self.count()

    def test_it_polls_itself(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk)
        self.assertContains(page, 'hx-trigger="every 2s"')
        self.assertContains(page, "4.7.28 unusual rate")

    def test_a_poll_asks_little_of_the_database(self) -> None:
        self.client.force_login(self.vera)
        url = reverse("reports:campaign_report", args=[self.campaign.pk])
        with self.assertNumQueries(17):
            self.client.get(url, headers={"HX-Request": "true", "HX-Target": "campaign-progress"})

    def test_pauses_do_not_slow_the_average(self) -> None:
        began = now() - timedelta(hours=1)
        campaign = Campaign(send_at=now() - timedelta(hours=9), expires_at=began + timedelta(hours=72))
        with override("en"):
            facts = summaries.progress(campaign, queries.Counts(total=9_000, sent=7_200), 0)["facts"]
        self.assertEqual([fact.value for fact in facts[:2]], ["2.0 emails a second", "60 min 0 s"])

    def test_its_counts_add_up(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk)
        self.assertEqual((page.context["counts"].total, page.context["counts"].waiting), (11, 1))
        self.assertEqual(sum(part.count for part in page.context["ledger"]), 11)

    def test_htmx_gets_the_fragment_alone(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk, **{"HX-Request": "true"})
        self.assertTrue(page.content.decode().lstrip().startswith('<div class="stack" id="campaign-progress"'))

    def test_opens_and_failures_are_there_before_its_end(self) -> None:
        page = self.ask("campaign_report", self.campaign.pk)
        for words in ("Opens and clicks", "No such address", "https://x.example.jp/1", "Results by recipient"):
            self.assertContains(page, words)

    def test_opens_and_clicks_poll_themselves(self) -> None:
        page = self.ask(
            "campaign_report", self.campaign.pk, **{"HX-Request": "true", "HX-Target": "campaign-reactions"}
        )
        self.assertTrue(page.content.decode().lstrip().startswith('<section class="card" id="campaign-reactions"'))
        self.assertContains(page, "hx-get")

    def test_polling_is_no_action(self) -> None:
        from_view = reverse("reports:campaign_report", args=[self.campaign.pk])
        self.client.force_login(self.vera)
        self.client.get(from_view)
        acted_at = self.client.session["acted_at"] - 60
        session = self.client.session
        session["acted_at"] = acted_at
        session.save()
        self.client.get(from_view, headers={"HX-Request": "true"})
        self.assertEqual(self.client.session["acted_at"], acted_at)

    def test_the_end_of_sending_loads_the_whole_page(self) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status="sent")
        page = self.ask("campaign_report", self.campaign.pk, **{"HX-Request": "true"})
        self.assertEqual(page["HX-Refresh"], "true")

    def test_a_campaign_on_hold_asks_a_person(self) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status="held", fault="A merge tag is wrong.")
        page = self.ask("campaign_report", self.campaign.pk, who="bob")
        self.assertContains(page, "A merge tag is wrong.")
        self.assertContains(page, reverse("campaigns:campaign_release", args=[self.campaign.pk]))

    def test_what_stood_still_for_an_hour_asks_a_person(self) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status="held")
        page = self.ask("campaign_report", self.campaign.pk, who="bob")
        self.assertContains(page, "should the rest still go out?")
        for verb in ("release", "cancel"):
            self.assertContains(page, reverse(f"campaigns:campaign_{verb}", args=[self.campaign.pk]))


class ResendTestCase(ReportTestCase):
    def setUp(self) -> None:
        super().setUp()
        Lane.objects.create(account=self.account, campaign=self.campaign, slot=1)

    def test_what_the_page_showed_is_sent_again(self) -> None:
        response = self.post("campaign_resend", self.campaign.pk, seen_at=now().isoformat())
        self.assertRedirects(
            response, reverse("reports:campaign_report", args=[self.campaign.pk]), fetch_redirect_response=False
        )
        self.unknown.refresh_from_db()
        self.campaign.refresh_from_db()
        self.assertEqual((self.unknown.status, self.campaign.status), ("deferred", "sending"))

    def test_an_older_page_changes_nothing(self) -> None:
        self.post("campaign_resend", self.campaign.pk, seen_at=(now() - timedelta(days=1)).isoformat())
        self.unknown.refresh_from_db()
        self.assertEqual(self.unknown.status, "unknown")

    def test_no_time_changes_nothing(self) -> None:
        for seen_at in ("", "soon", "2026-02-30T10:00"):
            self.assertEqual(self.post("campaign_resend", self.campaign.pk, seen_at=seen_at).status_code, 302)
        self.unknown.refresh_from_db()
        self.assertEqual(self.unknown.status, "unknown")

    def test_it_asks_first_and_names_how_many_and_why(self) -> None:
        page = self.ask("campaign_resend", self.campaign.pk, who="bob")
        self.assertContains(page, "Send 1 email once more whose result is unknown?")
        self.assertContains(page, "Cut off before the reply")
        self.unknown.refresh_from_db()
        self.assertEqual(self.unknown.status, "unknown")

    def test_the_question_names_the_time_of_the_last_one_shown(self) -> None:
        page = self.ask("campaign_resend", self.campaign.pk, who="bob")
        self.assertContains(page, f'value="{self.unknown.closed_at.isoformat()}"')  # type: ignore[union-attr]

    def test_without_any_there_is_no_question(self) -> None:
        self.post("campaign_resend", self.campaign.pk, seen_at=now().isoformat())
        page = self.ask("campaign_resend", self.campaign.pk, who="bob")
        self.assertEqual(page["Location"], reverse("reports:campaign_report", args=[self.campaign.pk]))

    def test_what_was_lost_after_the_page_was_shown_stays(self) -> None:
        seen_at = queries.unknown(self.campaign).seen_at
        later = self.message("lost@example.jp", status="unknown", reason=Reason.WORKER_LOST, closed_at=now())
        self.post("campaign_resend", self.campaign.pk, seen_at=seen_at.isoformat())  # type: ignore[union-attr]
        later.refresh_from_db()
        self.assertEqual(later.status, "unknown")

    def test_a_second_click_changes_nothing(self) -> None:
        for _click in range(2):
            self.post("campaign_resend", self.campaign.pk, seen_at=now().isoformat())
        self.unknown.refresh_from_db()
        self.assertEqual(self.unknown.status, "deferred")

    def test_a_cancelled_campaign_does_not_offer_it(self) -> None:
        Campaign.objects.filter(pk=self.campaign.pk).update(status="cancelled")
        url = reverse("reports:campaign_resend", args=[self.campaign.pk])
        self.assertNotContains(self.ask("campaign_report", self.campaign.pk, who="bob"), url)
        self.assertEqual(self.ask("campaign_resend", self.campaign.pk, who="bob").status_code, 302)

    def test_viewers_may_not(self) -> None:
        self.assertEqual(self.post("campaign_resend", self.campaign.pk, who="vera").status_code, 403)
        self.assertEqual(self.ask("campaign_resend", self.campaign.pk, who="vera").status_code, 403)


class MessageDetailTestCase(ReportTestCase):
    def test_it_tells_what_happened_in_order(self) -> None:
        page = self.ask("message_detail", self.read.pk)
        titles = [str(event.title) for event in page.context["events"]]
        self.assertEqual(titles[0], "Added to the recipients")
        self.assertIn("Accepted by the receiving server", titles)
        self.assertLess(titles.index("A person opened it"), titles.index("Clicked “新茶”"))
        self.assertEqual(titles[-1], "Unsubscribed")

    def test_it_shows_the_server_s_own_words(self) -> None:
        self.assertContains(
            self.ask("message_detail", self.gone.pk), "550 5.1.1 &lt;gone@docomo.ne.jp&gt;: User unknown"
        )

    def test_it_shows_what_came_back(self) -> None:
        self.assertContains(self.ask("message_detail", self.returned.pk), "Came back with an error")

    def test_every_fate_has_its_page(self) -> None:
        for message in Message.objects.of(self.account):
            self.assertEqual(self.ask("message_detail", message.pk).status_code, 200, message)

    def test_a_reply_for_the_moment_is_no_refusal(self) -> None:
        for code, text in ((421, "4.7.28 unusual rate"), (550, "5.1.1 User unknown")):
            self.lease += 1
            Attempt.objects.create(
                account=self.account, message=self.spam, lease_id=self.lease, code=code, command="rcpt", host="mx", text=text
            )  # fmt: skip
        titles = [str(event.title) for event in self.ask("message_detail", self.spam.pk).context["events"]]
        self.assertEqual(titles[-2:], ["Turned away for now", "Refused"])

    def test_what_could_not_be_delivered_in_time_says_so(self) -> None:
        late = self.failed("slow@example.jp", Reason.EXPIRED, (421, "4.3.2 try later"))
        titles = [str(event.title) for event in self.ask("message_detail", late.pk).context["events"]]
        self.assertEqual(titles[-2:], ["Turned away for now", "Not delivered in time"])

    def test_an_erased_contact_is_no_fault(self) -> None:
        Message.objects.filter(pk=self.gone.pk).update(contact=None, address="")
        self.assertContains(self.ask("message_detail", self.gone.pk), "(erased)")


class ExportTestCase(ReportTestCase):
    def rows(self, encoding: str, *, streamed_in: str = "en") -> list[list[str]]:
        response = self.ask("campaign_export", self.campaign.pk, query=f"?encoding={encoding}")
        with wall(self.account.pk), override(streamed_in), timezone.override(UTC):
            content = b"".join(response.streaming_content)
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        return list(csv.reader(io.StringIO(text)))

    def test_it_has_a_row_for_each_recipient(self) -> None:
        heading, *rows = self.rows("cp932")
        self.assertEqual((len(heading), len(rows)), (8, 9))
        self.assertEqual({row[0] for row in rows}, set(Message.objects.values_list("address", flat=True)))

    def test_it_keeps_the_language_and_the_zone_of_its_request(self) -> None:
        rows = self.rows("utf-8", streamed_in="ja")
        self.assertEqual(rows, self.rows("utf-8"))
        at = timezone.localtime(self.spam.closed_at, ZoneInfo(self.account.time_zone))
        self.assertIn(f"{at:%Y-%m-%d %H:%M:%S}", [row[5] for row in rows])

    def test_it_says_what_became_of_each(self) -> None:
        rows = {row[0]: row for row in self.rows("utf-8")}
        self.assertEqual(rows["spam@gmail.com"][2:5], ["Bounced", "Judged to be spam", "550 5.7.1 unsolicited mail"])
        self.assertEqual(rows["read@example.jp"][6:], ["2", "1"])

    def test_utf_8_has_a_byte_order_mark(self) -> None:
        response = self.ask("campaign_export", self.campaign.pk, query="?encoding=utf-8")
        with wall(self.account.pk):
            self.assertTrue(b"".join(response.streaming_content).startswith(b"\xef\xbb\xbf"))

    def test_letters_that_cp932_lacks_are_told_before(self) -> None:
        make_name = "𠮷田 りか"
        self.gone.contact = make_contact(self.account, address="rika@example.jp", name=make_name)
        self.gone.save(update_fields=["contact"])
        self.assertContains(self.ask("campaign_export", self.campaign.pk), "〓: 𠮷")
        self.assertIn("〓田 りか", [row[1] for row in self.rows("cp932")])

    def test_an_encoding_that_is_not_offered_is_refused(self) -> None:
        self.assertEqual(self.ask("campaign_export", self.campaign.pk, query="?encoding=ebcdic").status_code, 422)

    def test_no_cell_is_a_formula(self) -> None:
        self.gone.contact.name = "=1+1"  # type: ignore[union-attr]
        self.gone.contact.save(update_fields=["name"])  # type: ignore[union-attr]
        self.assertIn("'=1+1", [row[1] for row in self.rows("utf-8")])
