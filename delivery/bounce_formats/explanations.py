"""Where a text for people ends and the returned mail begins, and what in it is only quoted.

Mail systems that attach nothing put the returned mail, or its header, under their own words: behind a line that announces
it, or without one. Both are looked for; what stands behind is never read for reasons.
"""

from __future__ import annotations

import re

from delivery.parts import FIELD, Group, grouped

MOST_LINES = 800
ANNOUNCED = re.compile(
    r"""^[\W_]*(?:
    (?:(?:this|below|above|here|enclosed|following)\ (?:is|this\ line\ is|(?:text\ )?(?:is\ )?below)\ (?:an?|the|your)?\ ?)?
    (?:(?:the|your|an?|start\ of|begin(?:ning)?(?:\ of)?|received|full|partial|first\ \d+\ lines\ of|copy\ of|copies\ of)\ )*
    (?:(?:original|returned|unsent|undelivered|undeliverable|rejected|bounced|failed|non-?delivered|returning|your|sent|e?mail|internet)\ )*
    (?:e-?mail\ |mail\ |message\ )?
    (?:message|e-?mail|mail|header|headers|text\ of\ the\ message)
    (?:\ (?:header|headers|text|body|content|contents|fields?|log))?
    (?:\ of\ (?:the|your)\ (?:original\ |returned\ |undelivered\ )?(?:message|e-?mail|mail))?
    (?:\ (?:is\ |are\ )?(?:follows?|following|included|attached|enclosed|returned|begins?|below|as\ follows|including\ all(?:\ the)?\ headers|and\ its\ headers|starts))*
    )[\W_]*$""",
    re.VERBOSE,
)
# At least one of these words makes such a line an announcement; "Message header" alone is also a title.
WORD_OF = re.compile(
    r"original|returned|unsent|undelivered|copy of|copies of|follow|below|attached|header|rejected|bounced|non-?delivered"
)
ANNOUNCED_ELSEWHERE = re.compile(
    r"""^[\W_]*(?:
    .{0,30}(?:copy\ of\ (?:the|your)\ (?:original\ )?(?:message|e-?mail|mail)|original\ (?:message|mail)\ (?:follows|is\ (?:included|attached)))\b.{0,40}
    |.{0,20}(?:ursprüngliche\ nachricht|original-?nachricht|message\ (?:d'origine|original)|mensaje\ original|mensagem\ original
      |messaggio\ originale|oorspronkelijk\ bericht|original-?header)\b.{0,40}
    |(?:.{0,12}|[-=*_#\ ]{3,}.{0,20})(?:元のメッセージ|元のメール|オリジナルメッセージ|原文|送信されたメッセージ|エラーとなったメール|原始邮件|原始郵件|исходное\ сообщение|원본\ 메시지)
      (?:.{0,3}|(?:です|は(?:以下|次)|ヘッダ|本文|如下|以下).{0,16}|.{0,16}[-=*_#]{3,})
    )$""",
    re.VERBOSE,
)
TRACE = frozenset({"received", "return-path", "message-id", "mime-version", "dkim-signature", "content-type"})
COMMON = TRACE | {"from", "to", "subject", "date", "reply-to", "sender", "cc"}
QUOTED = re.compile(r"^\s{0,4}[>|]")
FORWARDED = re.compile(
    r"^[\W_]*(?:begin )?forwarded (?:message|by)\b|^-+ ?(?:original message|mensaje original|message d'origine|ursprüngliche nachricht|転送)[\W_]*$"
)


def explained(text: str) -> tuple[list[str], Group, list[str]]:
    """Return the lines that a mail system wrote itself, the header of the mail that it returns under them, and that mail."""
    lines = text.split("\n", MOST_LINES)[:MOST_LINES]
    end = next((place for place, line in enumerate(lines) if place and announces(line)), len(lines))
    start = next((place for place in range(end) if _is_header(lines, place)), end)
    returned = lines[start if start < end else end + 1 :]
    return lines[: min(start, end)], _fields(returned), returned


def announces(line: str) -> bool:
    """Return whether the line says that the returned mail follows."""
    low = line.strip().lower()
    if not 5 <= len(low) <= 160:
        return False
    if WORD_OF.search(low) and ANNOUNCED.match(low):
        return True
    return ANNOUNCED_ELSEWHERE.match(low) is not None


def unquoted(lines: list[str]) -> list[str]:
    """Return the lines without those that a writer quotes, and without what he forwards."""
    kept = []
    for line in lines:
        if FORWARDED.match(line.lower()):
            break
        if not QUOTED.match(line) or line.lstrip().startswith((">>>", "<<<")):
            kept.append(line)
    return kept


# -- inside ------------------------------------------------------------------------------------


def _is_header(lines: list[str], place: int) -> bool:
    """Return whether a mail's header begins here: several of its fields, one of them a machine's."""
    found = FIELD.match(lines[place])
    if not found or found[1].lower() not in COMMON:
        return False
    names = set()
    for line in lines[place : place + 25]:
        field = FIELD.match(line)
        if field:
            names.add(field[1].lower())
        elif line[:1] not in (" ", "\t"):
            break
    return len(names & COMMON) >= 3 and bool(names & TRACE)


def _fields(lines: list[str]) -> Group:
    """Return the header that begins in these lines."""
    start = next((place for place, line in enumerate(lines[:12]) if _is_field(line)), None)
    if start is None:
        return {}
    fields: list[str] = []
    for line in lines[start : start + 300]:
        if FIELD.match(line):
            fields.append(line)
        elif line[:1] in (" ", "\t") and fields and line.strip():
            fields[-1] += " " + line.strip()
        else:
            break
    return grouped(iter(fields))


def _is_field(line: str) -> bool:
    found = FIELD.match(line)
    return found is not None and (
        found[1].lower() in COMMON or found[1].lower().startswith(("x-", "arc-", "list-", "user-agent"))
    )
