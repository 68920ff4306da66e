from __future__ import annotations

from unittest import TestCase

from delivery.diagnosis import diagnose
from delivery.reply_rules import returned
from delivery.smtp import Reply
from mailsales.reasons import Reason
from tests.delivery.test_reply_rules import example

CASES = """
rcpt 550 5.1.1 <a@example.jp>... User unknown | user_unknown
rcpt 550 5.1.1 Mailbox does not exist | user_unknown
rcpt 550 Invalid recipient <a@example.jp> | user_unknown
rcpt 550 No such recipient | user_unknown
rcpt 550 <a@example.jp>: Recipient address rejected: User unknown in relay recipient table | user_unknown
rcpt 550 5.1.1 Unknown or illegal alias: a@example.jp | user_unknown
rcpt 550 unknown user account | user_unknown
rcpt 550 Unknown recipient address | user_unknown
rcpt 550 user a@example.jp does not exist | user_unknown
rcpt 550 a@example.jp is not a valid mailbox | user_unknown
rcpt 550 address does not exist | user_unknown
rcpt 550 Addressee unknown | user_unknown
rcpt 550 recipient address is invalid | user_unknown
rcpt 550 account not found | user_unknown
rcpt 550 sorry, no recipients accepted for this address | user_unknown
rcpt 550 Not a valid recipient | user_unknown
rcpt 550 No account by that name here | user_unknown
rcpt 550 This recipient e-mail address was not found | user_unknown
rcpt 550 Invalid recipient a@example.jp (#5.1.1) | user_unknown
rcpt 553 5.3.0 <a@example.jp>... No such user here | user_unknown
rcpt 550 sorry, that address is not in our database | user_unknown
rcpt 550 5.1.1 This user doesn't exist | user_unknown
rcpt 550 Mailbox not found | user_unknown
rcpt 554 5.1.1 recipient a@example.jp is unknown | user_unknown
rcpt 550 non-existing user | user_unknown
rcpt 550 This is not a valid email address | user_unknown
rcpt 550 no mailbox by that name is currently available | user_unknown
rcpt 550 RCPT TO:<a@example.jp> User unknown | user_unknown
rcpt 550 not our customer | user_unknown
rcpt 550 unknown or illegal user | user_unknown
rcpt 511 sorry, no mailbox here by that name (#5.1.1 - chkuser) | user_unknown
rcpt 550 5.0.0 User unknown | user_unknown
rcpt 550 5.1.1 invalid address | user_unknown
rcpt 550 5.5.0 Requested action not taken: mailbox unavailable | user_unknown
dsn 5.1.1 - Bad destination email address 'reject' (delivery attempts: 0) | user_unknown
dsn 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup | user_unknown
dsn 550 5.1.1 RESOLVER.ADR.RecipNotFound; not found | user_unknown
dsn X-Postfix; unknown user: "hanako" 5.1.1 | user_unknown
dsn RecipientNotFound: The recipient was not found | user_unknown
dsn Host or domain name not found. Name service error for name=nowhere.example type=A: Host not found | host_unknown
dsn 550 5.1.2 <a@nowhere.example>... Host unknown (Name server: nowhere.example: host not found) | host_unknown
dsn Domain nowhere.example does not exist | host_unknown
dsn Domain must exist | host_unknown
dsn 550 Host unknown | host_unknown
dsn unknown mail domain | host_unknown
dsn No such domain at this location | host_unknown
dsn The domain 'nowhere.example' does not exist | host_unknown
dsn DNS Error: Domain name not found | host_unknown
dsn recipient domain must exist | host_unknown
rcpt 556 5.1.10 Domain does not accept mail | not_accepted
dsn Domain nowhere.example does not accept mail (nullMX) | not_accepted
dsn 550 5.1.10 recipient domain has null MX | not_accepted
rcpt 521 5.2.1 mx.example.jp does not accept mail | not_accepted
rcpt 551 5.7.1 User has moved to b@example.org | moved
rcpt 551 5.1.6 recipient no longer on server: a@example.jp | moved
rcpt 552 5.2.2 <a@example.jp> user quota exceeded | mailbox_full
rcpt 552 Mailbox has exceeded the limit | mailbox_full
rcpt 550 5.2.2 Over quota | mailbox_full
rcpt 452 4.2.2 Mailbox full | mailbox_full
dsn Mailbox disk quota exceeded | mailbox_full
dsn account is full | mailbox_full
dsn maildir over quota | mailbox_full
dsn maildir delivery failed: User disk quota exceeded | mailbox_full
dsn user has Exceeded Quota | mailbox_full
dsn not enough storage space in mailbox | mailbox_full
dsn Insufficient disk space for mailbox | mailbox_full
dsn error writing message: Disk quota exceeded | mailbox_full
dsn Quota violation for a@example.jp | mailbox_full
dsn The recipient's mailbox is full | mailbox_full
dsn too much mail data for recipient | mailbox_full
dsn 554 5.2.2 mailbox full;554 5.2.2 STOREDRV.Deliver.Exception:QuotaExceededException | mailbox_full
rcpt 552 5.1.1 Mailbox size limit exceeded | mailbox_full
dsn mailbox would exceed maximum allowed storage | mailbox_full
dsn recipient storage full | mailbox_full
dsn system: hanako: over quota | mailbox_full
rcpt 550 5.2.1 The email account that you tried to reach is disabled | suspended
rcpt 550 mailbox currently suspended | suspended
rcpt 550 account is suspended | suspended
rcpt 554 The mailbox is inactive | suspended
rcpt 550 Account temporarily disabled | suspended
rcpt 550 user suspended | suspended
rcpt 550 recipient suspend the service | suspended
rcpt 550 this account has been disabled or discontinued | suspended
rcpt 550 mailbox is frozen | suspended
rcpt 525 5.7.13 Disabled recipient address | suspended
rcpt 550 email account that you tried to reach is inactive | suspended
rcpt 550 This account expired | suspended
rcpt 550 user account is locked | suspended
rcpt 550 invalid/inactive user | suspended
dot 550 5.2.0 Message filtered | filtered
dot 550 Unknown user a@docomo.ne.jp | filtered
rcpt 554 5.7.1 The recipient does not accept mails from you | filtered
rcpt 550 user reject the message | filtered
dot 550 because the recipient is only accepting mail from specific email addresses | filtered
rcpt 550 refused by recipient's white list | filtered
dot 554 5.7.1 Spam detected | spam
dot 550 This message appears to be spam | spam
dot 554 Message looks like spam | spam
dot 550 5.7.1 Message rejected as spam by Content Filtering | spam
dot 554 5.6.0 Reject, id=1 - SPAM | spam
dot 550 the message was considered spam (score 10) | spam
dot 552 spam score is too high | spam
dot 550 High probability of spam | spam
dot 550 Blocked by SpamAssassin | spam
dot 554 Transaction Failed Spam Message not queued | spam
dot 550 Rejected for policy reasons: unsolicited bulk | spam
dot 571 5.7.1 Message contains spam content | spam
dot 554 5.7.1 virus found | virus
dot 550 This message was infected with a virus | virus
dot 554 5.6.1 Body type not supported by Remote Host | content
dot 554 5.7.1 The message has been rejected because it contains a banned file | content
dot 552 5.3.4 Message too large | too_big
dot 552 message size exceeds fixed limit | too_big
dsn message size exceeds limit | too_big
mail 552 size exceeds maximum | too_big
dot 523 the message length exceeds administrative limit | too_big
dsn message file too big | too_big
rcpt 554 5.2.3 message length exceeds | too_big
dot 550 5.7.26 Unauthenticated email from example.jp is not accepted due to domain's DMARC policy | auth_failure
mail 550 5.7.1 SPF check failed | auth_failure
mail 550 SPF: 192.0.2.1 is not allowed to send mail from example.jp | auth_failure
dot 550 5.7.20 No passing DKIM signature found | auth_failure
dot 554 5.7.5 Permanent error evaluating DMARC policy | auth_failure
mail 553 5.7.1 sender SPF verify failed | auth_failure
rcpt 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using sbl.spamhaus.org | blocked
greeting 554 5.7.1 Your IP is blacklisted | blocked
rcpt 550 JunkMail rejected - host [192.0.2.1] is in an RBL | blocked
rcpt 554 IP 192.0.2.1 is blocked by EarthLink | blocked
greeting 550 your mail server is rejected | blocked
rcpt 550 5.7.1 Rejected: 192.0.2.1 listed at bl.example.net | blocked
rcpt 550 connection refused by recipient's firewall | blocked
rcpt 550 5.7.1 no reverse DNS for 192.0.2.1 | blocked
rcpt 450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1] | blocked
rcpt 550 You have no PTR record | blocked
mail 553 Dynamic pool 192.0.2.1 | blocked
rcpt 554 5.7.1 The server sending your mail [192.0.2.1] does not have a reverse DNS entry | blocked
mail 550 5.7.1 Domain example.jp has been blacklisted | blocked
dot 554 5.7.9 Message not accepted due to your domain's reputation | blocked
rcpt 550 HELO/EHLO name not resolvable | blocked
mail 421 4.7.0 Too many connections from your IP | rate_limited
rcpt 452 4.5.3 Too many recipients | rate_limited
rcpt 450 4.7.1 Greylisted, try again later | rate_limited
dsn 550 5.4.5 Daily sending quota exceeded | rate_limited
dsn Too many messages sent in the last hour | rate_limited
dot 554 Throttling failure: Maximum sending rate exceeded | rate_limited
mail 553 5.1.8 sender domain not exist | rejected
mail 550 <x@example.jp>: Sender address rejected: not logged in | rejected
mail 554 5.7.1 sender denied | rejected
mail 571 Sender blocked | rejected
mail 501 5.1.7 Bad sender address syntax | rejected
rcpt 554 5.7.1 Relaying denied | relay_denied
rcpt 550 5.7.1 Unable to relay for a@example.jp | relay_denied
rcpt 550 mail server requires authentication when attempting to send to a non-local e-mail address | relay_denied
rcpt 553 sorry, that domain isn't in my list of allowed rcpthosts | relay_denied
rcpt 550 relay not permitted | relay_denied
rcpt 550 not local host example.jp, not a gateway | relay_denied
dsn 530 5.7.0 Must issue a STARTTLS command first | security
dsn 535 5.7.8 authentication credentials invalid | security
dsn TLS is required, but was not offered by host mx.example.jp | security
dsn 454 4.7.0 TLS not available due to local problem | security
dsn Server certificate not verified | security
dot 554 5.7.1 rejected by policy | policy
dot 550 Denied by policy | policy
dot 550 5.7.0 security policy violation | policy
data 503 5.5.1 bad sequence of commands | syntax
dot 550 5.7.1 Message is not RFC 5322 compliant: missing From | syntax
rcpt 501 5.5.4 syntax error in parameters | syntax
dsn connect to mx.example.jp[192.0.2.1]:25: Connection timed out | network_error
dsn conversation with mx.example.jp[192.0.2.1] timed out while sending end of data | network_error
dsn lost connection with mx.example.jp while performing the HELO handshake | network_error
dsn No route to host | network_error
dsn mail for example.jp loops back to myself | network_error
dsn 554 5.4.6 Too many hops | network_error
dsn Hop count exceeded - possible mail loop | network_error
dsn 550 5.4.6 RESOLVER.ADR.Loop; routing loop detected | network_error
dsn Host or domain name not found. Name service error for name=example.jp type=MX: Host not found, try again | network_error
dsn DNS lookup failure | network_error
dsn 550 5.4.4 SMTPSEND.DNS.NonExistentDomain; nonexistent domain | network_error
dsn unable to connect successfully to the destination mail server | network_error
dsn network is unreachable | network_error
dsn Could not connect to any of the mail servers for example.jp | network_error
dsn mail forwarding loop for a@example.jp | network_error
dsn 451 4.3.5 Server configuration error | system_error
dot 451 4.3.0 Error: queue file write error | system_error
dsn local configuration error | system_error
dsn can't create user output file | system_error
dsn Command died with status 127 | system_error
dsn mailer lmtp died with signal 11 | system_error
dsn unknown mailer error 2 | system_error
dsn 452 4.3.1 Insufficient system storage | system_error
dsn Internal error | system_error
dsn 421 4.3.2 service shutting down | system_error
rcpt 450 4.2.0 Resources temporarily unavailable | system_error
dsn 5.3.5 system config error | system_error
dsn LMTP error after RCPT TO: 451 Internal server error | system_error
dsn pipe command failed | system_error
dsn Message expired in queue | expired
dsn Delivery time expired | expired
dsn 4.4.7 delivery time expired | expired
dsn Message could not be delivered for 5 days | expired
dsn retry timeout exceeded | expired
dsn 550 4.4.7 QUEUE.Expired; message expired | expired
dsn It has been in the queue too long | expired
dsn Giving up | expired
rcpt 550 5.4.1 All recipient addresses rejected : Access denied [AS(201806271) x.prod] | user_unknown
rcpt 551 5.1.1 Recipient address not found | user_unknown
rcpt 557 user does not exist | user_unknown
rcpt 554 5.1.1 <a@b.example>: Recipient address rejected: undeliverable address: User unknown in virtual mailbox table | user_unknown
rcpt 550 sorry, recipient address unknown | user_unknown
rcpt 550 5.1.1 unresolvable address: a@icloud.com | user_unknown
rcpt 550 a@b.example No such user - psmtp | user_unknown
rcpt 550 5.1.1 User has moved or does not exist | user_unknown
rcpt 550 recipient rejected: address not listed | user_unknown
rcpt 550 Recipient <a@b.example> does not exist here | user_unknown
rcpt 550 Mailbox <a@b.example> unknown | user_unknown
rcpt 550 cuda_nsu a@b.example: Recipient address rejected | user_unknown
rcpt 550 5.1.1 Address rejected a@b.example | user_unknown
rcpt 553 5.1.1 Invalid user | user_unknown
rcpt 550 Unable to find a@b.example on this server | user_unknown
dot 554 delivery error: dd Not a valid recipient - mta1 | user_unknown
dsn 550 5.1.1 MapiExceptionNotFound user not found | user_unknown
rcpt 452 4.2.2 The email account that you tried to reach is over quota | mailbox_full
dot 552 5.2.2 Mailbox size limit exceeded | mailbox_full
dot 554 5.2.2 MAILBOX FULL | mailbox_full
rcpt 422 4.2.2 user over quota; cannot receive new mail | mailbox_full
rcpt 550 The user's mailbox is over its limit | mailbox_full
dsn LMTP error from remote mail server after end of data: 552 5.2.2 a@b.example Quota exceeded (mailbox for user is full) | mailbox_full
dsn can't create user output file. Command output: maildrop: maildir over quota. | mailbox_full
dsn procmail: Quota exceeded while writing "/var/mail/a" | mailbox_full
rcpt 550 We would love to have gotten this email to a@aol.com. But, your recipient never logged onto their free AIM Mail account. | suspended
rcpt 550 5.7.1 account not available | suspended
rcpt 554 5.2.1 mailbox disabled, not accepting messages | suspended
rcpt 550 sorry, your mailbox has been disabled | suspended
rcpt 540 5.7.1 recipient address has been suspended | suspended
dsn 451 4.4.0 DNS query failed | network_error
dsn 550 5.4.316 Message expired, connection refused(Socket error code 10061) | network_error
dsn 550 5.4.317 Message expired, cannot connect to remote server | network_error
dsn 550 5.4.300 Message expired | expired
dsn 550 5.4.310 DNS domain nowhere.example does not exist [Message=InfoDomainNonexistent] | host_unknown
dsn 554 5.4.14 Hop count exceeded - possible mail loop ATTR34 | network_error
dot 550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy | policy
rcpt 550 5.7.64 TenantAttribution; Relay Access Denied | relay_denied
rcpt 550 5.7.708 Access denied, traffic not accepted from this IP | blocked
rcpt 550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients | rate_limited
dot 550 5.2.3 RESOLVER.RST.SendSizeLimit.Org; message too large for this organization | too_big
rcpt 550 5.1.8 Access denied, bad outbound sender | rejected
mail 550 5.7.60 SMTP; Client does not have permissions to send as this sender | rejected
mail 530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM | security
dot 550 5.6.0 CAT.InvalidContent.Exception | content
greeting 421-4.7.0 IP not in whitelist for RCPT domain, closing connection | blocked
dot 554 5.6.0 Message is malformed. Not accepted | syntax
greeting 521 5.2.1 : (CON:B1) https://postmaster.aol.com/error-codes#554conb1 | blocked
rcpt 550 OU-002 (BAY0-MC1-F1) Unfortunately, messages from 192.0.2.1 weren't sent | blocked
rcpt 554 5.7.1 Rejected 192.0.2.1 found in dnsbl.sorbs.net | blocked
rcpt 550-5.7.1 192.0.2.1 has been blacklisted at my.bl | blocked
mail 554 5.7.1 Your access to submit messages to this e-mail system has been rejected. | blocked
rcpt 550 Your server IP address is in the SpamRats database | blocked
ehlo 554 Blacklisted IP | blocked
rcpt 553 Your IP address is banned | blocked
rcpt 550 5.3.2 Your message was rejected because your network is blacklisted | blocked
rcpt 554 IB106. Connection refused. This IP address has been listed | blocked
greeting 421 mx IB103 Connection refused. 192.0.2.1 has exceeded maximum connection limits | rate_limited
dot 550 IB607 Connection refused. This IP is not allowed to send mail based on your SPF record | auth_failure
dot 550 5.2.0 IB504 This message has been rejected due to content judged to be spam by the internet community. | spam
rcpt 451 4.7.5 STARTTLS is required for this sender | security
dsn TLS handshake failed: certificate verify failed | security
dot 554 5.7.1 ACL dns_rbl; spam | spam
dot 550 5.7.1 This message contains malware (Sanesecurity.Phishing) | virus
mail 550 5.1.0 <x@aoba.example.jp> sender rejected : invalid sender domain | rejected
mail 553 5.1.8 <x@aoba.example.jp>... Domain of sender address does not exist | rejected
mail 450 4.1.8 <x@aoba.example.jp>: Sender address rejected: Domain not found | rejected
dot 550 Recipient does not accept messages from you: blocked by user | filtered
rcpt 550 5.7.1 <a@b.example>: Recipient address rejected: Please see sender whitelist | filtered
rcpt 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required | filtered
rcpt 451 4.7.1 Service unavailable - try again later | system_error
rcpt 450 4.3.2 Too much load; please try again later | system_error
dsn Local delivery failed: cannot open mailbox | system_error
dsn maildrop: Unable to open mailbox. | system_error
dsn 5.3.0 unknown mailer error 1 | system_error
dsn local mailer (/usr/bin/procmail) exited with EX_TEMPFAIL | system_error
dsn Can't open mailbox: Permission denied | system_error
dsn Sorry, I wasn't able to establish an SMTP connection. (#4.4.1) | network_error
dsn Connected to 192.0.2.1 but connection died. (#4.4.2) | network_error
dsn CNAME lookup failed temporarily. (#4.4.3) | network_error
dsn This message is looping: it already has my Delivered-To line. (#5.4.6) | network_error
dsn Sorry. Although I'm listed as a best-preference MX or A for that host, it isn't in my control/locals file, so I don't treat it as local. (#5.4.6) | network_error
dsn Too many "Received" headers - suspected mail loop | network_error
dsn all relevant MX hosts unreachable | network_error
""".strip().splitlines()

# What texts and codes say together: texts (divided by a bar), the status field, the command, the reason.
TOGETHER = (
    ("550 Rejected|mailbox is full", "5.0.0", "rcpt", Reason.MAILBOX_FULL),
    ("mailbox is full: retry timeout exceeded", "5.0.0", "dsn", Reason.MAILBOX_FULL),
    ("Connection timed out; message has been in the queue too long", "4.4.7", "dsn", Reason.NETWORK_ERROR),
    ("|this message has been in the queue too long", "4.4.7", "dsn", Reason.EXPIRED),
    ("550 5.7.1 IP address blacklisted by recipient", "5.1.1", "rcpt", Reason.BLOCKED),
    ("551 not our customer|550 5.1.1 User unknown", "5.1.6", "rcpt", Reason.MOVED),
    ("550 Zounds", "5.2.2", "rcpt", Reason.MAILBOX_FULL),
    (
        "554 Service unavailable|mail.local: unknown user: taro 554 Service unavailable",
        "5.5.0",
        "dsn",
        Reason.USER_UNKNOWN,
    ),
    ("550 Rejected", "5.0.0", "ehlo", Reason.BLOCKED),
    ("550 User unknown", "5.0.0", "mail", Reason.REJECTED),
    ("550 5.1.1 User unknown", "5.1.1", "dot", Reason.USER_UNKNOWN),
    ("550 User unknown", "5.1.1", "dot", Reason.FILTERED),
    ("451 Zounds", "4.5.0", "dsn", Reason.SYSTEM_ERROR),
    ("", "", "dsn", Reason.OTHER),
)


class DiagnosisTest(TestCase):
    def test_what_servers_and_systems_say(self) -> None:
        for case in CASES:
            said, _bar, expected = case.rpartition(" | ")
            command, text = said.split(" ", 1)
            with self.subTest(case):
                self.assertEqual(diagnose([text], "", command, "mx.example.jp").reason, expected)

    def test_the_most_particular_words_decide_then_the_codes(self) -> None:
        for texts, status, command, expected in TOGETHER:
            with self.subTest(texts):
                self.assertEqual(diagnose(texts.split("|"), status, command, "mx.example.jp").reason, expected)

    def test_no_command_and_no_code_leave_open_whether_the_user_is_unknown_or_a_filter_answers(self) -> None:
        for command, status, expected in (
            ("dsn", "5.0.0", Reason.FILTERED),
            ("dsn", "5.1.1", Reason.USER_UNKNOWN),
            ("rcpt", "5.0.0", Reason.USER_UNKNOWN),
        ):
            self.assertEqual(diagnose(["550 No such user"], status, command, "").reason, expected)

    def test_a_refusal_that_may_mean_somebody_else_is_never_hard(self) -> None:
        for text in (
            "5.1.1 Mail from your domain is not accepted here",
            "5.1.1 Recipient address rejected: unverified address: Address verification in progress",
            "5.1.2 Unknown sending host",
            "HELO host not found",
            "No such user is allowed to send",
            "unable to find return address: user unknown",
        ):
            self.assertFalse(diagnose([f"550 {text}"], "5.0.0", "rcpt", "").reason.can_be_hard, text)

    def test_a_reply_in_several_lines_is_one(self) -> None:
        text = "host mx said: 550-5.1.1 The email account that you tried 550-5.1.1 to reach does not exist. 550 5.1.1 x"
        found = diagnose([text], "5.1.1", "rcpt", "mx.example.jp")
        self.assertEqual((found.reason, found.code, found.status), (Reason.USER_UNKNOWN, 550, "5.1.1"))

    def test_only_the_first_reply_of_a_transcript_is_the_reason(self) -> None:
        text = "<<< 550 5.2.2 <a@b.example>... Mailbox full 550 5.1.1 <a@b.example>... User unknown <<< 503 Need RCPT"
        self.assertEqual(diagnose([text], "", "rcpt", "").reason, Reason.MAILBOX_FULL)

    def test_a_port_a_size_and_a_part_of_an_address_are_no_codes(self) -> None:
        for text in ("connect to mx[192.0.2.1]:465: timed out", "SIZE=550 refused", "10.0.0.550 refused", "X-450 x"):
            self.assertIsNone(diagnose([text], "", "dsn", "").code, text)

    def test_each_rule_reads_its_own_example_before_any_other_does(self) -> None:
        for rule in returned.RULES:
            with self.subTest(rule.heard):
                self.assertIs(returned.rule_for(example(rule)), rule)

    def test_each_rule_has_a_source_and_looks_at_lower_case(self) -> None:
        for rule in returned.RULES:
            self.assertGreater(len(rule.source), 3)
            bare = rule.text.pattern.replace(r"\S", "").replace(r"\W", "").replace(r"\D", "")
            self.assertEqual(bare, bare.lower())

    def test_no_rule_needs_long_for_any_text(self) -> None:
        for unit in ("a", " ", "user ", "mailbox ", "domain .", "<", "5.1.1 ", "could not "):
            self.assertIsNotNone(diagnose([unit * 100_000], "", "dsn", "").reason)
            returned.rule_for(Reply(550, (unit * 2_000)[:2_000], "dsn", ""))
