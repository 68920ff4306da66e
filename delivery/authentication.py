"""AUTH as a relay asks for it (RFC 4954): PLAIN (RFC 4616), or else LOGIN.

Only functions of values: `delivery/sessions.py` says the lines, and says them to nobody whose certificate was not proven.
"""

from __future__ import annotations

import base64

from mailsales.routes import Login

LONGEST_COMMAND = 510  # bytes without CRLF, RFC 5321 §4.5.3.1.4; a longer response waits for its own line


def steps(login: Login, offered: str) -> list[bytes]:
    """Return the lines to say, each after a 334 to the one before; none where the server offers nothing known.

    `offered` is what stood behind AUTH in the reply to EHLO.
    """
    mechanisms = offered.upper().split()
    user, password = login.user.encode(), login.password.encode()
    if "PLAIN" in mechanisms:
        response = base64.b64encode(b"\0%b\0%b" % (user, password))
        whole = b"AUTH PLAIN " + response
        return [whole] if len(whole) <= LONGEST_COMMAND else [b"AUTH PLAIN", response]
    if "LOGIN" in mechanisms:
        return [b"AUTH LOGIN", base64.b64encode(user), base64.b64encode(password)]
    return []


def without_secrets(text: str, login: Login) -> str:
    """Return a reply's text without the password, however the server may have repeated it."""
    user, password = login.user.encode(), login.password.encode()
    secrets = (base64.b64encode(b"\0%b\0%b" % (user, password)), base64.b64encode(password), password)
    for secret in secrets:
        text = text.replace(secret.decode(), "…") if secret else text
    return text
