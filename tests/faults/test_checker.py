"""The checker sees what it is there to see: pictures of campaigns that went wrong."""

from __future__ import annotations

from dataclasses import replace
from unittest import TestCase

import pytest

from tests.faults.checker import Picture, Row, faults
from tests.faults.sink import Copy

pytestmark = pytest.mark.faults
ROWS = [
    Row(1, "a@example.jp", "sent", None, True),
    Row(2, "b@example.jp", "bounced", "user_unknown", False),
    Row(3, "c@example.jp", "unknown", "no_reply", False),
]
COPIES = [Copy(1.0, "a@example.jp", "<1@x>"), Copy(2.0, "c@example.jp", "<3@x>")]
RIGHT = Picture("sent", True, 3, 0, ROWS, {"sent": 1, "bounced": 1, "unknown": 1}, COPIES)


class CheckerTest(TestCase):
    def assert_found(self, words: str, picture: Picture) -> None:
        found = faults(picture, may_be_unknown={3})
        self.assertTrue(any(words in each for each in found), found)

    def test_it_has_nothing_to_say_about_a_good_end(self) -> None:
        self.assertEqual(faults(RIGHT, may_be_unknown={3}), [])

    def test_unknown_needs_a_cause(self) -> None:
        self.assertIn("unknown without a cause", faults(RIGHT)[0])

    def test_it_sees_who_is_lost(self) -> None:
        self.assert_found("nobody accepted it", replace(RIGHT, copies=COPIES[1:]))
        self.assert_found("readers without a message", replace(RIGHT, rows=ROWS[1:]))

    def test_it_sees_who_is_mailed_twice(self) -> None:
        self.assert_found("more copies than allowed", replace(RIGHT, copies=[*COPIES, COPIES[0]]))
        self.assertEqual(
            faults(replace(RIGHT, copies=[*COPIES, COPIES[0]]), may_be_unknown={3}, resent={"a@example.jp"}), []
        )

    def test_it_sees_who_was_mailed_and_should_not_be(self) -> None:
        self.assert_found(
            "the ledger does not know", replace(RIGHT, copies=[*COPIES, Copy(3.0, "b@example.jp", "<2@x>")])
        )
        self.assert_found("not in the ledger", replace(RIGHT, copies=[*COPIES, Copy(3.0, "d@example.jp", "<4@x>")]))

    def test_it_sees_copies_that_differ(self) -> None:
        self.assert_found("different Message-IDs", replace(RIGHT, copies=[*COPIES, Copy(3.0, "c@example.jp", "<5@x>")]))

    def test_it_sees_what_has_not_ended(self) -> None:
        waiting = replace(ROWS[1], status="deferred")
        self.assert_found("still open", replace(RIGHT, rows=[ROWS[0], waiting, ROWS[2]]))
        self.assert_found("has not ended", replace(RIGHT, is_closed=False))
        self.assert_found("leases are unsettled", replace(RIGHT, unsettled=1))

    def test_it_sees_a_wrong_tally(self) -> None:
        self.assert_found("the tally", replace(RIGHT, tally={"sent": 2, "bounced": 1}))
