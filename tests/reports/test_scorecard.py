from __future__ import annotations

from datetime import timedelta

from django.test import override_settings
from django.utils import translation
from django.utils.timezone import now

from accounts.models import BlocklistAnswer, Domain, Sender
from campaigns.models import Campaign
from delivery.models import Bounce, Complaint, Message, TlsResult
from mailsales import ledger
from reports import scorecard
from reports.domain_figures import Figures, figures_of
from reports.scorecard import Line, scorecard_of
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_message, make_sender


class ScorecardTestCase(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(translation.override("en"))
        self.sender = make_sender(self.account)
        self.domain = self.sender.domain
        self.list = make_list(self.account)
        self.campaign = self.start()

    def start(self, days_ago: int = 1, **fields: object) -> Campaign:
        at = now() - timedelta(days=days_ago)
        return make_campaign(
            self.account, **{"list": self.list, "sender": self.sender, "status": "sent", "send_at": at} | fields
        )

    def send(self, address: str, status: str = "sent", campaign: Campaign | None = None, **fields: object) -> Message:
        contact = make_contact(self.account, address=address)
        return make_message(campaign or self.campaign, contact, status=status, **fields)

    def figures(self) -> Figures:
        ledger.execute("restore_tally")
        return figures_of(self.account, self.domain)

    def line(self, title: str) -> Line:
        return next(line for line in scorecard_of(self.domain).lines if line.title == title)


class FiguresTest(ScorecardTestCase):
    def test_it_counts_what_was_sent_and_refused(self) -> None:
        self.send("a@example.jp")
        self.send("b@example.jp", "bounced", reason="mailbox_full")
        self.send("c@example.jp", "queued")
        figures = self.figures()
        self.assertEqual((figures.sent, figures.refused, figures.tried), (1, 1, 2))

    def test_hard_bounces_are_those_of_the_session_and_later_ones(self) -> None:
        self.send("a@example.jp", "bounced", reason="user_unknown")
        self.send("b@example.jp", "bounced", reason="mailbox_full")
        late = self.send("c@example.jp")
        ids = {"account_id": self.account.pk, "campaign_id": self.campaign.pk, "message_id": late.pk}
        Bounce.objects.create(**ids, is_hard=True, reason="user_unknown")
        Bounce.objects.create(**ids, is_hard=True, reason="user_unknown")
        self.assertEqual(self.figures().hard, 2)

    def test_a_person_complains_once(self) -> None:
        message = self.send("a@example.jp")
        for _turn in range(2):
            Complaint.objects.create(
                account=self.account, campaign=self.campaign, message=message, feedback_type="abuse"
            )
        self.assertEqual(self.figures().complaints, 1)

    def test_older_campaigns_and_those_of_other_domains_do_not_count(self) -> None:
        self.send("a@example.jp", campaign=self.start(days_ago=31))
        other = Domain.objects.create(account=self.account, name="midori.example.jp")
        sender = Sender.objects.create(account=self.account, domain=other, name="みどり", address="a@midori.example.jp")
        self.send("b@example.jp", campaign=self.start(sender=sender))
        self.assertEqual(self.figures().sent, 0)

    def test_gmail_is_counted_by_day_and_zone(self) -> None:
        below = Domain.objects.create(account=self.account, name="news.aoba.example.jp")
        zone = [{"key": "zone", "state": "good", "code": "zone_good", "values": {"zone": "aoba.example.jp"}}]
        Domain.objects.update(findings=zone)
        sender = Sender.objects.create(
            account=self.account, domain=below, name="たより", address="a@news.aoba.example.jp"
        )
        self.send("a@gmail.com")
        self.send("b@gmail.com", campaign=self.start(sender=sender))
        self.send("c@gmail.com", campaign=self.start(days_ago=5))
        self.domain.refresh_from_db()
        self.assertEqual((self.figures().gmail, self.figures().sent), (2, 2))

    def test_connections_are_those_of_the_installation(self) -> None:
        for result, n in (("", 99), ("starttls-not-supported", 1)):
            TlsResult.objects.create(
                on=now().date(), domain="example.jp", policy_type="no-policy-found", result=result, n=n
            )
        figures = self.figures()
        self.assertEqual((figures.sessions, figures.encrypted), (100, 99))

    def test_it_takes_few_queries(self) -> None:
        with self.assertNumQueries(7):
            figures_of(self.account, self.domain)


class LinesTest(ScorecardTestCase):
    def complaints(self, count: int, sent: int) -> str:
        return scorecard._complaints(Figures(sent=sent, complaints=count)).tone

    def test_complaints_have_two_limits(self) -> None:
        self.assertEqual([self.complaints(n, 10_000) for n in (9, 10, 29, 30)], ["good", "warn", "warn", "bad"])

    def test_few_emails_tell_nothing_about_complaints_unless_there_are_many(self) -> None:
        self.assertEqual([self.complaints(n, 500) for n in (0, 2, 3)], ["", "", "bad"])

    def test_counts_stand_beside_the_rate(self) -> None:
        line = scorecard._complaints(Figures(sent=12_480, complaints=5))
        self.assertTrue(line.text.startswith("0.04% (5 of 12,480 emails)."), line.text)

    def test_unknown_addresses_have_two_limits(self) -> None:
        tones = [scorecard._hard(Figures(sent=1_000 - n, refused=n, hard=n)).tone for n in (19, 20, 49, 50)]
        self.assertEqual(tones, ["good", "warn", "warn", "bad"])

    def test_from_5000_a_day_on_the_rules_are_enforced(self) -> None:
        self.assertIn("is enforced", scorecard._volume(Figures(gmail=5_000), "example.jp").text)
        self.assertIn("would be enforced", scorecard._volume(Figures(gmail=4_999), "example.jp").text)

    def test_the_last_check_is_told(self) -> None:
        self.domain.findings = [{"key": "dmarc", "state": "missing", "code": "dmarc_missing", "values": {"name": "x"}}]
        line = self.line("DMARC")
        self.assertEqual((line.tone, line.text), ("bad", "There is no DMARC record."))
        self.assertIn("docomo", line.demanded_by)

    def test_before_a_check_nothing_is_claimed(self) -> None:
        self.assertEqual(self.line("SPF").tone, "")

    @override_settings(SENDING_ADDRESSES=["203.0.113.5"])
    def test_a_listing_names_the_list_and_its_page(self) -> None:
        for zone, state in (("zen.spamhaus.org", "listed"), ("psbl.surriel.com", "clean")):
            BlocklistAnswer.objects.create(name="203.0.113.5", list=zone, state=state, checked_at=now())
        line = self.line("Block lists")
        self.assertEqual((line.tone, line.links), ("bad", (("Spamhaus ZEN", "https://check.spamhaus.org/"),)))
        self.assertIn("203.0.113.5 is listed", line.text)

    def test_lists_that_do_not_answer_clear_nobody(self) -> None:
        BlocklistAnswer.objects.create(
            name=self.domain.name, list="dbl.spamhaus.org", state="unknown", checked_at=now()
        )
        self.assertEqual(self.line("Block lists").tone, "")

    def test_it_says_when_figures_are_of_the_sandbox(self) -> None:
        self.assertTrue(scorecard_of(self.domain).is_of_sandbox)
        with override_settings(DEFAULT_ROUTE="mx"):
            self.assertFalse(scorecard_of(self.domain).is_of_sandbox)
