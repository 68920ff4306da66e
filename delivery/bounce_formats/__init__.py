"""What mail systems write to senders in words for people: one module for each family, read by `telling.py`.

A format says only how a system begins; whom it names, what it says of each, and where the returned mail begins is found by
form (`recipients.py`, `explanations.py`), the reason by the same rules as in SMTP replies (`delivery/reply_rules/`).
"""

from __future__ import annotations

from delivery.bounce_formats import gateways, groupware, japan, mail_servers, providers
from delivery.bounce_formats.notice import Format

FORMATS: tuple[Format, ...] = (
    *mail_servers.FORMATS,
    *providers.FORMATS,
    *groupware.FORMATS,
    *japan.FORMATS,
    *gateways.FORMATS,
)
