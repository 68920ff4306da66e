from __future__ import annotations

import smtplib
import time
from collections.abc import Callable

from django.test import TransactionTestCase

from accounts.models import Account, Domain
from campaigns.models import Suppression
from delivery.inbound import read_new
from delivery.inbound.limits import Limits
from delivery.models import InboundMail, Message
from mailsales.reasons import Reason
from mailsales.tokens import bounce_token
from tests.delivery.inbound_running import inbound_running
from tests.delivery.real_servers.exim import exim
from tests.delivery.real_servers.postfix import postfix
from tests.delivery.real_servers.running import Place, running
from tests.make import make_campaign, make_contact, make_list, make_message

BOUNCES = "bounce.aoba.example.jp"
PATIENCE = 20.0  # seconds


class RealReturnsTest(TransactionTestCase):
    """Mails of a campaign that a real server took, and reports at our inbound server."""

    def setUp(self) -> None:
        self.account = Account.objects.create(name="株式会社青葉商店")
        Domain.objects.create(account=self.account, name="aoba.example.jp")
        self.list = make_list(self.account)
        self.campaign = make_campaign(self.account, list=self.list)
        self.port = self.enterContext(inbound_running(Limits())).port

    def start(self, configure: Callable[[Place], list[str]]) -> Place:
        ways = {"bounces": BOUNCES, "bounces_port": self.port, "refusing_port": 1}
        return self.enterContext(running(configure, **ways))

    def outcome(self, place: Place, address: str) -> str:
        """Send a mail of the campaign to the address; return what the first mail was that came back."""
        message = make_message(
            self.campaign, make_contact(self.account, self.list, address=address), status=Message.Status.SENT
        )
        sender = f"b+{bounce_token(self.account.pk, message.pk)}@{BOUNCES}"
        with smtplib.SMTP("127.0.0.1", place.port) as smtp:
            smtp.sendmail(sender, address, f"To: {address}\r\nSubject: hello\r\n\r\nbody\r\n")
        until = time.monotonic() + PATIENCE
        while not read_new() and time.monotonic() < until:
            time.sleep(0.05)
        return InboundMail.objects.get(recipient=sender).outcome

    def test_an_unknown_user_is_let_go(self) -> None:
        for configure in (postfix, exim):
            self.assertEqual(self.outcome(self.start(configure), f"{configure.__name__}@post.example"), "hard_bounce")
        found = Suppression.objects.order_by("address").values_list("address", "reason")
        user_unknown = Reason.USER_UNKNOWN
        self.assertEqual(list(found), [("exim@post.example", user_unknown), ("postfix@post.example", user_unknown)])

    def test_a_warning_lets_nobody_go(self) -> None:
        for configure in (postfix, exim):
            self.assertEqual(self.outcome(self.start(configure), f"{configure.__name__}@away.example"), "delayed")
        self.assertFalse(Suppression.objects.exists())
