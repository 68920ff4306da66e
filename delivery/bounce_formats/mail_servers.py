"""Mail servers that people run themselves: how each begins what it writes to a sender."""

from __future__ import annotations

from delivery.bounce_formats.notice import Format

FORMATS = (
    Format("any system, successes", r"\bsuccessfully (?:delivered|relayed)|has been (?:successfully )?delivered to|^your message was delivered to|is complete, but no delivery notification", action="delivered"),
    Format("Postfix; bounce(5) templates, delay", r"this is a warning only\. +you do not need to resend", action="delayed"),
    Format("Postfix; bounce(5) templates, delay", r"^your message could not be delivered for (?:more than )?\S+ ", action="delayed"),
    Format("Postfix; bounce(5) templates", r"^(?:i'm|i am) sorry to have to inform you that (?:your|the) message|^this is the (?:mail system|postfix program) at host"),
    Format("Postfix; smtpd(8) notify_classes", r"^transcript of session follows\.?$"),
    Format("Sendmail; savemail.c, delays", r"^\W*this is a warning message only|^\s*-+ the following addresses had transient non-fatal errors|^warning: (?:message still undelivered|could not send)",
           action="delayed"),
    Format("Sendmail; savemail.c", r"^\s*-+ ?the following addresses had (?:permanent fatal |fatal |permanent delivery |delivery )?(?:errors|problems)|^\s*-+ ?(?:failed addresses|undelivered recipients)\b|^\s*-+ ?transcript of (?:the )?session follows"),
    Format("Sendmail", r"^\s*-+ ?(?:non-delivered information|unsent message follows|error(?:s)? (?:message )?follows?)"),
    Format("Exim; specification, delay warnings", r"^a message (?:that you sent|sent by) (?:has|had) not yet been delivered|^(?:the|a) message .{0,60}\bhas not (?:yet )?been delivered|not yet been delivered to (?:one or more|all) of its$", action="delayed"),
    Format("Exim; specification, bounce messages", r"^this message was created automatically by (?:the )?mail(?: delivery)? (?:software|system)|^a message (?:that you sent|sent by).{0,80}could not be delivered|^the following (?:address(?:\(es\))?|addresses) failed|could not be delivered to (?:one or more|all|any) of (?:its|the|your)|^the following address(?:\(es\))? have yet to be delivered"),
    Format("smail 3", r"^\|?-+ ?(?:message log|failed addresses) follows?:"),
    Format("qmail; qmail-send(8) and its offspring: netqmail, IndiMail, s/qmail, Yahoo", r"^(?:hi\. )?(?:this is|here is|it is) the (?:\S+ ){1,3}(?:program|mta|mailer|server|daemon) at |^i'm afraid (?:i|we) (?:wasn't|weren't|was not) able to deliver your"),
    Format("qmail; qmail-rspawn, qmail-lspawn", r"^this is a permanent error; i've given up|^i'm not going to try again; this message has been in the queue too long"),
    Format("ezmlm, mini_sendmail, MailFront", r"^sorry, (?:we were|i was|i wasn't|we weren't) (?:un)?able to deliver your (?:message|mail)"),
    Format("Courier", r"^this is a delivery status notification from|^\s*undeliverable mail\s*$|running the courier mail server"),
    Format("Courier, delays", r"^\s*delayed mail\s*$", action="delayed"),
    Format("OpenSMTPD; bounce.c, delays", r"^\s*a message is delayed for more than|this is only a temporary failure report", action="delayed"),
    Format("OpenSMTPD; bounce.c", r"^\s*this is the mailer-daemon, please do not reply|an error has occurred while attempting to deliver a message for"),
    Format("DragonFly Mail Agent", r"^this is the dragonfly mail agent|^there was an error delivering your mail to"),
    Format("Apache James", r"james mail server at|^error (?:message|report) below:|^this message contains bounced|james mailet", is_plain=True),
    Format("Haraka; outbound bounces", r"haraka mailer program|^intended recipients?:|^failure reason:", is_plain=True),
    Format("PowerMTA, Momentum", r"^hello, this is the mail server on|i am sending you this message to inform you on the delivery status|^this message was undeliverable due to the following reason|^your message was not delivered because"),
    Format("PowerMTA", r"delivery failed; will not continue trying"),
    Format("MailEnable, hMailServer, SmarterMail", r"^message could not be delivered|^your message (?:could not be delivered|did not reach|was not delivered)|^(?:unable to deliver|could not deliver) (?:the |your )?(?:mail|message|e-?mail)", is_plain=True),
    Format("Kamailio, mailsrv and their like", r"^we (?:had trouble|were unable|could not|are unable) (?:delivering|to deliver|deliver)\b|^the following recipients? (?:returned|failed|could not)|^(?:delivery|transmission) (?:to|of) .{0,120}\bfailed", is_plain=True),
    Format("Oracle, Sun and iPlanet Messaging Server, PMDF; delays", r"^your message (?:has been delayed|is being delayed|is still being attempted)|^\W*continuing to try|^your message has been enqueued and undeliverable", action="delayed"),
    Format("Oracle, Sun and iPlanet Messaging Server, PMDF", r"^your message cannot be delivered to the following|^this report relates to a message you sent"),
    Format("MMDF, ISODE", r"^your message was not delivered to|^the following errors? occurred when (?:trying|attempting) to (?:send|deliver)|^reason for (?:failure|non-?delivery)", is_plain=True),
    Format("Lyris, Mercury, CommuniGate Pro", r"^failed to deliver to|^the attached message (?:had|has) permanent fatal delivery errors|^the following (?:mail|message|e-?mail) could not be delivered|^the (?:mail|message|e-?mail) (?:you sent )?(?:could not be|was not|cannot be|has not been) (?:delivered|sent)", is_plain=True),
    Format("any server", r"^delivery (?:to|of) .{0,80}(?:has )?failed|^delivery has failed|^the delivery of (?:your|the) (?:message|mail|e-?mail)|^(?:the following )?delivery (?:error|failure|problem)", is_plain=True),
)  # fmt: skip
