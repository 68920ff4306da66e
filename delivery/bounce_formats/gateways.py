"""Gateways that filter in front of mail servers, and what they write to senders when they deliver nothing."""

from __future__ import annotations

from delivery.bounce_formats.notice import Format

FORMATS = (
    Format("McAfee", r"^-+ ?the following addresses had delivery problems"),
    Format("InterScan, Trend Micro", r"^\W*message from interscan|^the following mail could not be delivered|^(?:sent <<<|received >>>)|^\W*unable to deliver message to\b"),
    Format("MailFoundry", r"^unable to deliver message to:|^delivery failed for the following reason|^this has been a permanent failure"),
    Format("MessageLabs, Symantec", r"^this is the mail delivery agent at|^i was not able to deliver your message|^i was unable to deliver", command="rcpt"),
    Format("Barracuda", r"was blocked by our (?:spam|bulk|e-?mail|content|virus)|has not been delivered|^your message to: ?<?\S+@", is_plain=True),
    Format("SurfControl, Websense", r"^your message could not be sent|^a transcript of the attempts to send"),
    Format("amavis", r"was considered unsolicited bulk e-?mail|^delivery of the (?:e-?mail|message) was stopped|^our content checker found|contains? (?:a )?virus|^banned (?:contents?|file ?name)|^(?:virus|banned) alert|^non-encoded 8-bit|^invalid header (?:found|section)|^the message (?:was not|has been blocked|has not been) ", is_plain=True),
    Format("MIMEsweeper, MailMarshal, MailScanner, mFILTER, Proofpoint", r"^your (?:e-?mail|mail|message)(?: \S+)? .{0,60}(?:was|has been) (?:rejected|blocked|refused|quarantined|returned|not delivered)|^a message you sent (?:was|has been|could not)|^(?:mailmarshal|mimesweeper|mailscanner) |^-+server message", is_plain=True),
    Format("Cisco, Mirapoint, Tumbleweed, Sophos", r"^(?:the following|your) (?:message|e-?mail) (?:to|sent to) .{0,120}(?:was|could not|cannot)|^message undeliverable", is_plain=True),
)  # fmt: skip
