from __future__ import annotations

from unittest import TestCase

from delivery.models import Message
from delivery.replies import CARRIERS, COMMON, PROVIDERS, read
from delivery.smtp import Reply
from mailsales.reasons import Reason

CASES = """
rcpt 550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking | user_unknown hard
rcpt 550 5.2.1 The email account that you tried to reach is disabled. | suspended
rcpt 450 4.2.1 The user you are trying to contact is receiving mail too quickly. | rate_limited later
rcpt 550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages | rate_limited later
rcpt 552 5.2.2 The recipient's inbox is out of storage space and inactive. | mailbox_full
dot 550 5.7.1 [192.0.2.1 12] Our system has detected that this message is likely unsolicited mail. | spam
dot 421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address | rate_limited later
dot 550 5.7.26 This mail has been blocked because the sender is unauthenticated. | auth_failure
dot 550 5.7.25 The IP address sending this message does not have a PTR record setup | blocked
dot 550 5.7.515 Access denied, sending domain example.jp does not meet the required authentication level. | auth_failure
mail 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3150). | blocked
rcpt 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). | user_unknown hard
rcpt 550 5.4.1 Recipient address rejected: Access denied. | user_unknown hard
rcpt 451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. | rate_limited later
greeting 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints | rate_limited later
dot 554 delivery error: dd This user doesn't have a yahoo.co.jp account (someone@yahoo.co.jp) [0] | user_unknown hard
dot 550 5.7.1 [CS01] Message rejected due to local policy. | spam
rcpt 550 5.1.1 <taro@example.jp>: Recipient address rejected: User unknown in virtual mailbox table | user_unknown hard
rcpt 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org | blocked
rcpt 554 5.7.1 <taro@example.jp>: Relay access denied | relay_denied
rcpt 450 4.7.1 <taro@example.jp>: Recipient address rejected: Greylisted | rate_limited later
rcpt 550 5.1.2 Bad destination host DNS Hard Error looking up domain | host_unknown hard
rcpt 556 5.1.10 Recipient address has null MX | not_accepted hard
rcpt 552 5.2.2 Mailbox full | mailbox_full
dot 552 5.3.4 Message size exceeds fixed limit | too_big
dot 554 5.7.1 Message contains a virus (Eicar) | virus
dot 550 5.7.1 Rejected by SpamAssassin score 12.1 | spam
rcpt 551 User not local; please try <new@example.org> | moved hard
mail 550 5.1.8 Sender address rejected: Domain not found | rejected
mail 550 5.1.1 user unknown | rejected
greeting 554 No SMTP service here | other later
greeting 550 5.1.1 user unknown | blocked later
data 503 Bad sequence of commands | syntax
dot 451 4.3.0 Temporary failure, please try again later | system_error later
rcpt 599 Zounds | other
dot 499 Zounds | other later
""".strip().splitlines()

CARRIER_CASES = """
mfsmax.docomo.ne.jp rcpt 550 Unknown user taro@docomo.ne.jp | user_unknown hard
mfsmax.docomo.ne.jp dot 550 Unknown user taro@docomo.ne.jp | filtered
mfsmax.docomo.ne.jp dot 552 Too much mail data | mailbox_full
mfsmax.docomo.ne.jp dot 500 Line Too Long | syntax
lsean.ezweb.ne.jp dot 550 : User unknown | filtered
lsean.ezweb.ne.jp rcpt 550 <taro@ezweb.ne.jp>: User unknown | user_unknown hard
mx.softbank.ne.jp rcpt 550 Invalid recipient: <taro@softbank.ne.jp> | user_unknown hard
mx.softbank.ne.jp dot 550 Refused | filtered
mx3.mail.yahoo.co.jp greeting 421 VS98-IP0 Too many messages | rate_limited later
""".strip().splitlines()


class RepliesTest(TestCase):
    def check(self, host: str, case: str) -> None:
        said, _bar, expected = case.partition(" | ")
        command, code, text = said.split(" ", 2)
        verdict = read(Reply(int(code), text, command, host))
        words = [str(verdict.reason)]
        words += ["hard"] if verdict.is_hard else []
        words += ["later"] if verdict.status == Message.Status.DEFERRED else []
        self.assertEqual(" ".join(words), expected, said)

    def test_providers_and_common_servers(self) -> None:
        for case in CASES:
            with self.subTest(case):
                self.check("mx.example.jp", case)

    def test_japanese_carriers(self) -> None:
        for line in CARRIER_CASES:
            host, _blank, case = line.partition(" ")
            with self.subTest(line):
                self.check(host, case)

    def test_positive_reply_is_sent(self) -> None:
        self.assertEqual(read(Reply(250, "2.0.0 queued", "dot", "mx.example.jp")).status, Message.Status.SENT)

    def test_no_reply_is_unknown_only_after_the_dot(self) -> None:
        lost = read(Reply(0, "the connection was closed", "dot", "mx.example.jp"))
        early = read(Reply(0, "the connection was closed", "rcpt", "mx.example.jp"))
        self.assertEqual((lost.status, lost.reason), (Message.Status.UNKNOWN, Reason.NO_REPLY))
        self.assertEqual((early.status, early.reason), (Message.Status.DEFERRED, Reason.NETWORK_ERROR))

    def test_ip_address_is_no_enhanced_code(self) -> None:
        self.assertEqual(Reply(550, "Host 5.1.1.1 is odd", "rcpt", "").enhanced, "")

    def test_every_rule_names_its_source(self) -> None:
        self.assertTrue(all(rule.source for rule in (*CARRIERS, *PROVIDERS, *COMMON)))
