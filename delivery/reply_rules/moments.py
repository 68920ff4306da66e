"""What mail servers say of the moment, and the words too general to stand earlier: encryption, content, form, policy."""

from __future__ import annotations

from delivery.reply_rules.rule import Rule
from mailsales.reasons import Reason as R

RULES = (
    Rule(R.REJECTED, r"sender\b.{0,40}(reject|denied|not allowed|refused|blocked|unknown|invalid)|(reject|block|refus|den)\w*.{0,30}(sender|from address)", "Postfix check_sender_access, Sendmail access map",
         "mail 550 5.7.1 <b@bounce.example.jp>: Sender address rejected: Access denied"),
    Rule(R.SECURITY, r"starttls|\btls\b.{0,20}(required|needed|not|fail|error|handshake)|(not support|requires?|no) tls|encryption (is )?(required|needed)|certificate|ssl (error|handshake)", "RFC 3207 §4, RFC 8461, RFC 7672",
         "mail 530 5.7.0 Must issue a STARTTLS command first"),
    Rule(R.SECURITY, r"authentication (is )?(required|needed|failed)|auth(entication)? (error|failed)|unauthenticated senders|not authenticated|client was not authenticated|credentials", "RFC 4954 §6: our relay's AUTH",
         "mail 530 5.7.0 Authentication required"),
    Rule(R.CONTENT, r"(content|attachment|header|subject|body|urls?|links?)\b.{0,30}(reject|not allowed|prohibited|forbidden|blocked|refused|denied|unacceptable|banned)|banned (file|attachment|content)|content filter|bad header|undesirable|(executable|forbidden|dangerous) (file|attachment|content)", "amavis, MIMEDefang, Postfix header_checks",
         "dot 554 5.7.1 attachment type not allowed"),
    Rule(R.EXPIRED, r"delivery time expired|retry time(out)? (not|exceeded)|(message|mail) (has )?expired|too long in the queue|been in the queue too long|could not be delivered (for|within|after)|delivery.{0,20}(expired|timed? ?out)|not delivered (for|within)|retention|giving up|unable to deliver.{0,40}(days|hours)", "Postfix, Sendmail 4.4.7, Exim, qmail",
         "dsn 450 4.4.7 Message expired: unable to deliver in 5 days"),
    Rule(R.NETWORK_ERROR, r"connection (refused|timed out|reset|lost|dropped|was closed|closed|failed)|lost connection|timed? ?out|network is unreachable|no route to host|host.{0,20}unreachable|name service error", "Postfix, Sendmail, qmail; connect(2)",
         "dsn 450 4.4.1 connect to mx.example.jp[192.0.2.7]:25: Connection timed out"),
    Rule(R.NETWORK_ERROR, r"(could not|cannot|couldn't|unable to|did not accept our requests to|can't).{0,20}(connect|resolve|find|establish)|dns (error|lookup)|lookup of \S+ (responded|had)|mail (is )?loop|loops? back|too many hops|routing loop|\bloop(ing)?\b|hop count", "qmail, Exim, Gmail as sender; RFC 5321 §6.3 loops",
         "dsn 450 4.4.1 The recipient server did not accept our requests to connect."),
    Rule(R.SYSTEM_ERROR, r"(local|server|system|internal|configuration|resources?|database|disk|i/o)\b.{0,20}(error|problem|unavailable|failure|fail(ed)?|busy|full)|insufficient system|out of (memory|disk)|no space left|queue file write|trouble in home directory|qq (temporary|trouble|read|write)", "RFC 5321 §4.2.2; Postfix cleanup, qmail-queue",
         "dot 451 4.3.0 Error: queue file write error"),
    Rule(R.SYSTEM_ERROR, r"service.{0,20}(unavailable|not available|refused|not accepting)|(server|system).{0,12}(busy|overloaded|load|maintenance|shutting down|down)|temporar(y|ily).{0,20}(failure|error|problem|unavailable|rejected|unable|deferred)|try (again )?(later|again)|please retry|come back later|recipient verification problem", "RFC 5321 §4.2.2: 421, 451",
         "rcpt 451 4.3.2 Please try again later"),
    Rule(R.SYNTAX, r"syntax|command (not|unrecognized|unknown|rejected)|unrecognized|bad sequence|sequence of commands|protocol error|not rfc|illegal|malformed|need (mail|rcpt)|parameters? (not|unrecognized)|fully.qualified", "RFC 5321 §4.2.2: 500 to 504, 555",
         "data 503 5.5.1 Bad sequence of commands"),
    Rule(R.POLICY, r"\bpolic(y|ies)\b|administrative(ly)? (prohibit|reject|denied)|(not|un)\W?(authorized|permitted|allowed)|prohibited|access (is )?denied|permission denied|transaction failed|(message|mail|e-mail) (was |is )?(refused|rejected|denied|blocked|not accepted)|security (violation|reason)", "RFC 3463 x.7.1; Postfix, Exim, Exchange Server",
         "rcpt 550 5.7.1 Access denied for policy reasons"),
)  # fmt: skip
