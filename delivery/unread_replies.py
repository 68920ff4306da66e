"""Refusals that no rule could read, counted without saying whom they were about, so that rules can be written for them.

Texts that differ in addresses, ids and numbers alone are one pattern. The table stays small: a new pattern finds no place
among MOST others, and what nobody has said for three months makes room.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from delivery import replies
from delivery.outcomes import Outcome
from delivery.smtp import Reply

MOST = 1_000  # patterns that are kept
LONGEST_PATTERN = 300
LONGEST_SAMPLE = 500
SHORTEST_NAME = 3  # letters of a local part that are looked for as a word of its own

# Local parts may be quoted, percent-encoded as in links, or written as in VERP, where = stands for @.
PERSON = re.compile(r"""(?:"[^"\s]{1,64}"|[^\s<>()\[\],;:"'/?&@=]+)(?:@|%40|=(?=[\w-]+\.))[\w.-]*\w""", re.IGNORECASE)
QUOTED = re.compile(r"""(?<!\w)(['"`“‘])[^'"`”’]{1,80}['"`”’](?!\w)|(?<=<)[^<>\s{}]{1,80}(?=>)""")
MASKS = (
    (re.compile(r"https?://\S+", re.IGNORECASE), "{url}"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}", re.IGNORECASE), "{ip}"),
    (re.compile(r"\b(?:[\w-]+\.)+[a-z]{2,}\b", re.IGNORECASE), "{host}"),
    (re.compile(r"\b(?=[\w-]*\d)[\w-]{8,}\b"), "#"),
    (re.compile(r"(?<![\d.])\d+(?!\.?\d)"), "#"),  # an enhanced code stays as it is
)

COUNT = """
WITH heard AS (
  SELECT * FROM unnest(%(patterns)s::text[], %(samples)s::text[], %(hosts)s::text[], %(counts)s::int[]) AS t(pattern, sample, host, n)
), forgotten AS (
  DELETE FROM unread_reply u WHERE u.last_at < now() - interval '90 days' AND NOT EXISTS (SELECT FROM heard h WHERE h.pattern = u.pattern)
)
INSERT INTO unread_reply AS u (pattern, sample, host, n, last_at)
SELECT h.pattern, h.sample, h.host, h.n, now() FROM heard h
WHERE EXISTS (SELECT FROM unread_reply k WHERE k.pattern = h.pattern) OR (SELECT count(*) FROM unread_reply) < %(most)s
ORDER BY h.pattern
ON CONFLICT (pattern) DO UPDATE SET n = u.n + excluded.n, sample = excluded.sample, host = excluded.host, last_at = now()
"""  # sorted, so that two workers never wait for each other


@dataclass(frozen=True, slots=True)
class Unread:
    """A pattern that was heard `n` times, with one of its texts and the host that said it last."""

    pattern: str
    sample: str
    host: str
    n: int


def unread(outcomes: Iterable[Outcome], address_of: Callable[[Outcome], str]) -> list[Unread]:
    """Return what no rule could read, in the order of the patterns.

    `address_of` says whom a message went to, so that a name is masked too that a server writes without its domain.
    """
    counts: Counter[str] = Counter()
    last: dict[str, tuple[str, str]] = {}
    for outcome in outcomes:
        reply = outcome.reply
        if reply is None or not reply.host or not replies.is_unread(reply):
            continue
        sample = nameless(reply.text, address_of(outcome))
        pattern = pattern_of(reply, sample)
        counts[pattern] += 1
        last[pattern] = (sample[:LONGEST_SAMPLE], reply.host[:255])
    return [Unread(pattern, *last[pattern], n) for pattern, n in sorted(counts.items())]


def found(outcomes: Iterable[Outcome], address_of: Callable[[Outcome], str]) -> dict[str, Any] | None:
    """Return the parameters of COUNT, as psycopg takes them, or None when every reply was read."""
    rows = unread(outcomes, address_of)
    if not rows:
        return None
    return {
        "patterns": [row.pattern for row in rows],
        "samples": [row.sample for row in rows],
        "hosts": [row.host for row in rows],
        "counts": [row.n for row in rows],
        "most": MOST,
    }


def nameless(text: str, address: str) -> str:
    """Return the text without mail addresses, what stands in quotation marks, and the name in this address."""
    text = QUOTED.sub("…", PERSON.sub("{address}", text))
    name = address.rpartition("@")[0].strip('"')
    names = [re.escape(each) for each in (name, name.partition("+")[0]) if len(each) >= SHORTEST_NAME]
    return re.sub(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", "{name}", text, flags=re.IGNORECASE) if names else text


def pattern_of(reply: Reply, sample: str) -> str:
    """Return the command, the code and the text with everything masked that differs from one message to the next."""
    for mask, mark in MASKS:
        sample = mask.sub(mark, sample)
    return f"{reply.command} {reply.code} {' '.join(sample.split())}"[:LONGEST_PATTERN]
