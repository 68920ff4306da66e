from __future__ import annotations

from django.utils.timezone import now

from accounts.models import Account, AuditEntry, Membership, Notice, User
from campaigns.models import Campaign
from delivery import faults
from delivery.models import Bounce, Message
from mailsales import ledger
from mailsales.reasons import Reason
from tests.base import MailsalesTestCase
from tests.delivery.sending import Script, SendingTestCase
from tests.make import make_campaign, make_contact, make_list, make_message, make_sender

SPAM = "554 5.7.1 <{}>: this message looks like spam"


def refuse_first(n: int, reply: str) -> Script:
    """Refuse so many readers; the last one is to come again, so that the campaign goes on."""

    def script(verb: str, argument: str) -> str | None:
        number = argument.partition("reader")[2].partition("@")[0]
        if verb != "RCPT" or not number.isdecimal():
            return None
        return (
            reply.format(f"reader{number}@example.jp") if int(number) <= n else "450 later" if number == "60" else None
        )

    return script


class PauseTest(SendingTestCase):
    readers = 60

    def setUp(self) -> None:
        super().setUp()
        user = User.objects.create(username="alice", email="alice@example.org")
        Membership.objects.create(account=self.account, user=user, role=Membership.Role.OWNER)

    def send(self, refused: int, reply: str = SPAM) -> None:
        self.start(refuse_first(refused, reply))
        self.until(lambda: self.tallied().get("queued", 0) == 0 and "sending" not in self.counts())
        self.assertEqual(self.status(), "sending")

    def test_a_campaign_refused_for_the_sender_s_sake_is_paused(self) -> None:
        self.send(6)
        self.assertEqual(faults.pause_refused(), 1)
        self.assertEqual(self.status(), "paused")
        self.assertIn("10%", self.campaign.fault)
        self.assertIn("<…example.jp>: this message looks like spam", self.campaign.fault.replace("@", ""))

    def test_below_the_share_it_goes_on(self) -> None:
        self.send(5)
        self.assertEqual((faults.pause_refused(), self.status()), (0, "sending"))

    def test_refusals_about_the_recipient_pause_nothing(self) -> None:
        self.send(30, "550 5.1.1 no such user")
        self.assertEqual(faults.pause_refused(), 0)

    def test_greylisting_pauses_nothing(self) -> None:
        self.send(30, "451 4.7.1 Greylisting in action, please come back later")
        self.assertEqual(faults.pause_refused(), 0)

    def test_what_waits_for_the_end_of_a_block_pauses(self) -> None:
        self.send(6, "550 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org")
        self.assertIn("blocked", set(Message.objects.filter(status="deferred").values_list("reason", flat=True)))
        self.assertEqual(faults.pause_refused(), 1)

    def test_the_owners_are_told_in_the_account_s_language(self) -> None:
        self.send(6)
        faults.pause_refused()
        notice = Notice.objects.get()
        self.assertEqual(notice.address, "alice@example.org")
        self.assertIn(f"/campaigns/{self.campaign.pk}/report/", notice.text)
        self.assertRegex(notice.text, "[ぁ-ん]")

    def test_it_is_written_down(self) -> None:
        self.send(6)
        faults.pause_refused()
        entry = AuditEntry.objects.get(action="campaign.pause")
        self.assertEqual((entry.user, entry.details["refused"], entry.details["tried"]), (None, 6, 60))


class ResumedTest(MailsalesTestCase):
    """Results as the ledger would have recorded them, so that there can be many."""

    def setUp(self) -> None:
        super().setUp()
        people = make_list(self.account)
        values = {"status": Campaign.Status.SENDING, "send_at": now(), "list": people}
        self.campaign = make_campaign(self.account, sender=make_sender(self.account), **values)
        self.number = 0

    def add(self, n: int, status: str, reason: Reason | None = None) -> list[Message]:
        made = []
        for _each in range(n):
            self.number += 1
            contact = make_contact(self.account, address=f"reader{self.number}@example.jp")
            made.append(make_message(self.campaign, contact, status=status, reason=reason))
        ledger.execute("restore_tally")
        return made

    def test_fewer_than_fifty_say_nothing(self) -> None:
        self.add(49, "bounced", Reason.BLOCKED)
        self.assertEqual(faults.pause_refused(), 0)
        self.add(1, "bounced", Reason.BLOCKED)
        self.assertEqual(faults.pause_refused(), 1)

    def test_who_resumes_is_overruled_only_when_it_gets_worse(self) -> None:
        self.add(50, "bounced", Reason.BLOCKED)
        faults.pause_refused()
        self.campaign.resume()
        self.assertEqual(self.campaign.status, "sending")
        self.add(49, "bounced", Reason.BLOCKED)
        self.assertEqual(faults.pause_refused(), 0)
        self.add(1, "bounced", Reason.BLOCKED)
        self.assertEqual(faults.pause_refused(), 1)

    def test_resuming_forgets_the_words(self) -> None:
        self.add(50, "bounced", Reason.BLOCKED)
        faults.pause_refused()
        self.campaign.refresh_from_db()
        self.assertTrue(self.campaign.fault)
        self.campaign.resume()
        self.campaign.refresh_from_db()
        self.assertEqual(self.campaign.fault, "")

    def test_mail_that_came_back_counts_too(self) -> None:
        for message in self.add(50, "sent")[:5]:
            ids = {"account_id": self.account.pk, "campaign_id": self.campaign.pk, "message_id": message.pk}
            Bounce.objects.create(**ids, is_hard=False, reason=Reason.AUTH_FAILURE, text="550 5.7.26 no DMARC")
        self.assertEqual(faults.pause_refused(), 1)
        self.campaign.refresh_from_db()
        self.assertIn("550 5.7.26 no DMARC", self.campaign.fault)

    def test_the_account_chooses_the_share(self) -> None:
        Account.objects.update(fault_percent=50)
        self.add(30, "sent")
        self.add(29, "bounced", Reason.SPAM)
        self.assertEqual(faults.pause_refused(), 0)
        self.add(1, "bounced", Reason.SPAM)
        self.assertEqual(faults.pause_refused(), 1)

    def test_the_report_shows_why(self) -> None:
        self.add(50, "bounced", Reason.BLOCKED)
        faults.pause_refused()
        self.client.force_login(self.bob)
        self.campaign.refresh_from_db()
        self.assertContains(self.client.get(self.campaign.get_absolute_url()), self.campaign.fault)

    def test_it_runs_as_often_as_beat_likes(self) -> None:
        self.add(50, "bounced", Reason.BLOCKED)
        self.assertEqual([faults.pause_refused(), faults.pause_refused()], [1, 0])
        self.assertEqual(AuditEntry.objects.count(), 1)
