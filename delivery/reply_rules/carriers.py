"""Japanese carriers and Yahoo! JAPAN, by their own words.

docomo and au answer with one sentence whether an address is unknown or its owner's filter refuses; the command and the
address in the text tell them apart. SoftBank takes what its readers' filters refuse. Rakuten Mobile publishes no words
of its own, so the rules for mail servers read it.
"""

from __future__ import annotations

from delivery.reply_rules.rule import Rule
from mailsales.reasons import Reason as R

DOCOMO = r"(^|\.)(docomo\.ne\.jp|mopera\.net)$"
AU = r"(^|\.)(ezweb\.ne\.jp|au\.com|kddi\.ne\.jp|uqmobile\.jp)$"
SOFTBANK = r"(^|\.)(softbank\.(ne\.)?jp|vodafone\.ne\.jp|disney\.ne\.jp|ymobile\.ne\.jp|ymobile1\.ne\.jp|willcom\.com)$"
YAHOO_JAPAN = r"(^|\.)(yahoo\.co\.jp|ybb\.ne\.jp)$"
AFTER = "data dot"
NAMED = "rcpt dsn"

DOCOMO_NOTES = "docomo; note.com/sendmagic/n/neb6bbe7e51cf"
DOCOMO_LOG = "docomo; akisoftware.com/pmsrv/help/docomo.html: after DATA the owner's settings refuse"
AU_NOTES = "au; note.com/sendmagic/n/n875d8dcb6cb8"
SOFTBANK_NOTES = "SoftBank; note.com/sendmagic/n/n5afbf98aeb25"
YAHOO_JAPAN_HELP = "Yahoo! JAPAN; support.yahoo-net.jp/PccMail/s/article/H000007355"

RULES = (
    Rule(R.FILTERED, r"\bunknown user\b", DOCOMO_LOG,
         "mfsmax.docomo.ne.jp dot 550 Unknown user taro@docomo.ne.jp", codes="550", commands=AFTER),
    Rule(R.FILTERED, r"^(?!.*\b5\.1\.1\b).*\bunknown user\b", "docomo: a report that names no command leaves it open",
         "docomo.ne.jp dsn 550 5.2.0 Unknown user taro@docomo.ne.jp", commands="dsn", host=DOCOMO),
    Rule(R.USER_UNKNOWN, r"\bunknown user\b", DOCOMO_NOTES,
         "mfsmax.docomo.ne.jp rcpt 550 Unknown user taro@docomo.ne.jp", codes="550", host=DOCOMO),
    Rule(R.MAILBOX_FULL, r"too much mail data", DOCOMO_NOTES,
         "mfsmax.docomo.ne.jp dot 552 Too much mail data taro@docomo.ne.jp", codes="552"),
    Rule(R.SYNTAX, r"line too long", "docomo: a line of more than 1,000 bytes; nttdocomo.co.jp/service/imode_mail/notice",
         "mfsmax.docomo.ne.jp dot 500 Line Too Long", codes="500"),
    Rule(R.FILTERED, r"^(5\.\d\.\d+ )?(<> ?)?: ?user unknown", "au: no address in the text means the owner's filter",
         "lsean.ezweb.ne.jp rcpt 550 : User unknown", codes="550"),
    Rule(R.USER_UNKNOWN, r"<x@x>: ?user unknown", AU_NOTES,
         "lsean.ezweb.ne.jp rcpt 550 <taro@ezweb.ne.jp>: User unknown", codes="550", commands=NAMED, host=AU),
    Rule(R.RELAY_DENIED, r"<x@x>: ?relay access denied", AU_NOTES + ": the form of the address, or another carrier's domain",
         "lsean.ezweb.ne.jp rcpt 554 <taro@ezweb.ne.jp>: Relay access denied", codes="554", host=AU),
    Rule(R.USER_UNKNOWN, r"invalid recipient", SOFTBANK_NOTES,
         "mx.softbank.ne.jp rcpt 550 Invalid recipient: <taro@softbank.ne.jp>", codes="550", commands=NAMED, host=SOFTBANK),
    Rule(R.REJECTED, r"\S+ does not exist", SOFTBANK_NOTES + ": the envelope sender's domain has no DNS record",
         "mx.softbank.ne.jp mail 553 bounce.example.jp does not exist", codes="553", commands="mail rcpt dsn", host=SOFTBANK),
    Rule(R.USER_UNKNOWN, r"this user doesn't have a yahoo\.co\.jp account", YAHOO_JAPAN_HELP,
         "dot 554 delivery error: dd This user doesn't have a yahoo.co.jp account (taro@yahoo.co.jp) [-5] - mta7149", codes="55"),
    Rule(R.RATE_LIMITED, r"\bvs9\d-ip|\biptss?0\d", "Yahoo! JAPAN; KumoMTA's community shaping",
         "mx3.mail.yahoo.co.jp greeting 421 VS98-IP0 deferred"),
    Rule(R.BLOCKED, r"", YAHOO_JAPAN_HELP + ": refused before a recipient was named",
         "mx3.mail.yahoo.co.jp mail 553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1",
         codes="553", commands="greeting ehlo mail", host=YAHOO_JAPAN),
)  # fmt: skip

# After all words: what a carrier's code means where the words are new.
FALLBACKS = (
    Rule(R.MAILBOX_FULL, r"", DOCOMO_NOTES, "mfsmax.docomo.ne.jp rcpt 552 Zounds", codes="552", host=DOCOMO),
    Rule(R.FILTERED, r"", "SoftBank: the recipient was known, so the owner's settings or the content refuse",
         "mx.softbank.ne.jp dot 550 Zounds", codes="550 554", commands=AFTER, host=SOFTBANK),
)  # fmt: skip
