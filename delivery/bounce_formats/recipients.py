"""Whom a text names as not reached, and what it says of each.

Systems differ in the words, hardly in the form: an address alone on a line, or at its beginning, or behind a label, and
under it or behind it the reason. Sentences with an address in their midst come last. Addresses of the sender, and those to
ask for help, are nobody who was not reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from delivery.bounce_formats.notice import ADDRESS, Notice

MOST = 200
LONGEST_BLOCK = 4_000  # characters
LONGEST_LINE = 2_000
ALONE = re.compile(
    rf"""^[\s*•·\-–>"'([]{{0,12}}<?(?:mailto:)?({ADDRESS})>?(?:\s?[<(\[][^<>()\[\]]{{0,120}}[>)\]])?["')\]:;,.]{{0,3}}\s*$"""
)
FIRST = re.compile(
    rf"""^[\s*•·\->"'([]{{0,12}}(?:<({ADDRESS})>|"({ADDRESS})"|({ADDRESS}))(?:\s?\(expanded\ from[^()]{{0,120}}\)|\s?\[[^\[\]]{{0,80}}\]|,\ ORCPT=[^:]{{1,80}})?
    (?:\s?:|\s?\.\.\.|;|,|\s+\S|\s?\()""",
    re.VERBOSE,
)
LABEL = re.compile(
    rf"""^[\s*\-#>]{{0,12}}(?:
      (?:final|original|failed|intended|invalid|bad|the\ following)?[\s-]?(?:recipients?|addressee|addresse?s?|rcpt)(?:[\s-](?:address|to|name|list|email))?
      |addressed\ to|e?-?mail\ address|to|sent\ to|could\ not\ be\ delivered\ to|was\ not\ delivered\ to|cannot\ be\ delivered\ to
      |unable\ to\ deliver(?:\ (?:the\ |your\ )?(?:message|mail|e-?mail))?\ to(?:\ recipient)?|undeliverable\ to|unknown\ user|no\ such\ user|invalid\ final\ delivery\ userid
      |user\ mailbox\ exceeds\ allowed\ size|mailbox\ (?:full|not\ found)|delivery\ failed(?:\ \d+\ attempts)?|delivery\ to|user|failure
      |宛先|あて先|送信先|受信者|収件人|收件人|empfänger|destinataire|destinatario|destinatário|получатель|받는\ 사람
    )\s?[:：=>]{{0,2}}\s{{0,8}}[<"'(\[]?(?:rfc822;\s?|smtp:|mailto:)?({ADDRESS})""",
    re.VERBOSE | re.IGNORECASE,
)
SENTENCE = re.compile(
    rf"""(?:deliver\w*|delivered|message|mail|e-?mail|recipient|address|mailbox|user|account|sent|reach|to|for|an|à|para|a|wasn't|your)\s.{{0,60}}?[<"'(\[]?({ADDRESS})""",
    re.VERBOSE | re.IGNORECASE,
)
REFUSED = re.compile(r"^\s{0,12}(?:<<<|received >>>|out:|<==?|<-)\s{0,4}([45]\d\d[ -].*)$", re.IGNORECASE)
RCPT = re.compile(rf"(?:>>>|<<<|sent|in:)\s{{0,4}}rcpt to:\s?<?({ADDRESS})", re.IGNORECASE)
REPLIED = re.compile(rf"^\s{{0,12}}[45]\d\d[ -](?:[45]\.\d\.\d{{1,3}} )?<({ADDRESS})>")
ANY = re.compile(ADDRESS)
HELP = re.compile(
    r"^(?:postmaster|mailer-daemon|abuse|support|help(?:desk)?|admin\w*|webmaster|info|no-?reply|noc|security|removeme)@",
    re.IGNORECASE,
)
SENDER_LINE = re.compile(
    r"(?:message sent by|mail from|from|sender|return-path|reply-to|envelope-from|submitted by|差出人|送信者|отправитель)\W{0,6}$|mail from:|^\W*(?:from|sender|return-path|reply-to)\s?:",
    re.IGNORECASE,
)
COMMAND = re.compile(
    r"in reply to (?:the )?(end of )?(mail|rcpt|data)|for (mail from|rcpt to|data) response|after (?:(end of )|pipelined )?(mail|rcpt|data|ehlo|helo|initial connection|starttls)"
    r"|(?:>>>|sent <<<) ?(mail|rcpt|data|ehlo|helo|starttls)\b|did not like our (final )?(mail|rcpt|data|ehlo|helo)|\[(mail_from|rcpt_to|data|conn\w*)\]|(does not like recipient|recipient (?:was )?rejected)|(does not like sender|sender was rejected)|(failed after i sent the message|message was rejected)",
    re.IGNORECASE,
)
COMMANDS = {
    "mail from": "mail",
    "rcpt to": "rcpt",
    "initial connection": "greeting",
    "helo": "ehlo",
    "mail_from": "mail",
    "rcpt_to": "rcpt",
}
SAID_BY_QMAIL = {
    "does not like recipient": "rcpt",
    "recipient rejected": "rcpt",
    "recipient was rejected": "rcpt",
    "does not like sender": "mail",
    "sender was rejected": "mail",
    "failed after i sent the message": "dot",
    "message was rejected": "dot",
}
UNASKED = re.compile(r"<<< (?:503\b|554 .{0,60}no valid recipients)")  # DATA pipelined behind a refused RCPT (RFC 2920)


def notices(lines: list[str], senders: set[str]) -> list[Notice]:
    """Return the recipients whom the lines name, in their order. `senders` are addresses in lower case."""
    lines = [line[:LONGEST_LINE] for line in lines]
    for find in (_led, _replied, _transcribed, _said):
        found = find(lines, senders)
        if found:
            return _merged(found, lines)[:MOST]
    return []


def reply_in(lines: list[str]) -> str:
    """Return the first refusal in a transcript of a session, or nothing."""
    return next((match[1] for line in lines if (match := REFUSED.match(line[:LONGEST_LINE]))), "")


def command_of(text: str) -> str:
    """Return the SMTP command that the text says was refused, or `dsn`."""
    found = None
    for found in COMMAND.finditer(text):  # noqa: B007
        pass
    if found is None:
        return "dsn"
    said = [word.lower() for word in found.groups() if word]
    if said[-1] in SAID_BY_QMAIL:
        return SAID_BY_QMAIL[said[-1]]
    name = COMMANDS.get(said[-1], said[-1])
    name = "greeting" if name.startswith("conn") else name
    if name == "data":
        is_pipelined = found[0].startswith(">>>") and UNASKED.search(text)
        is_end = len(said) > 1 or found[0].startswith((">>>", "did", "["))
        return "rcpt" if is_pipelined else "dot" if is_end else "data"
    return name


# -- inside ------------------------------------------------------------------------------------


def _led(lines: list[str], senders: set[str]) -> list[tuple[int, str, str]]:
    """Return the line, address and rest of the line of each address that leads its line."""
    found = []
    for place, line in enumerate(lines):
        if "@" not in line:
            continue
        for pattern in (ALONE, FIRST, LABEL):
            match = pattern.match(line)
            address = next((group for group in match.groups() if group), "") if match else ""
            if match and _is_recipient(address, line[: match.start()], senders, lines, place, pattern is LABEL):
                found.append((place, address, line[match.end(match.lastindex or 0) :]))
                break
    return found


def _replied(lines: list[str], senders: set[str]) -> list[tuple[int, str, str]]:
    """Return the address that leads each reply: `550 <taro@example.jp>... Host unknown`."""
    return [
        (place, match[1], line.strip())
        for place, line in enumerate(lines)
        if (match := REPLIED.match(line)) and _is_recipient(match[1], "", senders, lines, place, False)
    ]


def _transcribed(lines: list[str], senders: set[str]) -> list[tuple[int, str, str]]:
    return [(place, match[1], "") for place, line in enumerate(lines) if (match := RCPT.search(line))]


def _said(lines: list[str], senders: set[str]) -> list[tuple[int, str, str]]:
    """Return the addresses within sentences; a sentence may be broken over two lines."""
    found = []
    for place, line in enumerate(lines):
        if "@" not in line:
            continue
        for match in ANY.finditer(line):
            before = (lines[place - 1] if place else "") + " " + line[: match.start()]
            is_said = not line.isascii() or SENTENCE.search(before[-160:] + match[0])
            if is_said and _is_recipient(match[0], before, senders, lines, place, False):
                found.append((place, match[0], line[match.end() :]))
    return found[:3]


def _is_recipient(
    address: str, before: str, senders: set[str], lines: list[str], place: int, is_labelled: bool
) -> bool:
    low = address.lower()
    if low in senders or HELP.match(low):
        return False
    line_before = next((line for line in reversed(lines[max(0, place - 2) : place]) if line.strip()), "")
    if SENDER_LINE.search(before.rstrip()) or (not is_labelled and SENDER_LINE.search(line_before.rstrip())):
        return False
    return not SENDER_LINE.match(lines[place].strip())


def _merged(found: list[tuple[int, str, str]], lines: list[str]) -> list[Notice]:
    """Return a notice for each address, with what stands behind it up to the next."""
    by_address: dict[str, Notice] = {}
    places = [place for place, _address, _rest in found] + [len(lines)]
    for number, (place, address, rest) in enumerate(found):
        following = lines[place + 1 : places[number + 1]]
        block = " ".join([rest.strip(" :,;>"), *_block(following)])[:LONGEST_BLOCK].strip()
        notice = by_address.setdefault(address.lower(), Notice(address))
        if block and block not in notice.text:
            notice.text = f"{notice.text} {block}".strip()[:LONGEST_BLOCK]
    return list(by_address.values())


def _block(lines: Iterable[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines if line.strip()][:60]
