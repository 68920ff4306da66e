"""The table of rules that reads replies, first match wins: the most particular words stand first.

Carriers and providers by their own words, gateways by theirs, then what mail servers say: first of the sender, so that a
refusal about it is never held against a recipient, then of the mailbox, then of the moment. Where no text is known, the
enhanced code decides (`registry.py`), then the bare code.
"""

from __future__ import annotations

from delivery.reply_rules import carriers, gateways, mailboxes, moments, providers, senders
from delivery.reply_rules.rule import Rule

RULES: tuple[Rule, ...] = (
    *carriers.RULES,
    *providers.RULES,
    *gateways.RULES,
    *senders.RULES,
    *mailboxes.RULES,
    *moments.RULES,
    *carriers.FALLBACKS,
)
