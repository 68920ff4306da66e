"""multipart/report as mail systems write it (RFC 6522): its parts and their groups of fields, read leniently.

Only structure is read here. What a delivery report means stands in `bounces.py`, what a feedback report means in
`complaints.py`; both are safe with any bytes at all, as `parts.py` is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from delivery.parts import FIELD, LONGEST_VALUE, RETURNED, Group, Part, divided, printable, taken_apart, unix

MOST_GROUPS = 500
LONGEST_TEXT = 60_000  # characters of the text for people
ONCE = frozenset({"original-recipient", "final-recipient", "action", "status", "diagnostic-code"})
DELIVERY = frozenset({"message/delivery-status", "message/global-delivery-status", "text/delivery-status"})
FEEDBACK = frozenset({"message/feedback-report"})
RECEIPT = frozenset({"message/disposition-notification", "message/global-disposition-notification"})


@dataclass(frozen=True, slots=True)
class Report:
    """A mail taken apart. `groups` are those of the machine-readable part, names in lower case; `returned` the header of
    the mail that came back, in the same form; `text` what a person is to read, without the returned mail's own parts."""

    kind: str = ""  # of the report: delivery-status, feedback-report, disposition-notification, or nothing
    header: Group = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    returned: Group = field(default_factory=dict)
    text: str = ""
    has_returned: bool = False


def read_report(raw: bytes) -> Report:
    """Return the parts of a mail; a mail that is no report has no groups."""
    header, parts = taken_apart(raw)
    kind, groups, returned, texts = "", list[Group](), Group(), list[Part]()
    has_returned = False
    for part in parts:
        if part.content_type in DELIVERY:  # RFC 3464 §2, RFC 6533 §3
            kind, groups = kind or "delivery-status", groups or groups_of(part.text)
        elif part.content_type in FEEDBACK:  # RFC 5965 §3
            kind, groups = kind or "feedback-report", groups or groups_of(part.text)
        elif part.content_type in RECEIPT:  # RFC 8098 §3.1
            kind = kind or "disposition-notification"
        elif part.content_type in RETURNED:
            returned = returned or divided(unix(part.bare).lstrip(b"\n"))[0]
            has_returned = True
        elif part.content_type.startswith(("text/", "multipart/")) and not has_returned:
            texts.append(part)
    return Report(kind, header, groups, returned, _readable(texts), has_returned)


def groups_of(text: str) -> list[Group]:
    """Return the groups of fields, which empty lines divide, or a field that a group has only once."""
    groups: list[Group] = []
    group, last = Group(), ""
    for line in text.splitlines():
        if not line.strip():
            group = _kept(groups, group)
        elif line[0] in " \t" or not FIELD.match(line):
            if last in group and len(group[last]) < LONGEST_VALUE:
                group[last] = f"{group[last]} {printable(line.strip())}"[:LONGEST_VALUE]
        else:
            name, _colon, value = line.partition(":")
            last = name.strip().lower()
            if last in group and last in ONCE:
                group = _kept(groups, group)
            value = printable(value.strip())
            if len(before := group.get(last, "")) < LONGEST_VALUE:
                group[last] = f"{before}, {value}"[:LONGEST_VALUE] if before else value[:LONGEST_VALUE]
        if len(groups) >= MOST_GROUPS:
            return groups
    _kept(groups, group)
    return groups


# -- inside ------------------------------------------------------------------------------------


def _kept(groups: list[Group], group: Group) -> Group:
    """Keep a finished group and return the next, empty one. A group cut in two by an empty line becomes one again."""
    if not group:
        return group
    before = groups[-1] if groups else Group()
    is_rest = "final-recipient" in before and "action" not in before and "final-recipient" not in group
    if is_rest and ("action" in group or "status" in group):
        before.update({name: value for name, value in group.items() if name not in before})
    else:
        groups.append(group)
    return Group()


def _readable(parts: list[Part]) -> str:
    """Return the plain text, or where there is none, what the HTML says."""
    plain = [part for part in parts if part.content_type != "text/html" and part.content.strip()]
    texts, length = [], 0
    for part in plain or parts:
        texts.append(part.text[:LONGEST_TEXT])
        length += len(texts[-1])
        if length >= LONGEST_TEXT:
            break
    return "\n".join(line.rstrip() for line in "\n".join(texts)[:LONGEST_TEXT].split("\n"))
