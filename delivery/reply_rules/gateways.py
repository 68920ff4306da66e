"""Filtering gateways in front of mail servers, by their own words. They speak of the sender; where they know who exists,
they say it plainly.
"""

from __future__ import annotations

from delivery.reply_rules.rule import Rule
from mailsales.reasons import Reason as R

MIMECAST = "Mimecast; mimecastsupport.zendesk.com/hc/articles/34000709564691"
PROOFPOINT = "Proofpoint; ipcheck.proofpoint.com"
BARRACUDA = "Barracuda; smtp.codes/550, barracudacentral.org"
CISCO = "Cisco Secure Email; talosintelligence.com"
TREND_MICRO = "Trend Micro; docs.trendmicro.com: SMTP error codes"
SYMANTEC = "Symantec Email Security.cloud (MessageLabs); knowledge.broadcom.com/external/article/169925"
LISTS = "Spamhaus, SpamCop, Barracuda, Cloudmark, Abusix and their like"
HORNET = "Hornetsecurity, EveryCloud; support.everycloudtech.com: reason codes"

RULES = (
    Rule(R.USER_UNKNOWN, r"invalid recipient.{0,60}mimecast", MIMECAST,
         "rcpt 550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [abc]", commands="rcpt dsn"),
    Rule(R.SPAM, r"mcspamsignature|local ct signature|rejected due to security policies", MIMECAST,
         "dot 554 Email rejected due to security policies - MCSpamSignature.x.x"),
    Rule(R.FILTERED, r"envelope blocked|manually blocked senders|sender address blocked", MIMECAST + ": the recipient's own list",
         "rcpt 550 Envelope blocked - User Entry - https://community.mimecast.com/docs/DOC-1369#550"),
    Rule(R.AUTH_FAILURE, r"anti-?spoofing", MIMECAST, "dot 550 Rejected by header based Anti-Spoofing policy: taro@aoba.example.jp"),
    Rule(R.POLICY, r"administrative lockout|submitter failed to (authenticate|disclose)", MIMECAST, "rcpt 550 Administrative Lockout"),
    Rule(R.BLOCKED, r"local ct ip reputation|ip (was )?found in rbl|in rbl\b", MIMECAST, "rcpt 550 csi.mimecast.org Poor Reputation Sender. IP found in RBL"),
    Rule(R.RATE_LIMITED, r"internal resource(s)? (is |are )?temporarily unavailable|unable to process connection at this time", MIMECAST + ": greylisting",
         "rcpt 451 Internal resource temporarily unavailable - https://community.mimecast.com/docs/DOC-1369#451"),
    Rule(R.BLOCKED, r"(support|ipcheck)\.proofpoint\.com|dnsbl-lookup\.cgi|intrusion prevention active", PROOFPOINT,
         "greeting 554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1"),
    Rule(R.USER_UNKNOWN, r"\bcuda_nsu\b", BARRACUDA + ": it asked the mail server, which knows no such user", "rcpt 550 cuda_nsu taro@example.jp: Recipient address rejected", commands="rcpt dsn"),
    Rule(R.SPAM, r"permanent failure for one or more recipients \(x@x:(blocked|quarantined?)\)", BARRACUDA,
         "dot 550 permanent failure for one or more recipients (taro@example.jp:blocked)"),
    Rule(R.SPAM, r"rejecting spoofed message|rejecting banned content", BARRACUDA, "dot 550 rejecting banned content"),
    Rule(R.BLOCKED, r"sending mta'?s poor reputation|your access to (submit messages to )?this (mail|e-mail) system has been rejected", CISCO,
         "greeting 554 Your access to this mail system has been rejected due to the sending MTA's poor reputation."),
    Rule(R.RATE_LIMITED, r"too many (messages for this session|recipients received this hour|invalid recipients)", CISCO,
         "rcpt 452 #4.5.3 Too many recipients received this hour"),
    Rule(R.OTHER, r"#5\.1\.0 address rejected", CISCO + ": unknown, or merely not listed: it does not say",
         "rcpt 550 #5.1.0 Address rejected."),
    Rule(R.BLOCKED, r"for (zombie|rbl\+?) matches|trend ?micro|\ber(s|sp)-\w+\b|mail-abuse\.com", TREND_MICRO,
         "rcpt 550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using Trend Micro RBL+."),
    Rule(R.SPAM, r"message filtered\. (please )?(refer|see)|symanteccloud\.com|messagelabs\.com/support", SYMANTEC,
         "dot 553 Message filtered. Refer to the Troubleshooting page at http://www.symanteccloud.com/troubleshooting for more information. (#5.7.1)"),
    Rule(R.BLOCKED, r"connection rejected by policy \[", SYMANTEC, "greeting 501 Connection rejected by policy [7.7] 20805"),
    Rule(R.BLOCKED, r"spamhaus|spamcop|barracuda(central|networks)?\.\w+|sorbs\.net|\bcsi\.cloudmark|cloudmark sender|uceprotect|surbl|uribl|invaluement|abusix|senderscore|truncate\.gbudb", LISTS,
         "rcpt 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
    Rule(R.BLOCKED, r"ip sender address with a negative reputation|\b5\.5\.4 (spam )?ip rejected", HORNET, "rcpt 554 5.5.4 IP sender address with a negative reputation"),
)  # fmt: skip
