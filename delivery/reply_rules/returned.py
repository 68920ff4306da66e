"""What only mail systems say that return a mail, in their own words, as no SMTP reply does.

These rules are asked before the others, and for reports alone (`delivery/diagnosis.py`). The command `dsn` means that the
report does not say what was refused.
"""

from __future__ import annotations

from delivery.replies import normal
from delivery.reply_rules.rule import Rule
from delivery.smtp import Reply
from mailsales.reasons import Reason as R

SYSEXITS = "Sendmail, Postfix pipe(8): exit codes of sysexits.h in Diagnostic-Code: X-Unix"
EXCHANGE = "Exchange Server 5.5 to 2003"
EXCHANGE_FIELDS = "Exchange Server; learn.microsoft.com: NDRs, the diagnostic information"
GMAIL = "Gmail's reports; support.google.com/mail/answer/6596"
SUN = "Oracle and Sun Messaging Server, PMDF"
QMAIL = "qmail; qmail-send, qmail-remote, qmail-local"
EXIM = "Exim; specification, bounce messages, appendfile, pipe"

OTHER_LANGUAGES = (
    Rule(R.HOST_UNKNOWN, r"domain\w?\b.{0,40}(existiert nicht|nicht gefunden|n'existe pas|introuvable|non esiste)|(dominio|domínio).{0,40}(no existe|não existe|no encontrad|não encontrad|desconocid|inesistente)|домен\w?\b.{0,40}не (найден|существует)|ドメイン.{0,16}(存在しません|見つかりません|存在しない)|域名.{0,10}(不存在|无效)|도메인.{0,12}(없|찾을 수)",
         "German, French, Italian, Spanish, Portuguese, Russian, Japanese, Chinese, Korean", "dsn 550 Die Domain existiert nicht"),
    Rule(R.MAILBOX_FULL, r"(postfach|mailbox|speicher).{0,40}(\bvoll\b|überschritten|erschöpft)|boîte.{0,40}pleine|(buzón|casilla).{0,40}llen[oa]|(casella|cassetta).{0,40}pien[ao]|caixa.{0,40}cheia|ящик.{0,40}(переполнен|заполнен)|переполнен|превышен\w* (квот|размер)|(邮箱|信箱|郵箱).{0,12}(已满|已滿|满)|(空间|空間|容量).{0,8}(不足|已满|已滿)|が(いっぱい|一杯)|容量.{0,8}(超|オーバー|不足)|(용량|사서함|편지함).{0,12}(초과|가득|꽉)|postvak.{0,20}\bvol\b",
         "the same", "dsn 550 Das Postfach ist voll"),
    Rule(R.USER_UNKNOWN, r"(adresse|empfänger|benutzer|postfach).{0,60}(nicht gefunden|existiert nicht|unbekannt|ungültig|gibt es nicht)|unbekannte\w? (empf|benutzer|adresse)|(utilisateur|adresse|destinataire|boîte).{0,40}(inconnue?\b|introuvable|n'existe pas|inexistant|invalide)|(usuario|dirección|destinatario|buzón|cuenta).{0,40}(no existe|desconocid|inexistente|no válid|no encontrad)|no se (encontró|ha encontrado|pudo encontrar).{0,40}(dirección|usuario|destinatario)|(utente|indirizzo|destinatario|casella).{0,40}(non esiste|sconosciut|inesistente|non (è stato )?trovat|non valid)|(usuário|endereço|destinatário|conta|caixa).{0,40}(não existe|desconhecid|inexistente|inválid|não (foi )?encontrad)|(adres|gebruiker).{0,30}(onbekend|bestaat niet|niet gevonden)",
         "the same", "dsn 550 Die eingegebene E-Mail-Adresse konnte nicht gefunden werden"),
    Rule(R.USER_UNKNOWN, r"не удалось найти.{0,30}адрес|(адрес|пользовател|ящик|получател)\w{0,3}\b.{0,40}не (найден|существует)|нет такого|(用户|用戶|收件人|邮箱|信箱|地址|帐号|账号|帳號|位址).{0,12}(不存在|未找到|找不到|无效|無效)|(找不到|未找到|没有此|不存在的).{0,12}(用户|收件人|邮箱|地址|帐户|信箱|位址)|주소를 찾을 수|(존재하지 않는|없는|알 수 없는) ?(메일|사용자|주소|계정|수신)|사용자.{0,8}(없|찾을 수)|(宛先|あて先|メール ?アドレス|ユーザー?|受信者|アカウント|送信先|アドレス).{0,20}(存在しません|見つかりません(?!か)|存在しない|登録されていません)|(宛先|あて先|アドレス|ユーザー?)(が|は)?不明",
         "the same, in other scripts", "dsn 550 Не удалось найти указанный адрес электронной почты"),
)  # fmt: skip

ADDRESSES = (
    Rule(R.SUSPENDED, r"user\(s\) account is (disabled|temporarily limited|stopped)|account is locked|(recipient|user) suspend|account (is )?(temporarily )?(locked|limited)|\bmailbox_?unavailable\b|mailbox unavailable or access denied by", "ezweb; vpopmail",
         "dsn 550 The user(s) account is disabled."),
    Rule(R.USER_UNKNOWN, r"\b5\.2\.1\b.{0,80}(user unknown|unknown user|no such user)", "Sendmail and others at RCPT: given up, and nobody there by that name",
         "rcpt 550 5.2.1 <taro@example.jp>... User Unknown", commands="rcpt"),
    Rule(R.USER_UNKNOWN, r"^67$", SYSEXITS, "dsn 550 67"),
    Rule(R.USER_UNKNOWN, r"recipient name is not recognized|unable to find x@x|recipient rejected: address not|destination addresses? (was|were) unknown|local module.{0,80}(not found|unknown|no such)|invalid final delivery userid|no (recipient|user) with that name|unknown recipient\b(?!.{0,40}(domain|host))|user name of email address not valid", EXCHANGE + ", AOL",
         "dsn 550 The recipient name is not recognized"),
    Rule(R.USER_UNKNOWN, r"user .{0,80}not listed in (the )?(public|domino|name|address)|not listed in (the )?(public|domino)|domino ディレクトリ|ist nicht im .{0,30}(adre(ss|ß)buch|verzeichnis)", "HCL Domino, Lotus Notes",
         "dsn 550 User not listed in public Name & Address Book"),
    Rule(R.USER_UNKNOWN, r"address (couldn't|could not) be found|address not found|wasn't found at|is ?n't in (the|our) .{0,30}directory|#5\.1\.0 address rejected", GMAIL + "; Microsoft 365; Cisco",
         "dsn 550 Your message wasn't delivered to taro@example.jp because the address couldn't be found"),
    Rule(R.USER_UNKNOWN, r"(mail\.local|local): unknown (user|name)|^unknown user: \"|unknown local.?part|unrouteable address|unknown or illegal alias|no mailbox here by that name", "Sendmail mail.local; Exim; qmail: the system itself knows its users",
         "dsn 554 mail.local: unknown user: taro"),
    Rule(R.USER_UNKNOWN, r"\be-?mail address.{0,40}(couldn't be found|wasn't found|may have been (entered|typed)|misspelled)|the e-?mail address you entered|アドレスが見つからない", EXCHANGE_FIELDS + "; Gmail in other languages",
         "dsn 550 The e-mail address you entered couldn't be found"),
    Rule(R.USER_UNKNOWN, r"recipient address rejected\.?$", "au one net: its servers know all addresses",
         "mx.auone-net.jp rcpt 550 <taro@auone-net.jp>: Recipient address rejected.", commands="rcpt", host=r"(^|\.)auone-net\.jp$"),
    Rule(R.USER_UNKNOWN, r"\b5\.1\.1\b.{0,80}inactive e-?mail address", "iCloud, given up: the address is none any more",
         "rcpt 550 5.1.1 <taro@icloud.com>: inactive email address"),
    Rule(R.NOT_ACCEPTED, r"(mx|srv) record indicated no smtp service|no mx (record )?found|couldn't find a mail exchanger|returned null mx|host/domain does not accept mail|domain .{0,80}doesn't receive e?mail", EXIM + "; OpenSMTPD; " + QMAIL + "; Gmail; " + SUN + ": null MX and no MX",
         "dsn 550 an MX or SRV record indicated no SMTP service"),
    Rule(R.HOST_UNKNOWN, r"account or domain may not exist", "cPanel; its Exim says so where DNS knows no such domain",
         "dsn 550 The account or domain may not exist, they may be blacklisted, or missing the proper dns entries."),
    Rule(R.HOST_UNKNOWN, r"^68$", SYSEXITS, "dsn 550 68"),
    Rule(R.NETWORK_ERROR, r"host not found, try again|name service error.{0,60}try again|temporary (dns|name|lookup)", "Postfix: the name server did not answer",
         "dsn 450 Host or domain name not found. Name service error for name=example.jp type=MX: Host not found, try again"),
    Rule(R.HOST_UNKNOWN, r"illegal host/domain name|destination computer was not found|domain must exist|unknown mail domain|couldn't find any host named|couldn't find any host by that name|domain .{0,60}couldn't be found|host not found\b(?!.{0,30}try again)|no such domain|(recipient|receiving) domain .{0,60}(not exist|not found)|unrouteable mail domain|all relevant mx records point to non-existent hosts", SUN + "; " + QMAIL + "; " + GMAIL + "; Exim",
         "dsn 550 Illegal host/domain name found"),
    Rule(R.NOT_ACCEPTED, r"type=mx: malformed or unexpected name server reply", "Postfix before 3.0: what it says of a null MX",
         "dsn 550 Name service error for name=example.jp type=MX: Malformed or unexpected name server reply", commands="dsn", codes="55"),
    Rule(R.MOVED, r"\b5\.1\.6\b|(user|address|account|mailbox|recipient).{0,30}has moved to (a )?new (e-?mail )?address|address has (been )?changed to", "RFC 3463 §3.2; postmasters",
         "dsn 550 The address has changed to a new one", commands="dsn rcpt"),
)  # fmt: skip

MAILBOXES = (
    Rule(R.FILTERED, r"^-* ?each of the following recipients was rejected by a remote mail ?server[. -]*$", "ezweb: without a reply, the reader's filter refused",
         "dsn 550 Each of the following recipients was rejected by a remote mail server."),
    Rule(R.MAILBOX_FULL, r"(mail)?(folder|inbox|box|account|mailbox|storage)('s|s)? .{0,20}\b(over ?full|full|over ?quota|too full)|mailbox exceeds allowed size|exceeded (the )?(max\w* )?(mail(box)? ?)?(quota|storage)|exceeds? .{0,30}(mailbox|storage|quota)|(?<!sending )(?<!daily )(?<!hourly )(?<!relay )(?<!rate )(?<!smtp )(?<!message )(?<!connection )\bquota(?! for sending)|too much mail data|mailbox size limit", "IMail, ezweb, KDDI and many more",
         "dsn 550 the user's mailfolder is full"),
)  # fmt: skip

# No command and no code say whether the user is unknown, or a filter answers for him (RFC 5321 §3.3).
UNKNOWN_TO_A_FILTER = Rule(
    R.FILTERED, r"", "any server after DATA", "dsn 550 Unknown user taro@example.jp", commands="dsn"
)

SENDERS = (
    Rule(R.BLOCKED, r"(refused|rejected|blocked) by (?!.{0,20}spam).{0,30}firewall|invalid ip for sending", "gateways that name themselves; Yahoo!", "rcpt 550 connection refused by recipient's firewall"),
    Rule(R.FILTERED, r"(user|recipient)s? (rejects?|refuses?|has rejected|does not accept) (the |this |your )?(message|mail)|only accept(s|ing) mail from|by (the )?recipient'?s (white|black|allow|block) ?list", "readers' own lists",
         "rcpt 550 refused by recipient's white list"),
    Rule(R.REJECTED, r"groups\.google\.com", "Google Groups: no such group, or not for this sender", "dsn 550 https://groups.google.com/support/"),
    Rule(R.REJECTED, r"unrout(e)?able sender|sender (was|is) (rejected|denied)|does not like sender", "Exim; qmail-remote", "mail 550 does not like sender"),
    Rule(R.RELAY_DENIED, r"insecure mail relay|non-local e-?mail address|not (a )?local host|not a gateway", "V5 Sendmail's days", "mail 550 Insecure Mail Relay"),
    Rule(R.SPAM, r"unsolicited bulk e-?mail|blocked by our (spam|bulk)|considered spam|classified as spam", "amavis, Barracuda", "dsn 550 was blocked by our bulk email filter"),
    Rule(R.SYNTAX, r"protocol violation", "RFC 5321 §4.3.2", "data 550 Protocol violation"),
)  # fmt: skip

MOMENTS = (
    Rule(R.SYSTEM_ERROR, r"^\d{1,3}$", SYSEXITS, "dsn 550 71"),
    Rule(R.SYSTEM_ERROR, r"pipe to \||local delivery failed|child (process|crashed)|returned (exit )?code|exited with|status \d+ from|command (died|failed|output)|can't (create|open) (user )?|failed to read|operating system error|no such file or directory|home directory|cannot append|mailbox_command|i/o error", EXIM + ", " + QMAIL + ": a program behind the mailbox",
         "dsn 550 pipe to |/usr/local/bin/cat generated by taro@example.jp"),
    Rule(R.NETWORK_ERROR, r"routing loop|mail loop|maximum hop count|too many hops|host name lookup failure|(cname|dns) lookup failed|name server.{0,40}(lookup|time|fail)|could not find a gateway|network error on destination|not reachable within|is not responding|forwarded more than the maximum|loop (was )?detected|mail forwarding loop|loops? back to (myself|itself)|is looping", "Domino, Exchange, Postfix, qmail-send: loops (RFC 5321 §6.3)",
         "dsn 550 Maximum hop count exceeded. Message probably in a routing loop."),
)  # fmt: skip

RULES: tuple[Rule, ...] = (*ADDRESSES, *OTHER_LANGUAGES, *SENDERS, *MAILBOXES, *MOMENTS)


def rule_for(reply: Reply) -> Rule | None:
    """Return the rule that knows a reporting system's own words."""
    text = normal(reply.text)
    return next((rule for rule in RULES if rule.fits(str(reply.code), reply.command, reply.host.lower(), text)), None)
