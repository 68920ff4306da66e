from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from delivery.models import Message
from mailsales import ledger
from reports.templatetags.report_tags import with_outcomes
from tests.base import MailsalesTestCase
from tests.make import make_campaign, make_contact, make_list, make_message, make_sender


class OutcomesTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        mailing_list = make_list(self.account)
        self.sent = make_campaign(
            self.account, list=mailing_list, sender=make_sender(self.account), status="sent", send_at=timezone.now()
        )
        self.draft = make_campaign(self.account)
        for number, status in enumerate((Message.Status.SENT, Message.Status.BOUNCED, Message.Status.SENT)):
            make_message(self.sent, make_contact(self.account, address=f"a{number}@example.jp"), status=status)
        ledger.execute("restore_tally")

    def test_a_campaign_has_its_counts(self) -> None:
        (line,) = with_outcomes([self.sent])
        self.assertEqual((line.outcome.total, line.outcome.failed, line.failed_share), (3, 1, "33.3%"))

    def test_a_draft_has_none(self) -> None:
        (line,) = with_outcomes([self.draft])
        self.assertEqual(line.outcome.total, 0)

    def test_a_list_takes_one_query(self) -> None:
        with self.assertNumQueries(1):
            with_outcomes([self.sent, self.draft])

    def test_the_list_of_campaigns_shows_them(self) -> None:
        self.client.force_login(self.vera)
        self.assertContains(self.client.get(reverse("campaigns:campaign_list")), "33.3%")
