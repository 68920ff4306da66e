"""Opens and clicks come in: one statement each, whose message says which campaign it belongs to.

A click within two seconds of delivery, or the third different link of one mail within three seconds, is a scanner's:
no person is so fast. Gateways follow links even before they answer, while the message is still `sending`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from delivery.machines import SCANNER

CLICK = """
WITH m AS (
  SELECT id, account_id, campaign_id, status IN ('sending', 'sent') AND coalesce(closed_at, now()) > now() - interval '2 seconds' AS is_fresh
  FROM message WHERE id = %(message)s
), l AS (
  SELECT link.url FROM link JOIN m ON link.campaign_id = m.campaign_id WHERE link.number = %(number)s
), others AS (
  SELECT count(DISTINCT number) AS n FROM click
  WHERE message_id = %(message)s AND number <> %(number)s AND at > now() - interval '3 seconds'
), made AS (
  INSERT INTO click (account_id, campaign_id, message_id, number, machine, user_agent, ip)
  SELECT m.account_id, m.campaign_id, m.id, %(number)s,
    CASE WHEN %(machine)s = '' AND (m.is_fresh OR others.n >= 2) THEN %(scanner)s ELSE %(machine)s END, %(agent)s, %(ip)s
  FROM m, l, others
)
SELECT l.url, others.n >= 2 FROM l, others
"""
FOLLOW = """
SELECT link.url FROM message m JOIN link ON link.campaign_id = m.campaign_id AND link.number = %(number)s WHERE m.id = %(message)s
"""
OPEN = """
INSERT INTO open (account_id, campaign_id, message_id, machine, user_agent, ip)
SELECT m.account_id, m.campaign_id, m.id,
  CASE WHEN %(machine)s = '' AND m.status IN ('sending', 'sent') AND coalesce(m.closed_at, now()) > now() - interval '1 second'
    THEN %(scanner)s ELSE %(machine)s END,
  %(agent)s, %(ip)s FROM message m WHERE m.id = %(message)s
"""
# What had looked like a person, before its further links came.
AFTERTHOUGHT = """
UPDATE click SET machine = %(scanner)s WHERE message_id = %(message)s AND machine = '' AND at > now() - interval '3 seconds'
"""


@dataclass(frozen=True)
class Visitor:
    """Who asked: the machine's name or nothing, the agent as it named itself, and from where."""

    machine: str
    agent: str
    ip: str | None


def take_click(message_id: int, number: int, visitor: Visitor) -> str | None:
    """Note a click; return the address of the link, or None when there is no such link any more."""
    values = {**_values(message_id, visitor), "number": number}
    with connection.cursor() as cursor:
        cursor.execute(CLICK, values)
        found = cursor.fetchone()
        if found is None:
            return None
        url, is_scanner = found
        if is_scanner:
            cursor.execute(AFTERTHOUGHT, values)
    return str(url)


def target_of(message_id: int, number: int) -> str | None:
    """Return the address of a link without noting anything."""
    with connection.cursor() as cursor:
        cursor.execute(FOLLOW, {"message": message_id, "number": number})
        found = cursor.fetchone()
    return str(found[0]) if found else None


def take_open(message_id: int, visitor: Visitor) -> None:
    with connection.cursor() as cursor:
        cursor.execute(OPEN, _values(message_id, visitor))


def _values(message_id: int, visitor: Visitor) -> dict[str, Any]:
    return {
        "message": message_id,
        "machine": visitor.machine,
        "agent": visitor.agent[:255],
        "ip": visitor.ip,
        "scanner": SCANNER,
    }
