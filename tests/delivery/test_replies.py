from __future__ import annotations

from unittest import TestCase

from delivery.models import Message
from delivery.replies import is_unread, read, wait_of
from delivery.smtp import LONGEST_TEXT, Reply
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
dot 550 5.7.25 The IP address sending this message does not have a PTR record setup | blocked later
dot 550 5.7.515 Access denied, sending domain example.jp does not meet the required authentication level. | auth_failure
mail 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3150). | blocked later
rcpt 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). | user_unknown hard
rcpt 550 5.4.1 Recipient address rejected: Access denied. | user_unknown hard
rcpt 451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. | rate_limited later
greeting 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints | rate_limited later
dot 554 delivery error: dd This user doesn't have a yahoo.co.jp account (someone@yahoo.co.jp) [0] | user_unknown hard
dot 550 5.7.1 [CS01] Message rejected due to local policy. | spam
rcpt 550 5.1.1 <taro@example.jp>: Recipient address rejected: User unknown in virtual mailbox table | user_unknown hard
rcpt 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org | blocked later
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
dot 421 4.7.26 Your email has been rate limited because it is unauthenticated. Gmail requires all senders to authenticate | auth_failure later
dot 421 4.7.29 Your email has been rate limited because you're not using a TLS connection. | security later
rcpt 550 5.4.5 Daily SMTP relay limit exceeded for user. | rate_limited later
rcpt 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup | user_unknown hard
dot 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required | filtered
rcpt 550 5.7.606 Access denied, banned sending IP [192.0.2.1] | blocked later
rcpt 550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Barracuda Reputation | blocked later
rcpt 550 5.2.121 RESOLVER.RST.RecipientHourlyLimitExceeded; the recipient's hourly limit is exceeded | rate_limited later
dot 554 30 Sorry, your message to taro@yahoo.com cannot be delivered. This mailbox is disabled (554.30). | suspended
rcpt 550 5.1.1 <taro@icloud.com>: user does not exist | user_unknown hard
rcpt 550 5.1.1 <taro@icloud.com>: user lookup success but no user record found | system_error
rcpt 550 5.1.1 unknown or illegal alias: taro@icloud.com | user_unknown hard
rcpt 550 Mailbox unavailable or access denied | rate_limited later
rcpt 550 Requested action not taken: mailbox unavailable | other
rcpt 550 5.1.1 Requested action not taken: mailbox unavailable | user_unknown hard
rcpt 550 5.2.1 <taro@example.jp>... User Unknown | suspended
rcpt 550 5.7.1 <taro@sfr.fr>: Recipient address rejected: User unknown | filtered
rcpt 550 <taro@example.jp>: Recipient address rejected | other
rcpt 550 5.1.1 <taro@example.jp>: Recipient address rejected: undeliverable address: host mx2.example.jp said: 554 refused | other
rcpt 550 5.1.1 User unknown; please try again later | other later
rcpt 550 User taro (taro@example.jp) not listed in Domino Directory | user_unknown hard
rcpt 550 5.1.1 <spam@virus.example.jp>: User unknown | user_unknown hard
rcpt 550 sorry, no mailbox here by that name (#5.1.1) | user_unknown hard
rcpt 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1) | relay_denied
rcpt 550 Unrouteable address | user_unknown hard
rcpt 550 5.1.1 User doesn't exist: taro@example.jp | user_unknown hard
rcpt 550 Invalid recipient: <taro@example.jp> | user_unknown hard
rcpt 550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [abc] | user_unknown hard
rcpt 451 Internal resource temporarily unavailable - https://community.mimecast.com | rate_limited later
rcpt 550 #5.1.0 Address rejected. | other
rcpt 551 not our customer | other
rcpt 550 unknown host mail.aoba.example.jp | other
rcpt 550 Sender verify failed | rejected
rcpt 550 5.4.4 Zounds | network_error
rcpt 521 Zounds | policy
rcpt 521 5.2.1 AOL will not accept delivery of this message. | blocked later
greeting 521 mx.example.jp does not accept mail | policy later
ehlo 550 5.7.1 Helo command rejected: Invalid name | blocked later
starttls 454 4.7.0 TLS not available due to local problem | security later
rcpt 552 5.5.3 Too many recipients | rate_limited later
rcpt 452 4.5.3 Too many recipients | rate_limited later
mail 552 5.3.4 Message size exceeds fixed maximum message size | too_big
dot 554 5.3.0 Server busy, please try again later | system_error later
dot 554 5.7.1 Spam detected, try again later | spam
rcpt 450 5.1.1 User unknown | user_unknown later
dsn 550 5.1.1 procmail: Couldn't create "/var/spool/mail/taro" id: taro: No such user | system_error
dsn 450 4.4.7 Message expired: unable to deliver in 5 days | expired later
rcpt 550 宛先のメールアドレスが存在しません | user_unknown hard
dot 550 受信拒否設定により受信できません | filtered
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
lsean.ezweb.ne.jp dot 550 <taro@ezweb.ne.jp>: User unknown | filtered
lsean.ezweb.ne.jp rcpt 554 <taro@ezweb.ne.jp>: Relay access denied | relay_denied
docomo.ne.jp dsn 550 5.0.0 Unknown user taro@docomo.ne.jp | filtered
docomo.ne.jp dsn 550 5.1.1 Unknown user taro@docomo.ne.jp | user_unknown hard
mfsmax.docomo.ne.jp greeting 550 Unknown user | blocked later
mx.softbank.ne.jp mail 553 bounce.example.jp does not exist | rejected
mx.softbank.ne.jp dot 550 Invalid recipient: <taro@softbank.ne.jp> | filtered
mx1.mail.yahoo.co.jp dot 554 delivery error: dd This user doesn't have a yahoo.co.jp account (taro@yahoo.co.jp) [-5] | user_unknown hard
mx3.mail.yahoo.co.jp mail 553 refused | blocked later
mx3.mail.yahoo.co.jp greeting 421 VS98-IP0 Too many messages | rate_limited later
""".strip().splitlines()


# Each of these was meant for the sender, for another address, or for a look-up that failed.
DOUBTFUL = """
5.1.1 Recipient rejected because of your IP reputation
5.1.1 Mail from your domain is not accepted here
5.1.1 <taro@example.jp>: Recipient address rejected: unverified address: Address verification in progress
5.1.1 Unable to verify recipient: host not found
5.1.1 User unknown; please try again later
5.1.2 Unknown sending host
5.2.1 <taro@example.jp>... User Unknown
5.3.0 User unknown
5.7.1 The domain of your address does not exist
unknown host mail.aoba.example.jp
HELO host not found
Too many unknown users from your IP
Account does not exist: From address b@bounce.example.jp
Verification failed for <b@bounce.example.jp> Response: 550 No such user
unable to find return address: user unknown
envelope sender: user unknown
recipient not found in sender's whitelist
No such user is allowed to send
user not found: authentication failed
Recipient unknown: temporary ldap failure
Recipient check failed: no such host ldap01
User's mailbox does not accept mail from outside
This domain does not accept mail
This address is no longer valid
Your mailbox b@bounce.example.jp does not exist
Recipient address rejected: Domain not found
""".strip().splitlines()

WAITS = """
Please try again in 5 minutes | 300
4.7.1 Greylisted for 300 seconds (see http://postgrey.example.jp/help) | 300
4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/example.jp.html in 300 s | 300
4.7.1 Greylisting in action, please come back in 00:05:00 | 300
Greylisted; retry in 01:30:00 | 5400
retry after 900 seconds | 900
You must wait 10 min | 600
Try again in an hour | 3600
Deferred: resend in 2 hrs | 7200
In 15 minutes, please retry | 900
try again in 3 minute(s) | 180
temporarily blocked for 20 minutes | 1200
しばらくお待ちください。5分後に再度お試しください | 300
300秒後に再送してください | 300
1時間以上経過後に再送してください | 3600
Try again in 2 seconds | 60
Try again in 99 hours | 14400
Please try again later |
4.7.1 Greylisted |
Too many messages from 192.0.2.1 |
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

    def test_a_doubtful_text_is_never_hard(self) -> None:
        for text in DOUBTFUL:
            self.assertFalse(read(Reply(550, text, "rcpt", "mx.example.jp")).is_hard, text)

    def test_what_dns_says_of_the_domain_is_hard(self) -> None:
        for code, text in ((556, "5.1.10 The domain takes no mail (null MX)"), (550, "5.1.2 No such domain")):
            self.assertTrue(read(Reply(code, text, "connect", "example.jp")).is_hard, text)

    def test_positive_reply_is_sent(self) -> None:
        self.assertEqual(read(Reply(250, "2.0.0 queued", "dot", "mx.example.jp")).status, Message.Status.SENT)

    def test_no_reply_is_unknown_only_after_the_dot(self) -> None:
        lost = read(Reply(0, "the connection was closed", "dot", "mx.example.jp"))
        early = read(Reply(0, "the connection was closed", "rcpt", "mx.example.jp"))
        self.assertEqual((lost.status, lost.reason), (Message.Status.UNKNOWN, Reason.NO_REPLY))
        self.assertEqual((early.status, early.reason), (Message.Status.DEFERRED, Reason.NETWORK_ERROR))

    def test_a_reply_that_no_rule_knows_is_unread(self) -> None:
        known = Reply(550, "5.1.1 User unknown", "rcpt", "mx.example.jp")
        self.assertEqual([is_unread(known), is_unread(Reply(550, "Zounds", "rcpt", "mx.example.jp"))], [False, True])

    def test_a_wait_is_read_in_every_form(self) -> None:
        for line in WAITS:
            text, _bar, seconds = line.partition(" | ")
            with self.subTest(text):
                wait = wait_of(Reply(451, text, "rcpt", "mx.example.jp"))
                self.assertEqual(wait and wait.total_seconds(), float(seconds) if seconds else None)

    def test_any_text_is_read(self) -> None:
        for size in (1, 500, 5_000):
            for text in ("again " * size, "user " * size, "a." * size, "1 " * size, "[" * size, "<" * size):
                reply = Reply(550, text[:LONGEST_TEXT], "rcpt", "mx.example.jp")
                self.assertFalse(read(reply).is_hard or wait_of(reply))

    def test_ip_address_is_no_enhanced_code(self) -> None:
        self.assertEqual(Reply(550, "Host 5.1.1.1 is odd", "rcpt", "").enhanced, "")
