"""What mail servers say of the mailbox: full, closed, moved, unknown, its domain gone, or its owner's rules.

Only four reasons here can be hard (docs/design.md §10), and only words that leave no doubt lead to them. After DATA the
recipient was already accepted, so "unknown" there means that somebody's rules refused.
"""

from __future__ import annotations

from delivery.reply_rules.rule import Rule
from mailsales.reasons import Reason as R

AFTER = "data dot"
NAMED = "rcpt data dot dsn connect"
POSTFIX = "Postfix; postfix.org/ADDRESS_CLASS_README.html"
SENDMAIL = "Sendmail; usersmtp.c, sysexits"
EXIM = "Exim; specification, routers"
QMAIL = "qmail, vpopmail, chkuser; (#5.1.1)"
EXCHANGE = "Exchange Server, IIS"
DOVECOT = "Dovecot LMTP, Sieve"

FULL = (
    Rule(R.MAILBOX_FULL, r"quota|(mail ?)?box.{0,20}\b(is )?full\b|mail ?box.{0,30}(exceed|limit|out of space|no space)", "RFC 3463 x.2.2; Dovecot, Exim, Cyrus",
         "rcpt 552 5.2.2 <taro@example.jp>: Mailbox full"),
    Rule(R.MAILBOX_FULL, r"insufficient (disk|storage) space for|not enough (storage|space|disk)|(user|recipient|account).{0,30}(exhausted|exceeded|no space|too many (mails|messages))|over the (maximum|allowed)", "Courier, web.de, Exchange Server",
         "rcpt 550 Benutzer hat das Speichervolumen ueberschritten. / User has exhausted allowed storage space."),
    Rule(R.MAILBOX_FULL, r"メールボックス.{0,12}(一杯|いっぱい|超過|容量)|容量.{0,8}(超|一杯|いっぱい)|收件人空间不足|boîte.{0,12}pleine|buz[oó]n lleno", "Japanese, Chinese, French and Spanish servers", "rcpt 552 メールボックスの容量が超過しています"),
)  # fmt: skip

CLOSED = (
    Rule(R.MOVED, r"(please |should )(try|use|resend to|send to) <?x@x>?|(user|recipient|address|account|mailbox)\b.{0,20}\b(has )?moved (to|permanently)|has changed.{0,20}address.{0,20}x@x", "RFC 5321 §3.4: 551 with the forward path",
         "rcpt 551 5.1.6 User not local; please try <taro@new.example.jp>"),
    Rule(R.SUSPENDED, r"(account|mailbox|user|recipient|address|domain)\b.{0,40}\b(disabled|suspended|inactive|deactivated|locked|on hold|frozen|not active|expired|closed|blocked for|temporarily unavailable|terminated|discontinued|cancell?ed|not available)", "Exim, Zimbra, Dovecot, Plesk, cPanel",
         "rcpt 550 5.2.1 <taro@example.jp>: Mailbox disabled"),
    Rule(R.SUSPENDED, r"(disabled|inactive|suspended|closed|expired|dormant|deactivated) (account|mailbox|user|recipient|e?mail)|not currently accepting|no longer (accepts?|accepting|in use|available|active|valid|on server|with|works?)|on hold\b|has been (suspended|deactivated)", "vpopmail, Zimbra: closed, and perhaps not for good",
         "rcpt 550 sorry, this address no longer accepts mail (#5.2.1)"),
    Rule(R.SUSPENDED, r"\b5\.2\.1\b.{0,120}(unknown|no such|not exist|not found)", "RFC 3463 x.2.1 contradicts the words: there is such a mailbox", "rcpt 550 5.2.1 <taro@example.jp>... User Unknown"),
    Rule(R.FILTERED, r"\b5\.7\.1\b.{0,120}(user unknown|unknown user|no such user|recipient unknown|invalid recipient)", "RFC 3463 x.7.1 contradicts the words: somebody's rules refused; SFR",
         "rcpt 550 5.7.1 <taro@sfr.fr>: Recipient address rejected: User unknown"),
)  # fmt: skip

DOMAIN = (
    Rule(R.NOT_ACCEPTED, r"null ?mx|does not accept (e-?mail|any mail|mail)\b(?! from)|host does not (accept|receive) mail|domain.{0,20}(accepts no|never accepts) mail", "RFC 7505 §4.1, RFC 7504",
         "rcpt 556 5.1.10 Recipient address has null MX", commands=NAMED),
    Rule(R.NETWORK_ERROR, r"malformed or unexpected name server|name server(s)? (fail|time)|servfail|dns (soft error|timeout|lookup failure)|temporary (lookup|dns|name) (failure|error)", "Postfix dns_lookup(3), qmail CNAME_lookup_failed_temporarily: nobody said that the domain is gone",
         "dsn 550 5.4.4 Name service error for name=example.jp type=MX: Malformed or unexpected name server reply"),
    Rule(R.HOST_UNKNOWN, r"host (or domain name )?not found\b(?!.{0,40}try again)|\bnxdomain\b|host unknown|bad destination (system|host)|no such (domain|host)\b|unrouteable (mail )?domain|domain name not found|unknown (recipient )?(host|domain)", "Postfix 5.4.4, Sendmail EX_NOHOST 5.1.2, Exim",
         "dsn 550 5.1.2 Host or domain name not found. Name service error for name=example.jp type=A: Host not found", commands=NAMED),
    Rule(R.HOST_UNKNOWN, r"(?<!from )(?<!sender )(?<!sending )(domain|host)\b.{0,20}(does not exist|doesn't exist|is not reachable|isn't reachable)", EXCHANGE + ", Courier",
         "dsn 554 The mail could not be delivered because the domain is not reachable.", commands=NAMED),
)  # fmt: skip

UNKNOWN = (
    Rule(R.SYSTEM_ERROR, r"procmail|maildrop|mailer error|command died|command time limit|couldn't create|can't create (user )?output|mailer \S+ (died|returned)", "Postfix pipe(8), Sendmail prog mailer: a program behind the mailbox failed",
         'dsn 550 5.1.1 procmail: Couldn\'t create "/var/spool/mail/taro" id: taro: No such user'),
    Rule(R.OTHER, r"undeliverable address(?!.{0,200}(5\.1\.1|unknown|no such|not exist|not found))", "Postfix; postfix.org/ADDRESS_VERIFICATION_README.html: the probe was refused, perhaps for our sake",
         "rcpt 550 5.1.1 <taro@example.jp>: Recipient address rejected: undeliverable address: host mx2.example.jp said: 554 refused"),
    Rule(R.FILTERED, r"user unknown|unknown user|no such (user|mailbox|recipient|person)|(user|mailbox|recipient)\b.{0,40}not (exist|found)|invalid recipient|recipient unknown", "RFC 5321 §3.3: at DATA the recipient was already accepted",
         "dot 550 5.1.1 <taro@example.jp>... User unknown", commands=AFTER),
    Rule(R.USER_UNKNOWN, r"user unknown|unknown user|user is unknown|user \S+ (is )?unknown|unknown (or illegal )?(local.?part|alias|user|mailbox|recipient|account|address)", POSTFIX + "; Sendmail, qmail, Courier, Sun Messaging Server",
         "rcpt 550 5.1.1 <taro@example.jp>: Recipient address rejected: User unknown in virtual mailbox table", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"no such (user|mailbox|recipient|account|address|person|local user|e-?mail)|no (user|mailbox|account) (here )?by that name|no mailbox here|there is no (one|user|such)", "Exim, Domino, qmail, Kerio, SmarterMail, procmail",
         "rcpt 550 sorry, no mailbox here by that name (#5.1.1)", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"(user|mailbox|recipient|account|alias|e-?mail address|address)\b(?!.{0,60}\bdomain).{0,60}?\b(does(n't| not| n't) exist|not exist|(was |is |were )?not (be )?found|is (unknown|invalid|undefined)|unknown|nonexistent|non-existent)", "Dovecot LMTP, Mercury, CommuniGate, Exchange Server 2003",
         "rcpt 550 5.1.1 <taro@example.jp> User doesn't exist: taro@example.jp", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"(invalid|nonexist(e|a)nt|non-existent|bad) (local.?part|user|mailbox|recipient|account|destination mailbox)|not a (known|valid) (user|recipient|mailbox)|isn't a known|recipient not (known|recognized)", "OpenSMTPD, MessageLabs, Sendmail 5.1.1",
         "rcpt 550 Invalid recipient: <taro@example.jp>", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"addressee unknown|non-?existing (user|mailbox|recipient|account|address)|not a valid (e-?mail )?(address|account)|(address|recipient) (is|was) not in our (database|directory|records)|no recipients accepted for this address", "older gateways, in words of their own",
         "rcpt 550 Addressee unknown", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"unrouteable address", EXIM, "rcpt 550 Unrouteable address", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"not listed in (the )?(public |domino |name |address ?)+", "HCL Domino; User … not listed in Domino Directory",
         "dsn 550 User taro (taro@example.jp) not listed in Domino Directory", commands=NAMED),
    Rule(R.USER_UNKNOWN, r"(宛先|メールアドレス|ユーザー?|受信者).{0,20}(存在しません|見つかりません|ありません)|该用户不存在|用户不存在|benutzer (nicht bekannt|unbekannt|existiert nicht)|empf(ä|ae)nger (unbekannt|existiert nicht)|(utilisateur|destinataire) (inconnu|invalide)|usuario (desconocido|no existe)", "Japanese, Chinese, German, French and Spanish servers",
         "rcpt 550 宛先のメールアドレスが存在しません", commands=NAMED),
    Rule(R.OTHER, r"^(?!.*\b5\.1\.1\b).*mailbox (is )?(currently )?unavailable", "RFC 5321 §4.2.3: not found, no access or policy; it does not say which",
         "rcpt 550 Requested action not taken: mailbox unavailable"),
)  # fmt: skip

FILTERED = (
    Rule(R.FILTERED, r"(recipient|user|mailbox|addressee)\b.{0,40}(does(n't| not) want|refuses?|has (blocked|rejected|refused)|not accept(ing)?|rejected)\b.{0,24}(mail|message|sender|you)", "Exim, cPanel filters, Zimbra",
         "rcpt 550 The recipient does not want your mail"),
    Rule(R.FILTERED, r"message filtered\b|recipient('s)? (preferences|settings|filter|polic)|(message|mail) (filtered|rejected) by (the )?(user|recipient|owner)|by the (recipient|user)('s)? (filter|rule|request)", "Facebook, Exim", "rcpt 550 5.1.1 RCP-P2 Refused due to recipient preferences"),
    Rule(R.FILTERED, r"\bsieve\b|user.?s? (mail )?(filter|rules?)|受信拒否|ドメイン指定|指定受信|受信を拒否", DOVECOT + "; RFC 5429 reject", "dot 550 5.7.0 Rejected by Sieve: no bulk, please"),
    Rule(R.FILTERED, r"only (accepts|allows) (mail|messages?) from|members? only|not (authorized|allowed|permitted) to (post|send) to|(list|group).{0,30}(moderat|restricted|closed)", "Mailman, Exchange groups, ezmlm", "rcpt 550 This address only accepts mail from its members"),
)  # fmt: skip

RULES = (*FULL, *CLOSED, *DOMAIN, *UNKNOWN, *FILTERED)
