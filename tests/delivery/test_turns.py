from __future__ import annotations

from unittest import TestCase

from delivery.turns import Turns
from tests.delivery.sink import Letter


def letters(*numbers: int) -> list[Letter]:
    return [Letter(number) for number in numbers]


class TurnsTest(TestCase):
    def setUp(self) -> None:
        self.turns = Turns()
        self.big, self.small = letters(*range(6)), letters(10, 11)
        self.turns.add(1, self.big)
        self.turns.add(2, self.small)

    def take_all(self) -> list[object]:
        taken: list[object] = []
        while (letter := self.turns.take()) is not None:
            taken.append(letter)
        return taken

    def test_a_small_campaign_is_not_held_back(self) -> None:
        taken = self.take_all()
        self.assertEqual(taken[:4], [self.big[0], self.small[0], self.big[1], self.small[1]])
        self.assertEqual((len(taken), len(self.turns)), (8, 0))

    def test_what_is_put_back_goes_first(self) -> None:
        first = self.turns.take()
        assert first
        self.turns.put_back(first)
        self.assertEqual((len(self.turns), self.turns.take()), (8, first))

    def test_surplus_comes_from_the_longest_line(self) -> None:
        surplus = self.turns.cut(5)
        self.assertEqual(surplus, [self.big[5], self.big[4], self.big[3]])
        self.assertEqual(len(self.turns), 5)

    def test_stopped_campaigns_leave(self) -> None:
        self.assertEqual(self.turns.drop({1, 7}), self.big)
        self.assertEqual(self.take_all(), self.small)

    def test_clear_returns_everything(self) -> None:
        put_back = self.turns.take()
        assert put_back
        self.turns.put_back(put_back)
        self.assertEqual(set(self.turns.clear()), {*self.big, *self.small})
        self.assertEqual((len(self.turns), self.turns.take()), (0, None))
