"""Transactions that wait for a connection, each campaign in its turn: a large one never holds a small one back."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from delivery.smtp import Transaction


class Turns:
    """A line for each campaign; `take` goes round. What is put back goes first."""

    def __init__(self) -> None:
        self._first: deque[Transaction] = deque()
        self._lines: dict[int, deque[Transaction]] = {}
        self._round: deque[int] = deque()  # campaigns with somebody in their line
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, campaign_id: int, transactions: Iterable[Transaction]) -> None:
        line = self._lines.get(campaign_id)
        if line is None:
            line = self._lines[campaign_id] = deque()
            self._round.append(campaign_id)
        before = len(line)
        line.extend(transactions)
        self._count += len(line) - before

    def put_back(self, transaction: Transaction) -> None:
        self._first.appendleft(transaction)
        self._count += 1

    def take(self) -> Transaction | None:
        """Return the next one, or None."""
        if self._first:
            self._count -= 1
            return self._first.popleft()
        while self._round:
            line = self._lines[self._round[0]]
            if line:
                if len(self._round) > 1:
                    self._round.rotate(-1)
                self._count -= 1
                return line.popleft()
            del self._lines[self._round.popleft()]
        return None

    @property
    def domain(self) -> str:
        """The domain of one that waits: the one that a new connection is opened for."""
        if self._first:
            return self._first[0].domain
        return next((line[0].domain for line in self._lines.values() if line), "")

    def cut(self, most: int) -> list[Transaction]:
        """Take out what is too many, the last of the longest lines first, and return it."""
        surplus: list[Transaction] = []
        while self._count > most and (line := max(self._lines.values(), key=len, default=None)):
            surplus.append(line.pop())
            self._count -= 1
        return surplus

    def drop(self, campaign_ids: Collection[int]) -> list[Transaction]:
        """Take out the lines of these campaigns and return what stood in them."""
        dropped: list[Transaction] = []
        for campaign_id in campaign_ids:
            if line := self._lines.get(campaign_id):
                dropped += line
                line.clear()
        self._count -= len(dropped)
        return dropped

    def clear(self) -> list[Transaction]:
        """Take out everything and return it."""
        everything = [*self._first, *(one for line in self._lines.values() for one in line)]
        self._first.clear()
        self._lines.clear()
        self._round.clear()
        self._count = 0
        return everything
