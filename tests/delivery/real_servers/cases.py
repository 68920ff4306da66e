"""What must be read from any real server's reports, whichever it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from unittest import SkipTest, TestCase

from delivery.bounces import Failure, Kind
from mailsales.reasons import Reason
from tests.delivery.real_servers.world import Post

HERE, REFUSING = "post.example", "refusing.example"


class ReportCases(TestCase):
    """`start` lets the server run. The reasons are those that its own words let a reader know."""

    start: Callable[[], AbstractContextManager[Post]]
    post: Post
    nowhere = Reason.HOST_UNKNOWN
    away = Reason.NETWORK_ERROR

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.post = cls.enterClassContext(cls.start())
        cls.post.send("null", f"nobody@{HERE}", sender="")
        for name in ("gone", "stuffed", "policy", "spam", "later"):
            cls.post.send(name, f"{name}@{REFUSING}")
        cls.post.send("nobody", f"nobody@{HERE}")
        cls.post.send("full", f"full@{HERE}")
        cls.post.send("away", "taro@away.example")
        cls.post.send("nowhere", "taro@nowhere.example")
        cls.post.send("foreign", f"存在しない@{HERE}")
        cls.post.send("delivered", f"hanako@{HERE}")
        cls.post.send("several", f"nobody@{HERE}", f"hanako@{HERE}", f"gone@{REFUSING}", f"full@{HERE}")
        failing = set(cls.post.cases) - {"null", "delivered"} - ({"nowhere"} if os.geteuid() else set())
        cls.post.until(lambda: all(cls.failures(case) for case in failing) and bool(cls.post.readings("delivered")))

    @classmethod
    def failures(cls, case: str) -> list[Failure]:
        return [failure for reading in cls.post.readings(case) for failure in reading.failures]

    def expect(self, case: str, recipient: str, reason: Reason, *, is_hard: bool = False) -> None:
        found = [(failure.recipient, failure.reason, failure.is_hard) for failure in self.failures(case)]
        self.assertEqual(found, [(recipient, reason, is_hard)])

    def test_unknown_user_of_its_own_is_hard(self) -> None:
        self.expect("nobody", f"nobody@{HERE}", Reason.USER_UNKNOWN, is_hard=True)

    def test_unknown_user_of_a_next_server_is_hard(self) -> None:
        self.expect("gone", f"gone@{REFUSING}", Reason.USER_UNKNOWN, is_hard=True)

    def test_unknown_user_in_foreign_letters_is_hard(self) -> None:
        self.expect("foreign", f"存在しない@{HERE}", Reason.USER_UNKNOWN, is_hard=True)

    def test_full_mailbox_of_its_own_is_soft(self) -> None:
        self.expect("full", f"full@{HERE}", Reason.MAILBOX_FULL)

    def test_full_mailbox_of_a_next_server_is_soft(self) -> None:
        self.expect("stuffed", f"stuffed@{REFUSING}", Reason.MAILBOX_FULL)

    def test_refusal_at_data_is_the_policy(self) -> None:
        self.expect("policy", f"policy@{REFUSING}", Reason.POLICY)

    def test_refusal_at_the_dot_is_spam(self) -> None:
        self.expect("spam", f"spam@{REFUSING}", Reason.SPAM)

    def test_what_was_put_off_too_long_is_soft(self) -> None:
        [failure] = self.failures("later")
        self.assertEqual((failure.recipient, failure.is_hard), (f"later@{REFUSING}", False))

    def test_server_that_is_away_is_soft(self) -> None:
        self.expect("away", "taro@away.example", self.away)

    def test_domain_that_does_not_exist_is_hard(self) -> None:
        if os.geteuid():
            raise SkipTest("Only root may be the name server that the mail server asks: port 53 of loopback.")
        self.expect("nowhere", "taro@nowhere.example", self.nowhere, is_hard=True)

    def test_warning_that_it_takes_long_is_no_failure(self) -> None:
        for case in ("later", "away"):
            warning = self.post.readings(case)[0]
            self.assertEqual((warning.kind, warning.failures), (Kind.DELAYED, []))

    def test_report_of_success_is_no_failure(self) -> None:
        kinds = [(reading.kind, reading.failures) for reading in self.post.readings("delivered")]
        self.assertEqual(kinds, [(Kind.DELIVERED, [])])

    def test_each_of_several_recipients_is_read(self) -> None:
        read = {(failure.recipient, failure.reason) for failure in self.failures("several")}
        expected = {
            (f"nobody@{HERE}", Reason.USER_UNKNOWN),
            (f"gone@{REFUSING}", Reason.USER_UNKNOWN),
            (f"full@{HERE}", Reason.MAILBOX_FULL),
        }
        self.assertEqual(read, expected)

    def test_every_report_leads_with_our_token(self) -> None:
        for case in self.post.cases:
            for reading in self.post.readings(case):
                self.assertIn(self.post.token(case), reading.tokens[:1], case)

    def test_mail_without_a_sender_brings_nothing_back(self) -> None:
        self.assertEqual((self.post.readings("null"), self.post.inbox.senders), ([], {"FROM:<>"}))
