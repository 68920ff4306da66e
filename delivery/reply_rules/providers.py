"""Mailbox providers by their own words: Gmail, Microsoft, Yahoo and AOL, Apple, Comcast, Orange, GMX, QQ, 163, Mail.ru."""

from __future__ import annotations

from delivery.reply_rules.rule import Rule
from mailsales.reasons import Reason as R

GMAIL = "Gmail; support.google.com/a/answer/3726730"
EXCHANGE = "Exchange Online; learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online"
OUTLOOK = "Outlook.com; sendersupport.olc.protection.outlook.com/pm/troubleshooting"
YAHOO = "Yahoo, AOL; senders.yahooinc.com/smtp-error-codes"
APPLE = "iCloud; support.apple.com/102322"
APPLE_LIST = "iCloud; smtp.codes/icloud"
SHAPING = "KumoMTA's community shaping"
COMCAST = "Comcast; postmaster.comcast.net/mail-error-codes"
ORANGE = "Orange; postmaster.orange.fr"
GMX = "GMX, WEB.DE; postmaster.gmx.net/en/error-messages"
QQ = "QQ; service.mail.qq.com, smtp.codes/qq"
NETEASE = "NetEase 163, 126; mail.163.com/help: codes of refusals"
GODADDY = "GoDaddy; godaddy.com/help/smtp-error-codes"
MAIL_RU = "Mail.ru; help.mail.ru/mail-help/postmaster"
ORANGE_HOST = r"(^|\.)(orange|wanadoo)\.fr$"
GMX_HOST = r"(^|\.)(gmx\.(net|de|com|at|ch)|web\.de|mail\.com|kundenserver\.de|ionos\.\w+)$"
QQ_HOST = r"(^|\.)(qq|foxmail)\.com$"
APPLE_HOST = r"(^|\.)(icloud|me|mac|apple)\.com$"
MAIL_RU_HOST = r"(^|\.)(mail\.ru|bk\.ru|inbox\.ru|list\.ru)$"

GMAIL_RULES = (
    Rule(R.BLOCKED, r"\bptr record|ipv6 sending guidelines", GMAIL + " 4.7.23, 5.7.25",
         "dot 550 5.7.25 The IP address sending this message does not have a PTR record setup"),
    Rule(R.BLOCKED, r"very low reputation|ip not in whitelist for rcpt domain|not authorized to send (e?mail )?directly", GMAIL,
         "dot 550 5.7.1 This message is likely suspicious due to the very low reputation of the sending domain."),
    Rule(R.SECURITY, r"not using a tls connection|tls required for rcpt domain|sent without tls", GMAIL + " 4.7.29",
         "dot 421 4.7.29 Your email has been rate limited because you're not using a TLS connection."),
    Rule(R.AUTH_FAILURE, r"is unauthenticated|authentication didn't pass|isn't aligned with either|doesn't have a dmarc record"
         r"|sending domain has one or more suspicious entries|does not have authentication information", GMAIL + " 5.7.26, 4.7.27, 4.7.30",
         "dot 550 5.7.26 This mail has been blocked because the sender is unauthenticated."),
    Rule(R.RATE_LIMITED, r"unusual (rate|amount) of|receiving e?mail (too quickly|at a rate)|(daily|peak) \S+ ?\S* ?(relay|sending) ?\S* limit exceeded"
         r"|has been (temporarily )?rate limited|exceeded the quota for sending", GMAIL + " 4.7.28, 4.2.1, 5.4.5",
         "rcpt 550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"),
    Rule(R.SPAM, r"rejected due to spam classification|suspicious due to the nature of the content|likely (unsolicited|suspicious)", GMAIL + " 5.7.1",
         "dot 550 5.7.1 [192.0.2.1 12] Our system has detected that this message is likely unsolicited mail."),
    Rule(R.CONTENT, r"because its content presents a potential", GMAIL + " 5.7.0: a kind of attachment",
         "dot 552 5.7.0 This message was blocked because its content presents a potential security issue."),
    Rule(R.POLICY, r"has a policy that prohibit|violates \S+ e?mail policy|\bgcdp\b", GMAIL + ": a rule of the recipient's domain",
         "dot 550 5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail that you sent."),
    Rule(R.MAILBOX_FULL, r"inbox is out of storage|account that you tried to reach is over quota", GMAIL + " 5.2.2",
         "rcpt 552 5.2.2 The recipient's inbox is out of storage space and inactive."),
    Rule(R.SUSPENDED, r"account that you tried to reach is (disabled|inactive)", GMAIL + " 5.2.1",
         "rcpt 550 5.2.1 The email account that you tried to reach is inactive."),
    Rule(R.USER_UNKNOWN, r"account that you tried to reach does not exist", GMAIL + " 5.1.1",
         "rcpt 550 5.1.1 The email account that you tried to reach does not exist. Please try double-checking", commands="rcpt dsn"),
    Rule(R.HOST_UNKNOWN, r"weren't able to find the recipient domain", GMAIL + " 5.1.2",
         "rcpt 553 5.1.2 We weren't able to find the recipient domain. Please check for any spelling errors", commands="rcpt dsn"),
    Rule(R.SYNTAX, r"is not a valid rfc.?5321 address|rfc.?5322 compliant|missing a valid \S+ ?(address|header)|(multiple|duplicate) \S+ ?\S* ?(addresses|headers)"
         r"|encoded-word syntax|unicode character in a disallowed", GMAIL + ": carriers' old addresses too, and RFC 5322 §3.6",
         "rcpt 553 5.1.3 The recipient address <a..b@docomo.ne.jp> is not a valid RFC 5321 address."),
    Rule(R.TOO_BIG, r"exceeded google's message|exceeds google's limit", GMAIL + " 5.3.4",
         "dot 552 5.3.4 Your message exceeded Google's message size limits."),
)  # fmt: skip

MICROSOFT_RULES = (
    Rule(R.AUTH_FAILURE, r"required authentication level|\b5\.7\.(515|509)\b|\b5\.7\.1\b.{0,40}purported responsible address", OUTLOOK + " 5.7.515",
         "dot 550 5.7.515 Access denied, sending domain example.jp does not meet the required authentication level."),
    Rule(R.RATE_LIMITED, r"\b4\.7\.(5\d\d|6[5-9]\d)\b|recipient thread limit exceeded|exceeded the (connection|message) limit|\brp-00\d\b|\b5\.2\.12[12]\b",
         OUTLOOK + " RP-001, 4.7.650; Exchange Online 5.2.121",
         "rcpt 451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77714)"),
    Rule(R.BLOCKED, r"on our block ?list|banned sending ip|\b5\.7\.(60[6-9]|6[1-4]\d|708|513)\b|\(s31\d\d\)|\b(sc|dy|ou)-00\d\b|messages from \S+ weren't sent",
         OUTLOOK + " S3140, S3150, SC-001; Exchange Online 5.7.606",
         "mail 550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. part of their network is on our block list (S3150)."),
    Rule(R.REJECTED, r"banned sender|bad outbound sender|\b5\.7\.(511|50[1-3])\b", EXCHANGE + " 5.7.511, 5.1.8",
         "rcpt 550 5.7.511 Access denied, banned sender[taro@aoba.example.jp]"),
    Rule(R.RELAY_DENIED, r"tenantattribution", EXCHANGE + " 5.7.64",
         "rcpt 550 5.7.64 TenantAttribution; Relay Access Denied"),
    Rule(R.FILTERED, r"resolver\.rst\.(authrequired|notauthorized|restrict\w*|sender\w*)|recipientpermission|\b5\.7\.(124|13[3-6])\b|not in (the )?allowed.senders? list",
         EXCHANGE + " 5.7.133, 5.7.124: the mailbox takes mail from some senders only",
         "dot 550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required"),
    Rule(R.TOO_BIG, r"resolver\.rst\.\w*sizelimit", EXCHANGE + " 5.2.3",
         "dot 550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient"),
    Rule(R.USER_UNKNOWN, r"recip(ient)?notfound|mapiexceptionnotfound|recipient not found by smtp address lookup", EXCHANGE + " 5.1.1, 5.1.10",
         "dot 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
    Rule(R.USER_UNKNOWN, r"5\.4\.1 (all )?recipient address(es)? rejected ?: access denied", EXCHANGE + " 5.4.1: the edge knows all addresses",
         "rcpt 550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", commands="rcpt dsn"),
    Rule(R.USER_UNKNOWN, r"5\.5\.0 requested action not taken: mailbox unavailable", OUTLOOK,
         "rcpt 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", commands="rcpt dsn"),
    Rule(R.HOST_UNKNOWN, r"5\.4\.310|dns domain \S+ does not exist", EXCHANGE + " 5.4.310",
         "dsn 550 5.4.310 DNS domain example.jp does not exist", commands="rcpt dsn"),
    Rule(R.SUSPENDED, r"(account|mailbox)disabled(exception)?\b", EXCHANGE + " 5.2.1",
         "dot 554 5.2.1 STOREDRV.Deliver.Exception:AccountDisabledException; Failed to process message"),
    Rule(R.MAILBOX_FULL, r"quotaexceeded|storedrv\.deliver.{0,40}mailbox full", EXCHANGE + " 5.2.2",
         "dot 554 5.2.2 STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded"),
    Rule(R.SYSTEM_ERROR, r"storedrv|resolver\.fwd|\bmapiexception", EXCHANGE + ": the mailbox store",
         "dot 432 4.3.2 STOREDRV; mailbox server is too busy"),
)  # fmt: skip

OTHER_RULES = (
    Rule(R.RATE_LIMITED, r"\[ts{1,2}\d\d\]|unexpected volume|excessive unknown recipients|\bvs\d?-(ip|mf)", YAHOO + ": TS* errors",
         "greeting 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints"),
    Rule(R.BLOCKED, r"\[bl\d\d\]|\(rtr:\w+\)|aol will not accept delivery|connections will not be accepted from", YAHOO + ": listed by Spamhaus",
         "greeting 553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list"),
    Rule(R.CONTENT, r"\[ph\d\d\]", YAHOO + ": PH* errors",
         "dot 554 5.7.9 Message not allowed - [PH01] Email not accepted for policy reasons."),
    Rule(R.POLICY, r"not accepted for policy reasons", YAHOO + " 5.7.9",
         "dot 554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes"),
    Rule(R.USER_UNKNOWN, r"this user doesn't have an? \S+ account|requested mail action aborted, mailbox not found", YAHOO + ": recipient does not exist",
         "dot 554 delivery error: dd This user doesn't have a yahoo.com account (taro@yahoo.com) [0] - mta4001"),
    Rule(R.SUSPENDED, r"this mailbox is disabled|account has been (temporarily )?(disabled|suspended|discontinued)|\[#102\]|never logged onto", YAHOO,
         "dot 554 30 Sorry, your message to taro@yahoo.com cannot be delivered. This mailbox is disabled (554.30)."),
    Rule(R.SYSTEM_ERROR, r"resources temporarily (unavailable|not available)", YAHOO,
         "greeting 451 Resources temporarily not available - Please try again later [#4.16.5]."),
    Rule(R.AUTH_FAILURE, r"\[hme\d\]", APPLE_LIST, "dot 554 5.7.1 [HME1] This message was blocked for failing both SPF and DKIM authentication checks."),
    Rule(R.RATE_LIMITED, r"\[(hcm1|bs02)\]|deferred due to excessive volume", "iCloud; " + SHAPING,
         "rcpt 421 4.7.1 Messages to taro@icloud.com deferred due to excessive volume. Try again later"),
    Rule(R.SPAM, r"\[(cs0\d|hm0\d)\]|message rejected due to local policy", APPLE_LIST,
         "dot 550 5.7.1 [CS01] Message rejected due to local policy."),
    Rule(R.SYSTEM_ERROR, r"user lookup success but no user record", "iCloud's fault of 26 April 2021; status.socketlabs.com/incident/306",
         "rcpt 550 5.1.1 <taro@icloud.com>: user lookup success but no user record found"),
    Rule(R.SUSPENDED, r"inactive e-?mail address", APPLE, "mx01.mail.icloud.com rcpt 550 5.1.1 <taro@icloud.com>: inactive email address", host=APPLE_HOST),
    Rule(R.RATE_LIMITED, r"\brl0000\d\d\b", COMCAST, "greeting 421 4.1.0 192.0.2.1 Throttled - try again later. Please see RL000001"),
    Rule(R.BLOCKED, r"\b(bl|es)0\d{5}\b", COMCAST, "greeting 554 5.7.1 resimta-ch2 comcast.net 192.0.2.1 Comcast block for spam. BL000010"),
    Rule(R.USER_UNKNOWN, r"not our customer", COMCAST, "rcpt 550 5.1.1 <taro@comcast.net>: Not our Customer", codes="550", commands="rcpt dsn"),
    Rule(R.USER_UNKNOWN, r"destinataire (est )?invalide|invalid recipient", ORANGE,
         "smtp-in.orange.fr rcpt 550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_416", commands="rcpt dsn", host=ORANGE_HOST),
    Rule(R.SUSPENDED, r"destinataire archivee|archived recipient", ORANGE,
         "rcpt 550 5.2.1 Boite du destinataire archivee. Archived recipient. OFR_417"),
    Rule(R.MAILBOX_FULL, r"destinataire pleine|recipient overquota", ORANGE, "rcpt 552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417"),
    Rule(R.RATE_LIMITED, r"service refuse\b|trop de connexions|\bofr\d{0,3}_(10[3-9]|999)\b|\blpn\d{3}_10[3-9]\b", ORANGE,
         "greeting 550 5.5.0 Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR004_105"),
    Rule(R.SPAM, r"\bofr\d{0,3}_(50\d|51\d)\b|mail rejete", ORANGE, "dot 550 5.7.1 Mail rejete. Mail rejected. OFR_506 [506]"),
    Rule(R.USER_UNKNOWN, r"^(<x@x>: )?requested action not taken: mailbox unavailable( for explanation visit \S+)?$", "GMX; smtp.codes/unitedinternet",
         "mx00.emig.gmx.net rcpt 550 Requested action not taken: mailbox unavailable", codes="550", commands="rcpt", host=GMX_HOST),
    Rule(R.BLOCKED, r"nemesis esmtp service not available|ip address is (block|black) ?listed", GMX,
         "greeting 554 gmx.net (mxgmx104) Nemesis ESMTP Service not available No SMTP service IP address is block listed."),
    Rule(R.AUTH_FAILURE, r"reject due to (spf|dmarc|dkim)", GMX, "dot 554 Transaction failed Reject due to DMARC policy."),
    Rule(R.RATE_LIMITED, r"rate limit reached", GMX, "mail 450 Requested mail action not taken: mailbox unavailable Rate limit reached. Please try again later."),
    Rule(R.RATE_LIMITED, r"frequency limited|mailbox unavailable or access denied", QQ + ": too much mail for one recipient, for a while",
         "rcpt 550 Mailbox unavailable or access denied"),
    Rule(R.SPAM, r"mail content denied|suspected (spam|bounce attacks)", QQ, "dot 550 Mail content denied. http://service.exmail.qq.com/cgi-bin/help?id=20022"),
    Rule(R.FILTERED, r"rejected by recipients", QQ, "dot 550 Mail is rejected by recipients"),
    Rule(R.USER_UNKNOWN, r"mailbox not found", QQ, "mx1.qq.com rcpt 550 Mailbox not found. http://service.exmail.qq.com/cgi-bin/help?id=20022",
         codes="550", commands="rcpt dsn", host=QQ_HOST),
    Rule(R.BLOCKED, r"\bhl:(rep|mep|ihu|ipb|itc)\b|\bdt:rbl\b|\bwm:bli\b|\bip:(rep|blk)\b", NETEASE, "greeting 421 HL:REP 163 mx14,PcCowEC5 http://mail.163.com/help"),
    Rule(R.RATE_LIMITED, r"\bhl:(icc|ifc|ifq)\b|\b(mi|rp):(dmc|sfq|stc|frl|drc|trc|cel|ccl|fq\w?)\b", NETEASE, "rcpt 450 RP:DRC 163 smtp12,wKjgXX"),
    Rule(R.SPAM, r"\bdt:spm\b|\bmi:spb\b|\bspm:\w", NETEASE, "dot 554 DT:SPM 163 smtp5,D9GowAAX http://mail.163.com/help/help_spam_16.htm"),
    Rule(R.REJECTED, r"\bwm:blu\b|\bdt:sum\b|\bmi:esb\b", NETEASE, "mail 553 DT:SUM 163 smtp envelope sender differs from header"),
    Rule(R.USER_UNKNOWN, r"invalid mailbox.{0,80}user not found", MAIL_RU,
         "mxs.mail.ru rcpt 550 Message was not accepted -- invalid mailbox. Local mailbox taro@mail.ru is unavailable: user not found",
         commands="rcpt dsn", host=MAIL_RU_HOST),
    Rule(R.SUSPENDED, r"local mailbox x@x is unavailable: (account is disabled|user is blocked)|account is disabled", MAIL_RU,
         "rcpt 550 Message was not accepted -- invalid mailbox. Local mailbox taro@mail.ru is unavailable: account is disabled"),
    Rule(R.RATE_LIMITED, r"\bib103\b", GODADDY, "greeting 421 p3plibsmtp01 IB103 Connection refused. This IP has reached the maximum allowed connections"),
    Rule(R.AUTH_FAILURE, r"\bib60\d\b", GODADDY, "mail 550 IB607 Connection refused. This IP is not authorized by the domain's SPF record"),
    Rule(R.SPAM, r"\bib(50[14]|510)\b", GODADDY, "dot 552 5.2.0 IB504 This message has been rejected due to content"),
    Rule(R.BLOCKED, r"\bib(10\d|11\d|212)\b", GODADDY, "greeting 554 p3plibsmtp01 IB106 Connection refused. This IP address is listed"),
    Rule(R.RATE_LIMITED, r"ratelimit exceeded", MAIL_RU, "rcpt 451 Ratelimit exceeded for mailbox taro@mail.ru. Try again later."),
)  # fmt: skip

RULES = (*GMAIL_RULES, *MICROSOFT_RULES, *OTHER_RULES)
