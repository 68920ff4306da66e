"""Start and fan-out of a campaign."""

from __future__ import annotations

from collections.abc import Iterator

from tests.ledger.model.words import Step

DRAFT, SCHEDULED, GOING, OVER, STOPPED_EARLY = range(5)


class Start:
    """Two people press "send", two beats tick, two fan-out tasks run, a person may cancel, tasks die.

    State: campaign, renditions, cursor, what each person, tick and slicer has read (0: nothing), cancels
    left, crashes left, rows per contact.
    """

    CONTACTS = 3

    def __init__(self, crashes: int, mutant: str = "") -> None:
        self.crashes, self.mutant = crashes, mutant

    def start(self) -> bytes:
        return bytes((DRAFT, 0, 0, 0, 0, 0, 0, 0, 0, 1, self.crashes)) + bytes(self.CONTACTS)

    def canonical(self, state: bytearray) -> bytes:
        return bytes(state)

    def finished(self, state: bytes) -> bool:
        return state[0] in (OVER, STOPPED_EARLY)

    def broken(self, before: bytes, after: bytearray) -> str:
        rows = after[11:]
        if max(rows) > 1:
            return "F1 one message for each contact"
        if after[0] == OVER and min(rows) < 1:
            return "F2 no contact is left out"
        if after[1] > 1:
            return "F3 content is frozen once"
        if before[0] in (OVER, STOPPED_EARLY) and after[0] != before[0]:
            return "F4 a campaign that ended does not start again"
        return ""

    def steps(self, state: bytes) -> Iterator[Step]:
        for who in (0, 1):
            yield from self._press(state, who)
            yield from self._tick(state, who)
            yield from self._slice(state, who)
        if state[9] and state[0] in (SCHEDULED, GOING):
            yield ("a person cancels", 0, 0), self._with(state, {0: STOPPED_EARLY, 9: 0}), "", False
        if state[0] == GOING and state[2] == self.CONTACTS and not any(state[7:9]):
            yield ("the campaign finishes", 0, 0), self._with(state, {0: OVER}), "", False

    def _with(self, state: bytes, changes: dict[int, int]) -> bytearray:
        n = bytearray(state)
        for at, value in changes.items():
            n[at] = value
        return n

    def _press(self, s: bytes, who: int) -> Iterator[Step]:
        if self.mutant != "send unguarded":
            if s[0] == DRAFT:
                yield (
                    ("person {w} presses send: UPDATE where it is a draft", who, 0),
                    self._with(s, {0: SCHEDULED}),
                    "",
                    False,
                )
        elif s[3 + who]:
            yield (
                ("person {w} saves the campaign as scheduled", who, 0),
                self._with(s, {0: SCHEDULED, 3 + who: 0}),
                "",
                False,
            )
        elif s[0] == DRAFT:
            yield ("person {w} sees a draft", who, 0), self._with(s, {3 + who: 1}), "", False

    def _tick(self, s: bytes, who: int) -> Iterator[Step]:
        if self.mutant != "tick starts unguarded":
            if s[0] == SCHEDULED:
                yield (
                    ("tick {w} locks, freezes and starts the campaign", who, 0),
                    self._with(s, {0: GOING, 1: s[1] + 1}),
                    "",
                    False,
                )
        elif s[5 + who]:
            yield (
                ("tick {w} freezes and starts it", who, 0),
                self._with(s, {0: GOING, 1: s[1] + 1, 5 + who: 0}),
                "",
                False,
            )
        elif s[0] == SCHEDULED:
            yield ("tick {w} sees a due campaign", who, 0), self._with(s, {5 + who: 1}), "", False

    def _slice(self, s: bytes, who: int) -> Iterator[Step]:
        cursor, mine = s[2], 7 + who
        is_open = s[0] == GOING and cursor < self.CONTACTS
        if self.mutant == "fan-out without lock or unique key":
            if s[mine]:
                at = s[mine] - 1
                n = self._with(s, {mine: 0, 2: max(cursor, at + 1), 11 + at: s[11 + at] + 1})
                yield (f"slicer {{w}} inserts contact {at + 1}", who, 0), n, "", False
            elif is_open:
                yield ("slicer {w} reads the cursor", who, 0), self._with(s, {mine: cursor + 1}), "", False
        elif self.mutant == "cursor moved before the rows":
            if s[mine]:
                at = s[mine] - 1
                yield (
                    (f"slicer {{w}} inserts contact {at + 1}", who, 0),
                    self._with(s, {mine: 0, 11 + at: 1}),
                    "",
                    False,
                )
            elif is_open:
                yield (
                    ("slicer {w} moves the cursor", who, 0),
                    self._with(s, {mine: cursor + 1, 2: cursor + 1}),
                    "",
                    False,
                )
        elif is_open:
            yield (
                ("slicer {w} inserts a slice and moves the cursor", who, 0),
                self._with(s, {2: cursor + 1, 11 + cursor: 1}),
                "",
                False,
            )
        if s[mine] and s[10]:
            yield ("slicer {w} is killed", who, 0), self._with(s, {mine: 0, 10: s[10] - 1}), "", True
