from __future__ import annotations

from django.test import TestCase, override_settings

from accounts.models import Account
from campaigns.models import TestSend
from delivery import testing
from mailsales.management.bench.names import Names
from tests.delivery.dialogue import scripted
from tests.delivery.sending import sink_thread
from tests.delivery.sink import Sink
from tests.make import make_campaign, make_list, make_sender

ZONE = """
example.jp. MX 10 closed.example.jp.
example.jp. MX 20 mx.example.jp.
closed.example.jp. A 127.0.0.99
mx.example.jp. A 127.0.0.1
null.example. MX 0 .
"""


class TestSendTest(TestCase):
    def setUp(self) -> None:
        self.account = Account.objects.create(
            name="株式会社青葉商店", postal_address="京都市", complaint_address="a@example.jp"
        )
        mailing_list, sender = make_list(self.account), make_sender(self.account)
        self.campaign = make_campaign(self.account, list=mailing_list, sender=sender, subject="新茶フェア")
        self.sink = self.enterContext(sink_thread(Sink()))

    def send(self, route: str, address: str = "hanako@example.jp") -> TestSend:
        """Send one test by the route; return it as it then stands."""
        self.account.route = route
        self.account.save()
        test = TestSend.objects.create(account=self.account, campaign=self.campaign, address=address)
        self.assertTrue(testing.send_next())
        test.refresh_from_db()
        return test

    def send_by_mx(self, address: str, **options: bool) -> TestSend:
        names = self.enterContext(sink_thread(Names(ZONE)))
        with override_settings(DNS_SERVERS=[names.server], **{"ALLOW_PRIVATE_MX": True} | options):
            return self.send(f"mx?port={self.sink.port}", address)

    def test_the_reply_is_kept(self) -> None:
        test = self.send(f"smtp://127.0.0.1:{self.sink.port}")
        self.assertEqual((test.status, test.reply), (TestSend.Status.SENT, "250 2.0.0 queued"))
        self.sink.script = scripted(RCPT="550 5.1.1 unknown")
        test = self.send(f"smtp://127.0.0.1:{self.sink.port}")
        self.assertEqual((test.status, test.reply), (TestSend.Status.FAILED, "550 5.1.1 unknown"))

    def test_the_next_relay_is_tried(self) -> None:
        closed = self.enterContext(sink_thread(Sink(script=scripted(greeting="554 5.7.1 no"))))
        test = self.send(f"smtp://127.0.0.1:{closed.port},127.0.0.1:{self.sink.port}")
        self.assertEqual(test.status, TestSend.Status.SENT)

    def test_the_sandbox_takes_it(self) -> None:
        with override_settings(SANDBOX_PORT=self.sink.port):
            self.assertEqual(self.send("sandbox").status, TestSend.Status.SENT)

    def test_mail_servers_are_found_and_tried_in_turn(self) -> None:
        test = self.send_by_mx("hanako@example.jp")
        self.assertEqual((test.status, test.reply), (TestSend.Status.SENT, "250 2.0.0 queued"))

    def test_a_domain_that_takes_no_mail_says_so(self) -> None:
        test = self.send_by_mx("hanako@null.example")
        self.assertEqual((test.status, test.reply[:10]), (TestSend.Status.FAILED, "556 5.1.10"))

    def test_own_networks_are_out_of_bounds(self) -> None:
        test = self.send_by_mx("hanako@example.jp", ALLOW_PRIVATE_MX=False)
        self.assertEqual((test.reply[:9], self.sink.sessions), ("550 5.4.4", 0))

    def test_nothing_waits(self) -> None:
        self.assertFalse(testing.send_next())
