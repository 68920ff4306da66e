"""What a code says where no rule knows the text: enhanced codes (RFC 3463, RFC 5248) and bare ones (RFC 5321 §4.2.3).

The IANA registry *SMTP Enhanced Status Codes* lists each X.Y.Z with its RFC. A code that leaves open whose fault it is
gets a reason that can never be hard: 5.1.0, 5.1.4, 5.2.0 and 5.4.4 say as little as the bare 550, 551 and 553.
"""

from __future__ import annotations

from mailsales.reasons import Reason as R

ENHANCED = {
    # RFC 3463 §3.2, addressing
    "1.0": R.OTHER, "1.1": R.USER_UNKNOWN, "1.2": R.HOST_UNKNOWN, "1.3": R.USER_UNKNOWN, "1.4": R.OTHER,
    "1.5": R.OTHER, "1.6": R.MOVED, "1.7": R.REJECTED, "1.8": R.REJECTED,
    "1.9": R.SYSTEM_ERROR,  # RFC 3886
    "1.10": R.NOT_ACCEPTED,  # RFC 7505 §4.1
    # RFC 3463 §3.3, mailbox
    "2.0": R.OTHER, "2.1": R.SUSPENDED, "2.2": R.MAILBOX_FULL, "2.3": R.TOO_BIG, "2.4": R.SYSTEM_ERROR,
    # RFC 3463 §3.4, mail system
    "3.0": R.SYSTEM_ERROR, "3.1": R.SYSTEM_ERROR, "3.2": R.SYSTEM_ERROR, "3.3": R.SYSTEM_ERROR, "3.4": R.TOO_BIG,
    "3.5": R.SYSTEM_ERROR,
    # RFC 3463 §3.5, network and routing
    "4.0": R.NETWORK_ERROR, "4.1": R.NETWORK_ERROR, "4.2": R.NETWORK_ERROR, "4.3": R.NETWORK_ERROR,
    "4.4": R.NETWORK_ERROR, "4.5": R.RATE_LIMITED, "4.6": R.NETWORK_ERROR, "4.7": R.EXPIRED,
    # RFC 3463 §3.6, protocol
    "5.0": R.SYNTAX, "5.1": R.SYNTAX, "5.2": R.SYNTAX, "5.3": R.RATE_LIMITED, "5.4": R.SYNTAX, "5.5": R.SYNTAX,
    "5.6": R.SYNTAX,  # RFC 4954
    # RFC 3463 §3.7, content; RFC 6531 §4.1
    "6.0": R.CONTENT, "6.1": R.CONTENT, "6.2": R.CONTENT, "6.3": R.CONTENT, "6.5": R.CONTENT, "6.6": R.CONTENT,
    "6.7": R.SYNTAX, "6.8": R.SYNTAX, "6.9": R.SYNTAX, "6.10": R.SYNTAX,
    # RFC 3463 §3.8, security; RFC 4954, RFC 5248
    "7.0": R.POLICY, "7.1": R.POLICY, "7.2": R.POLICY, "7.3": R.POLICY, "7.4": R.SECURITY, "7.5": R.SECURITY,
    "7.6": R.SECURITY, "7.7": R.SECURITY, "7.8": R.SECURITY, "7.9": R.SECURITY, "7.10": R.SECURITY, "7.11": R.SECURITY,
    "7.12": R.SECURITY, "7.13": R.SUSPENDED, "7.14": R.POLICY, "7.15": R.POLICY, "7.16": R.TOO_BIG,
    "7.17": R.MOVED, "7.18": R.MOVED, "7.19": R.POLICY,  # RFC 7293 §4: another owner
    "7.20": R.AUTH_FAILURE, "7.21": R.AUTH_FAILURE, "7.22": R.AUTH_FAILURE, "7.23": R.AUTH_FAILURE,  # RFC 7372
    "7.24": R.AUTH_FAILURE, "7.25": R.BLOCKED, "7.26": R.AUTH_FAILURE,
    "7.27": R.REJECTED,  # RFC 7505 §4.2
    "7.28": R.RATE_LIMITED,
    "7.29": R.AUTH_FAILURE,  # RFC 8617
    "7.30": R.SECURITY,  # RFC 8689
}  # fmt: skip
CODES = {
    421: R.SYSTEM_ERROR, 450: R.SYSTEM_ERROR, 451: R.SYSTEM_ERROR, 452: R.SYSTEM_ERROR, 454: R.SECURITY,
    455: R.SYSTEM_ERROR, 500: R.SYNTAX, 501: R.SYNTAX, 502: R.SYNTAX, 503: R.SYNTAX, 504: R.SYNTAX, 555: R.SYNTAX,
    523: R.TOO_BIG, 530: R.SECURITY, 534: R.SECURITY, 535: R.SECURITY, 538: R.SECURITY,
    552: R.MAILBOX_FULL,
    521: R.POLICY,  # RFC 7504 §3 has it for greetings; AOL, Comcast and Trend Micro refuse senders with it
    556: R.NOT_ACCEPTED,  # RFC 7504 §4
}  # fmt: skip
