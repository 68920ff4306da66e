"""What mail servers say against the sender: its address, form, rate, proof of origin, reputation, content and size.

None of it is ever held against the recipient, so these words are looked for before any about the mailbox.
"""

from __future__ import annotations

from delivery.reply_rules.rule import Rule
from mailsales.reasons import Reason as R

POSTFIX = "Postfix; postfix.org/postconf.5.html"
POSTFIX_ACCESS = "Postfix; postfix.org/SMTPD_ACCESS_README.html"
SENDMAIL = "Sendmail; cf/README, doc/op"
EXIM = "Exim; specification, chapter on access control lists"
QMAIL = "qmail, netqmail, spamdyke, chkuser"
AMAVIS = "amavis"

REJECTED = (
    Rule(R.REJECTED, r"\b[45]\.1\.[78]\b", "RFC 3463 §3.2 x.1.7, x.1.8: the sender's address",
         "mail 553 5.1.8 <b@bounce.example.jp>... Domain of sender address b@bounce.example.jp does not exist"),
    Rule(R.REJECTED, r"\b[45]\.7\.27\b|sender address has (a )?null mx", "RFC 7505 §4.2", "mail 550 5.7.27 Sender address has null MX"),
    Rule(R.REJECTED, r"domain of sender|sender (address|domain)\b.{0,60}(exist|resolve|not found|invalid|unknown|verif)|unrout(e)?able sender", SENDMAIL + "; Exim sender verification",
         "rcpt 550 Unrouteable sender address"),
    Rule(R.REJECTED, r"(could not complete|failed) sender verify|sender verif(y|ication) failed|sender verify failed|verification failed for <x@x>", EXIM,
         "rcpt 550 Sender verify failed"),
    Rule(R.REJECTED, r"\bfrom:? +(address|domain|header)?.{0,20}(is )?(invalid|not exist|rejected|not allowed)|please provide a valid from|invalid (ip|domain) for sending mail", "1&1, Yahoo Groups and filters on the From header",
         "dot 550 5.2.0 From: Domain is invalid. Please provide a valid From: IB506"),
    Rule(R.REJECTED, r"sorry, your (envelope sender|sender)|your envelope sender is in my badmailfrom", QMAIL + " badmailfrom",
         "mail 553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"),
    Rule(R.REJECTED, r"email address is not verified|identities failed the check", "Amazon SES; docs.aws.amazon.com/ses: our relay does not know the sender",
         "dot 554 Message rejected: Email address is not verified."),
)  # fmt: skip

SYNTAX = (
    Rule(R.SYNTAX, r"control character and was not sent|does not offer smtputf8", "Mailsales itself, before anything is sent",
         "rcpt 553 5.1.3 The address holds a control character and was not sent."),
    Rule(R.SYNTAX, r"not rfc.{0,12}complian|(multiple|duplicate|missing) .{0,30}(from|subject|addresses|date|message-id).{0,30}header|header field.{0,30}(missing|malformed)", "RFC 5322 §3.6",
         "dot 554 5.6.0 Rejected: header field Date is missing"),
    Rule(R.SYNTAX, r"protocol violation|not implemented|lone (cr|lf)|bare <?(cr|lf|newline|line ?feed|carriage)|stray newline", "RFC 5321 §2.3.8, §4.2.2; Postfix, Sendmail",
         "dot 550 5.5.2 Bare <LF> received"),
    Rule(R.SYNTAX, r"headers? too (large|long)|too many (header|received)|header (line|size).{0,20}(exceed|too)", SENDMAIL + " MaxHeadersLength",
         "dot 552 5.6.0 Headers too large (32768 max)"),
    Rule(R.SYNTAX, r"invalid character|non-?ascii|8.?bit|illegal 8-bit|smtputf8", "RFC 6152, RFC 6531", "dot 554 5.6.1 Eight bit data not allowed: 8bit content"),
)  # fmt: skip

RATE = (
    Rule(R.RATE_LIMITED, r"gr[ea]y ?-?list", "RFC 6647; Postgrey, milter-greylist", "rcpt 451 4.7.1 Greylisting in action, please come back in 00:05:00"),
    Rule(R.RATE_LIMITED, r"too many (\S+ )?(connections?|sessions)|too many concurrent|too much concurrency|concurrency limit|maximum (number of )?(concurrent )?(connections|sessions)", POSTFIX + " anvil; Exim smtp_accept_max_per_host",
         "greeting 421 4.7.0 mx.example.jp Error: too many connections from 192.0.2.1"),
    Rule(R.RATE_LIMITED, r"too many (\S+ )?(messages|recipients|e?mails|rcpt)\b|recipient limit|multi-?recipient", "RFC 5321 §4.5.3.1.10, RFC 3463 x.5.3",
         "rcpt 452 4.5.3 Error: too many recipients"),
    Rule(R.RATE_LIMITED, r"rate ?-?limit|throttl|slow(ing)? down|sending (too fast|too many)|try again (more )?slowly|frequency limit|exceeded.{0,30}(rate\b|connections|messages)|(rate|relay|sending) (quota|limit)|(daily|hourly) (relay |sending |mail |message )?(quota|limit)|too much (mail|load) from", "Exim, Sendmail ratecontrol, Rspamd",
         "rcpt 451 Ratelimit: slow down, please"),
    Rule(R.RATE_LIMITED, r"temporarily (deferred|blocked|blacklisted|rejected) (due to|because|for|from)|try later.{0,40}reputation|reputation.{0,40}try (again )?later", "Exim, cPanel, SpamExperts",
         "rcpt 451 Your server is temporarily deferred due to its volume"),
)  # fmt: skip

AUTH = (
    Rule(R.AUTH_FAILURE, r"\b(spf|dkim|dmarc|sender ?id|sender policy framework)\b.{0,60}(fail|not |n't|reject|polic(y|ies)|quarantine|unauth|invalid|denied|violat|block|error|required|mismatch)", "RFC 7208, RFC 6376, RFC 9989; OpenDMARC, Exim, policyd-spf",
         "dot 550 5.7.1 rejected by DMARC policy for aoba.example.jp"),
    Rule(R.AUTH_FAILURE, r"(fail\w*|violat\w*|reject\w*|denied|bad|invalid|no|missing|lacks?|without)\b.{0,40}\b(spf|dkim|dmarc)\b", "policyd-spf, MailChannels, Rspamd", "mail 550 5.7.23 Message rejected due to SPF"),
    Rule(R.AUTH_FAILURE, r"domain owner.{0,20}(discourages|policy)|not permitted by domain owner|(not|isn't) (authorized|allowed|permitted) to (send|use).{0,40}(domain|behalf|from)|purported responsible address|spoof", "RFC 7208 §8.4 explanations; Sender ID, RFC 4406",
         "mail 550 5.7.1 Domain owner discourages use of this host"),
)  # fmt: skip

BLOCKED = (
    Rule(R.BLOCKED, r"blocked using|blocked by \S+(rbl|bl|list)|listed (at|by) |(?<!not )listed (in|on) (?!.{0,12}(directory|address book))|\brbls?\b|dnsbl|rblsmtpd", POSTFIX_ACCESS + " reject_rbl_client; rblsmtpd",
         "rcpt 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.net"),
    Rule(R.BLOCKED, r"(?<!\w)(block|black|deny|reject) ?-?list", "RFC 5782", "greeting 550 Rejected: found on a DNS blacklist"),
    Rule(R.BLOCKED, r"reputation", "reputation services", "greeting 550 5.7.1 poor reputation of your network"),
    Rule(R.BLOCKED, r"reverse (dns|hostname|host name|lookup|mapping|ip)|\brdns\b|\bptr\b|cannot (find|resolve) your|fix your dns|fcrdns|forward.confirmed|no (valid )?(hostname|dns) for|unverifyable", POSTFIX_ACCESS + " reject_unknown_client_hostname; Sendmail require_rdns; RFC 7372",
         "rcpt 450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"),
    Rule(R.BLOCKED, r"client host.{0,40}(rejected|blocked)|name lookup failed|mismatches client|ip name (lookup|possibly forged)|helo command rejected|(helo|ehlo)\b.{0,40}(reject|invalid|denied|not)", POSTFIX_ACCESS + " smtpd_client_restrictions, smtpd_helo_restrictions; Sendmail",
         "rcpt 550 5.7.1 <mail.example.jp>: Client host rejected: Access denied"),
    Rule(R.BLOCKED, r"your (ip|host|server|network|mail ?server|address|domain|isp|mta)\b.{0,40}(block|reject|banned|denied|refuse|spam)|\bip\b.{0,30}(blocked|banned|rejected|denied|black)|banned (ip|host|sending)|\bip=\S+ - a problem|\(bl\)$", "qmail, Exim, MailEnable, 1&1",
         "greeting 554 Your IP address has been blocked"),
    Rule(R.BLOCKED, r"(connection|access|mail)s? .{0,20}(refused|denied|rejected|not accepted) (from|by) (your|this|the)? ?(host|ip|server|network|dynamic|\d)|not accepting connections|connections? (not|never) accepted|dynamic (ip|address|pool|host)|(dial-?up|residential)|use (the |your )?(smtp|mail|isp)\S* ?(server|relay)?.{0,12}(of|at)? ?your (isp|provider)", "Sendmail access map, Exim, SORBS DUHL",
         "rcpt 550 5.7.0 Please use the smtp server of your ISP."),
    Rule(R.BLOCKED, r"blocked for (abuse|spam)|(block|ban)(ed|ned) (for|due to) (abuse|spam)|too many (spams?|unwanted)|unwanted messages", "Exim, Outlook.com", "rcpt 550 Error - Blocked for abuse."),
)  # fmt: skip

RELAY = (
    Rule(R.RELAY_DENIED, r"relay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited|rejected|disabled)|(not permitted|not allowed|unable|denied|refuse\w*) to relay|do(es)? not relay|not local, unable|will not relay|no relay", POSTFIX + "; Sendmail, Exim, Exchange",
         "rcpt 554 5.7.1 <taro@example.jp>: Relay access denied"),
    Rule(R.RELAY_DENIED, r"relaying|(domain|host) isn't in my (list of allowed )?rcpthosts|rcpthosts|(user|recipient|mailbox) not local or|unavailable or not local|open relay|must be authenticated to|authentication (is )?required (for relay|to send)", QMAIL + " rcpthosts; MailEnable",
         "rcpt 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
)  # fmt: skip

CONTENT = (
    Rule(R.VIRUS, r"\bvirus|malware|infected|trojan|phish|\bworm\b|unsafe content", "ClamAV milters, " + AMAVIS, "dot 554 5.7.1 Message contains a virus (Eicar-Test-Signature)"),
    Rule(R.SPAM, r"\b(is |as |be |of |like )?spam|spam ?assassin|unsolicited|junk ?mail|bulk e?-?mail|\bu[cb]e\b|rejected as (bulk|junk)|high (spam )?probability|rspamd|advertis", "SpamAssassin, Rspamd, " + AMAVIS,
         "dot 550 5.7.1 Rejected by SpamAssassin, score 12.1"),
    Rule(R.SPAM, r"message content rejected|content (rejected|denied|filter\w* reject)|rejected (by|due to|for) (the )?content", AMAVIS + ", Postfix body_checks", "dot 550 5.7.1 message content rejected"),
    Rule(R.TOO_BIG, r"(message|mail|e-mail|size|body|file|attachment)\b(?!.{0,40}queue).{0,40}(too (big|large|long)|exceeds?\b)|exceeds?.{0,30}(size|limit).{0,20}(message|size)|message size|max(imum)? (message|mail) size|size limit|too large", "RFC 1870 §6; Postfix, Sendmail, Exim",
         "dot 552 5.3.4 Message size exceeds fixed limit"),
)  # fmt: skip

RULES = (*REJECTED, *SYNTAX, *RATE, *AUTH, *BLOCKED, *RELAY, *CONTENT)
