"""What an SMTP reply means for the message: a verdict out of code, enhanced code, command, text and host.

The rules are a table over `mailsales/reasons.py`, first match wins: carriers and providers by their own wording, then
wording common to mail servers, then the enhanced code (RFC 3463, RFC 5248 and its IANA registry), then the bare code
(RFC 5321 §4.2.3). A reply before RCPT cannot be about the recipient. `5xx` alone never means that an address is dead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from delivery.models import Message
from delivery.smtp import Reply
from mailsales.reasons import About, Reason

OPENING = frozenset({"connect", "greeting", "ehlo", "starttls", "auth"})
BEFORE_RECIPIENT = OPENING | {"mail"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the message: sent, deferred, bounced or unknown; and, if hard, of the address."""

    status: Message.Status
    reason: Reason | None = None
    is_hard: bool = False


class Rule:
    """A line of the table. What is not given matches everything. `source` says who documents it, or whose words they are."""

    __slots__ = ("codes", "commands", "host", "reason", "source", "text")

    def __init__(
        self, reason: Reason, text: str, source: str, *, codes: str = "", commands: str = "", host: str = ""
    ) -> None:
        self.reason = reason
        self.text = re.compile(text, re.IGNORECASE)
        self.source = source
        self.codes = re.compile(codes) if codes else None
        self.commands = frozenset(commands.split())
        self.host = re.compile(host, re.IGNORECASE) if host else None

    def fits(self, reply: Reply) -> bool:
        if self.commands and reply.command not in self.commands:
            return False
        if self.codes and not self.codes.match(str(reply.code)):
            return False
        if self.host and not self.host.search(reply.host):
            return False
        return self.text.search(reply.text) is not None


R = Reason
AFTER = "data dot"
DOCOMO = r"(^|\.)docomo\.ne\.jp$|(^|\.)mopera\.net$"
AU = r"(^|\.)(ezweb\.ne\.jp|au\.com|kddi\.ne\.jp|uqmobile\.jp)$"
SOFTBANK = r"(^|\.)(softbank\.(ne\.)?jp|vodafone\.ne\.jp|disney\.ne\.jp|ymobile\.ne\.jp)$"
YAHOO_JAPAN = r"(^|\.)(yahoo\.co\.jp|ybb\.ne\.jp)$"

CARRIERS = [
    # docomo answers "Unknown user" twice: at RCPT the address does not exist, after DATA its owner's settings refuse
    Rule(R.FILTERED, r"^Unknown user\b", "docomo: receive settings (ドメイン指定受信)", codes="550", commands=AFTER),
    Rule(R.USER_UNKNOWN, r"\bUnknown user\b", "docomo", codes="550", host=DOCOMO),
    Rule(R.MAILBOX_FULL, r"too much mail data", "docomo", codes="552"),
    Rule(R.MAILBOX_FULL, r"", "docomo", codes="552", host=DOCOMO),
    Rule(R.SYNTAX, r"line too long", "docomo: more than 1,000 bytes", codes="500"),
    Rule(
        R.FILTERED, r"^(5\.1\.1 )?(<>)? ?: ?User unknown", "au: no address given means the reader's filter", codes="550"
    ),
    Rule(R.USER_UNKNOWN, r"<[^>]+>: ?User unknown", "au", codes="550", host=AU),
    Rule(R.FILTERED, r"please confirm the (mail ?box|receiv)", "au", host=AU),
    Rule(R.USER_UNKNOWN, r"invalid recipient", "SoftBank", codes="550", host=SOFTBANK),
    Rule(R.FILTERED, r"", "SoftBank: refused after DATA", codes="55[04]", commands=AFTER, host=SOFTBANK),
    Rule(R.USER_UNKNOWN, r"doesn't have a yahoo\.\S+ account|VS10-RT", "Yahoo, Yahoo! JAPAN", codes="55"),
    Rule(R.SUSPENDED, r"account has been (temporarily )?(disabled|suspended|discontinued)|\[#102\]", "Yahoo"),
    Rule(R.RATE_LIMITED, r"VS98-IP|VS-IP|IPTS04|TSS0[45]|\[TS0[1-4]\]|unexpected volume", "Yahoo, Yahoo! JAPAN"),
    Rule(R.BLOCKED, r"\[BL\d\d\]", "Yahoo: the address is on a block list"),
    Rule(R.BLOCKED, r"", "Yahoo! JAPAN", codes="553", commands="connect greeting ehlo mail", host=YAHOO_JAPAN),
]

PROVIDERS = [
    # Gmail: support.google.com/a/answer/3726730
    Rule(
        R.RATE_LIMITED,
        r"unusual rate of|receiving mail (too quickly|at a rate)|daily user sending limit|4\.7\.28",
        "Gmail",
    ),
    Rule(R.BLOCKED, r"very low reputation|does not have a PTR|PTR record (for|setup)", "Gmail 5.7.25, RFC 7372"),
    Rule(
        R.AUTH_FAILURE, r"sender is unauthenticated|does not pass authentication|5\.7\.26\b", "Gmail 5.7.26, RFC 7372"
    ),
    Rule(R.SECURITY, r"4\.7\.29|sent without (a )?TLS|transmitted over a? ?(secure|TLS)", "Gmail 4.7.29"),
    Rule(R.POLICY, r"because its content presents a potential", "Gmail 5.7.0: a kind of attachment"),
    Rule(
        R.MAILBOX_FULL,
        r"inbox is out of storage|over (its )?(storage )?quota|exceeded (its|their|his) (mail)?box? ?quota",
        "Gmail",
    ),
    Rule(R.SUSPENDED, r"account that you tried to reach is (disabled|inactive)", "Gmail 5.2.1"),
    Rule(R.USER_UNKNOWN, r"account that you tried to reach does not exist", "Gmail 5.1.1"),
    Rule(R.SPAM, r"likely (unsolicited|suspicious)|unsolicited mail", "Gmail 5.7.1"),
    # Microsoft: learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
    Rule(R.AUTH_FAILURE, r"required authentication level|5\.7\.515|5\.7\.509|5\.7\.23\b", "Microsoft 5.7.515"),
    Rule(
        R.RATE_LIMITED,
        r"temporarily rate limited due to IP reputation|4\.7\.6[5-9]\d|exceeded the (connection|message) limit",
        "Microsoft",
    ),
    Rule(R.BLOCKED, r"on our block ?list|banned sending IP|5\.7\.(60[6-9]|6[1-4]\d)|\(S31\d\d\)|S3140", "Microsoft"),
    Rule(R.REJECTED, r"banned sender|5\.7\.511", "Microsoft"),
    Rule(
        R.USER_UNKNOWN,
        r"RecipientNotFound|RESOLVER\.ADR|5\.4\.1 Recipient address rejected: Access denied",
        "Microsoft",
    ),
    Rule(
        R.USER_UNKNOWN, r"5\.5\.0 Requested action not taken: mailbox unavailable", "Outlook.com", commands="rcpt dsn"
    ),
    Rule(R.HOST_UNKNOWN, r"5\.4\.310", "Microsoft: DNS domain does not exist"),
    Rule(R.MAILBOX_FULL, r"QuotaExceeded", "Microsoft 5.2.2"),
    # Apple: support.apple.com/102322; Yahoo: senders.yahooinc.com/smtp-error-codes
    Rule(R.SPAM, r"\[(CS01|CS02|HM0\d)\]|message rejected due to local policy", "iCloud"),
    Rule(R.RATE_LIMITED, r"\[(HCM1|BS02)\]", "iCloud"),
    Rule(R.POLICY, r"not accepted for policy reasons", "Yahoo 5.7.9"),
]

COMMON = [
    Rule(R.REJECTED, r"\b[45]\.1\.[78]\b|domain of sender|sender (address|domain).{0,60}(exist|resolve|not found)", "RFC 3463 x.1.7, x.1.8, Sendmail"),
    Rule(R.SYNTAX, r"not RFC.{0,12}complian|multiple .{0,30}(From|Subject|addresses).{0,30}header|protocol violation|not implemented|headers too large", "RFC 5322 §3.6, Gmail"),
    Rule(R.FILTERED, r"recipient preferences|message filtered|by the (recipient|user)('s)? (filter|rule|request)", "Facebook, Exim"),
    Rule(R.RATE_LIMITED, r"too many (connections|messages|concurrent|recipients|emails|mails)|rate.?limit|throttl|try again (more )?slowly|slow down|sending too (fast|many)|frequency limit|exceeded.{0,30}(rate|connections|messages)|too much (mail|load) from", "Postfix anvil, Exim, Sendmail"),
    Rule(R.AUTH_FAILURE, r"\b(SPF|DKIM|DMARC|Sender ID)\b.{0,60}(fail|not|reject|policy|quarantine|unauth|invalid|denied)|(fail|violat|reject|denied|bad).{0,40}\b(SPF|DKIM|DMARC)\b|not have authentication information|domain owner.{0,20}(discourages|policy)", "Exim, OpenDMARC, Mimecast"),
    Rule(R.BLOCKED, r"blocked using|spamhaus|spamcop|barracudacentral|sorbs|dnsbl|\brbls?\b|block ?list|black ?list|deny ?list|listed (at|in|on|by)|(poor|bad|low) (sender )?reputation|reputation|reverse (DNS|hostname|lookup)|\bPTR\b|cannot find your (reverse )?hostname|client host.{0,40}(rejected|blocked)|name lookup failed|mismatches client|not accepting connections|your (IP|host|server|network|address).{0,40}(block|reject|banned|denied|refused)|(connection|access).{0,20}refused from|banned (IP|host)", "Postfix reject_rbl_client, reject_unknown_client"),
    Rule(R.RELAY_DENIED, r"relay(ing)? (access )?(denied|not permitted|prohibited|not allowed)|relaying|not (permitted|allowed) to relay|we do not relay|unable to relay|not local, unable|relay prohibited", "Postfix, Sendmail, Exim, Exchange"),
    Rule(R.VIRUS, r"\bvirus|malware|infected|trojan|phish", "ClamAV milters"),
    Rule(R.SPAM, r"\bspam|unsolicited|junk mail|bulk mail|\bU[CB]E\b|spamassassin|rejected as (bulk|junk)|looks like (spam|UBE)|high (spam )?probability", "SpamAssassin, Rspamd, Barracuda"),
    Rule(R.TOO_BIG, r"(message|mail|size).{0,40}(too (big|large|long)|exceeds?)|exceeds?.{0,30}(size|limit).{0,20}(message|size)|message size|max(imum)? message size|too large", "RFC 1870"),
    Rule(R.MAILBOX_FULL, r"quota|mailbox.{0,20}(is )?full|over ?quota|(mail)?box.{0,30}(exceed|limit|out of space)|insufficient (disk|storage) space for|not enough (storage|space)|user has exhausted|メールボックス.{0,10}(一杯|超過|容量)", "RFC 3463 x.2.2, Dovecot, Exim"),
    Rule(R.MOVED, r"(user|recipient|address|account|mailbox).{0,30}(has )?moved|has changed.{0,20}address|no longer (uses|at) this|moved permanently|please (use|try) <", "RFC 5321 551"),
    Rule(R.SUSPENDED, r"(account|mailbox|user|recipient|address).{0,40}(disabled|suspended|inactive|deactivated|locked|blocked for|on hold|frozen|not active|expired|temporarily unavailable)|(disabled|inactive|suspended) (account|mailbox|user|recipient)|not currently accepting", "Exim, Sendmail, Zimbra"),
    Rule(R.HOST_UNKNOWN, r"host (not found|unknown)|unknown (host|domain)|(domain|host).{0,20}(does not exist|not found|unknown|invalid)|name or service not known|NXDOMAIN|bad destination (system|host)|no such (domain|host)|unrouteable (mail )?domain|domain name not found", "Postfix, Sendmail, Exim", commands="rcpt data dot dsn"),
    Rule(R.NOT_ACCEPTED, r"null ?MX|does not accept (e?-?mail|any mail)|host does not (accept|receive) mail|domain.{0,20}(accepts no|does not accept) mail|no mail (is )?accepted", "RFC 7504, RFC 7505", commands="rcpt data dot dsn"),
    Rule(R.FILTERED, r"user unknown|unknown user|no such (user|mailbox)|user.{0,40}not exist", "after DATA the recipient was already known", commands=AFTER),
    Rule(R.USER_UNKNOWN, r"user unknown|unknown user|no such (user|mailbox|recipient|address|account|person)|(user|mailbox|recipient|address|account|alias)\b.{0,80}?\b(unknown|does(n't| not) exist|not (be )?found|not exist|invalid|not known|undeliverable)|(unknown|invalid|nonexist(e|a)nt|non-existent|bad) (local.?part|user|mailbox|recipient|address|account|destination mailbox)|no mailbox (here )?by that name|not a (known|valid) (user|recipient|mailbox|address)|isn't a known|unrouteable address|not listed in|undeliverable address|(recipient )?address rejected\.?$|recipient.{0,20}(not exist|unknown)|mailbox unavailable|no longer (here|with|works|valid|employed)|doesn't have a.{0,30}account|not our customer|該当.{0,10}(ありません|存在)|存在しません", "Postfix, Exim, Sendmail, qmail, Exchange, Courier", commands="rcpt data dot dsn"),
    Rule(R.REJECTED, r"sender.{0,40}(reject|denied|not allowed|refused|blocked|unknown|invalid|verify failed)|(reject|block|refus|den)\w*.{0,30}(sender|from address)|from (address|domain).{0,40}(reject|not allowed|invalid|not exist)", "Postfix check_sender_access, Exim callouts"),
    Rule(R.FILTERED, r"(recipient|user|mailbox).{0,40}(does not want|refuses|has (blocked|rejected|refused)|not accept(ing)?) .{0,20}(mail|message|sender)|sieve|user.?s? (filter|rules?)|受信拒否|ドメイン指定", "Sieve reject (RFC 5429)"),
    Rule(R.RATE_LIMITED, r"grey.?list|gr[ae]ylist|temporarily deferred|deferred for|please try again later.*reputation", "Postgrey, RFC 6647"),
    Rule(R.SECURITY, r"STARTTLS|TLS (is )?(required|needed)|encryption (is )?(required|needed)|must issue a STARTTLS|certificate", "RFC 3207, RFC 8461"),
    Rule(R.CONTENT, r"(content|attachment|header|subject|body|url|link|message).{0,30}(reject|not allowed|prohibited|forbidden|blocked|refused)|banned (file|attachment)|content filter|bad header|8.?bit", "amavis, MIMEDefang"),
    Rule(R.EXPIRED, r"delivery time expired|retry time(out)? (not|exceeded)|message expired|too long in the queue|could not be delivered (for|within)|delivery.{0,20}(expired|timed? ?out)", "Postfix, Sendmail, Exim"),
    Rule(R.NETWORK_ERROR, r"connection (refused|timed out|reset|lost|dropped|was closed)|lost connection|timed? ?out|network is unreachable|no route to host|host.{0,20}unreachable|name service error|(could not|cannot|couldn't|unable to).{0,20}(connect|resolve|find)|operation timed out|temporary lookup failure|loop", "Postfix, Sendmail, qmail"),
    Rule(R.SYSTEM_ERROR, r"(local|server|system|internal|configuration|resources?).{0,20}(error|problem|unavailable|failure)|insufficient system (storage|resources)|out of (memory|disk)|service (is )?(currently |temporarily )?(unavailable|not available|refused?)|server busy|temporary (failure|error|problem)|try again later|queue file write|command time limit", "RFC 5321 §4.2.2"),
    Rule(R.SYNTAX, r"syntax error|command (not|unrecognized|unknown)|unrecognized|bad sequence|protocol error|lone (CR|LF)|bare (CR|LF|newline)|not RFC|illegal|malformed", "RFC 5321 §4.2.2"),
    Rule(R.POLICY, r"\bpolic(y|ies)\b|administrative(ly)? (prohibit|reject)|not (authorized|permitted|allowed)|prohibited|access denied|transaction failed", "RFC 3463 x.7.1"),
]  # fmt: skip

ENHANCED = {
    "1.0": R.OTHER, "1.1": R.USER_UNKNOWN, "1.2": R.HOST_UNKNOWN, "1.3": R.USER_UNKNOWN, "1.4": R.USER_UNKNOWN,
    "1.6": R.MOVED, "1.7": R.REJECTED, "1.8": R.REJECTED, "1.10": R.NOT_ACCEPTED,
    "2.0": R.OTHER, "2.1": R.SUSPENDED, "2.2": R.MAILBOX_FULL, "2.3": R.TOO_BIG, "2.4": R.SYSTEM_ERROR,
    "3.4": R.TOO_BIG, "4.0": R.NETWORK_ERROR, "4.4": R.HOST_UNKNOWN, "4.6": R.NETWORK_ERROR, "4.7": R.EXPIRED, "5.3": R.RATE_LIMITED,
    "6.7": R.SYNTAX, "7.13": R.SUSPENDED, "7.17": R.MOVED, "7.25": R.BLOCKED, "7.27": R.REJECTED, "7.28": R.RATE_LIMITED,
    "7.4": R.SECURITY, "7.10": R.SECURITY, "7.11": R.SECURITY, "7.29": R.SECURITY, "7.30": R.SECURITY,
    "7.20": R.AUTH_FAILURE, "7.21": R.AUTH_FAILURE, "7.22": R.AUTH_FAILURE, "7.23": R.AUTH_FAILURE, "7.24": R.AUTH_FAILURE,
    "7.26": R.AUTH_FAILURE,
}  # fmt: skip
SUBJECTS = {"3": R.SYSTEM_ERROR, "4": R.NETWORK_ERROR, "5": R.SYNTAX, "6": R.CONTENT, "7": R.POLICY}  # RFC 3463 §3
CODES = {
    421: R.SYSTEM_ERROR, 450: R.SYSTEM_ERROR, 451: R.SYSTEM_ERROR, 452: R.SYSTEM_ERROR, 454: R.SECURITY,
    500: R.SYNTAX, 501: R.SYNTAX, 502: R.SYNTAX, 503: R.SYNTAX, 504: R.SYNTAX, 521: R.NOT_ACCEPTED, 530: R.SECURITY,
    535: R.SECURITY, 551: R.MOVED, 552: R.MAILBOX_FULL, 555: R.SYNTAX, 556: R.NOT_ACCEPTED,
}  # fmt: skip


def read(reply: Reply) -> Verdict:
    """Return the verdict on the message to which the reply was given.

    Code 0 after the dot is unknown; before it, the message was surely not taken and waits.
    """
    if reply.is_positive:
        return SENT
    if reply.code == 0:
        return UNKNOWN if reply.command == "dot" else UNREACHED
    reason = reason_of(reply)
    if reply.code < 500 or is_passing(reply, reason):
        return Verdict(Message.Status.DEFERRED, reason)
    return Verdict(Message.Status.BOUNCED, reason, reason.can_be_hard)


@lru_cache(maxsize=4096)
def reason_of(reply: Reply) -> Reason:
    """Return why the reply refuses. Campaigns hear the same few sentences again and again, so readings are kept."""
    for rule in (*CARRIERS, *PROVIDERS, *COMMON):
        if rule.fits(reply):
            return _fitting(reply, rule.reason)
    if reply.enhanced:
        detail = reply.enhanced.partition(".")[2]
        if found := ENHANCED.get(detail) or SUBJECTS.get(detail[0]):
            return _fitting(reply, found)
    return _fitting(reply, CODES.get(reply.code, Reason.OTHER))


def is_passing(reply: Reply, reason: Reason) -> bool:
    """Return whether a 5xx leaves the message waiting: no transaction was begun yet, or it speaks of the moment only."""
    is_crowd = reply.code == 552 and "too many recipients" in reply.text.lower()  # RFC 5321 §4.5.3.1.10
    return reply.command in OPENING or reason is Reason.RATE_LIMITED or is_crowd


def _fitting(reply: Reply, reason: Reason) -> Reason:
    """Return the reason, unless the recipient was not even named yet: then it is about this sender."""
    if reply.command not in BEFORE_RECIPIENT or reason.about in (About.US, About.MOMENT):
        return reason
    return Reason.REJECTED if reply.command == "mail" else Reason.BLOCKED


SENT = Verdict(Message.Status.SENT)
UNKNOWN = Verdict(Message.Status.UNKNOWN, Reason.NO_REPLY)
UNREACHED = Verdict(Message.Status.DEFERRED, Reason.NETWORK_ERROR)
