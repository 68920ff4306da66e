"""What this process may do to one destination group on one route, now: how many connections, how many messages.

The window of connections adapts as Postfix's does (SCHEDULER_README): one more after a whole window of successes, half
as many after a failed connection or a reply that says so; messages that are refused for another reason change nothing.
The window, a throttle and the share of this process in the installation's limits all hold; the least of them counts.
"""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from delivery.shaping import Action, Limits, Rule
from delivery.shares import Shares
from delivery.smtp import OPENING, Reply

FIRST_WINDOW = 5.0  # as Postfix’s initial_destination_concurrency
SHRINK_SECONDS = 1.0  # connections that were opened together fail together: that halves the window once
HOUR = 3600.0
DEAF_SECONDS = 60.0  # after a rule took its action, replies to what was under way do not count
AHEAD_SECONDS = 0.5  # messages in hand, twice what goes until the next renewal
LOOK_SECONDS = 0.25
GREYLISTING = re.compile(r"gr[ae]y.?list", re.IGNORECASE)  # RFC 6647: about one recipient, however it is numbered


class Pace:
    """The pools of a process that lead to one group on one route share it; all belong to one event loop.

    `on_more` is called whenever more may be done than before.
    """

    def __init__(
        self,
        key: str,
        limits: Limits,
        shares: Shares,
        rules: Sequence[Rule] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_more: list[Callable[[], None]] = []
        self.most_messages = limits.messages_per_connection
        self.most_seconds = limits.seconds_per_connection
        self.connections = 0
        self._key = key
        self._usual = self._limits = limits
        self._shares = shares
        self._rules = [(rule, deque[float](maxlen=rule.times)) for rule in rules]
        self._deaf_until: dict[int, float] = {}
        self._clock = clock
        self._window = min(FIRST_WINDOW, limits.connections)
        self._shrunk_at = -math.inf
        shares.listen(key, limits, self._more)

    # -- connections -----------------------------------------------------------------------------

    @property
    def window(self) -> int:
        """How many connections the destination seems to bear."""
        return min(int(self._window), self._limits.connections)

    @property
    def surplus(self) -> int:
        """How many connections others wait for: to be closed when they are idle."""
        return max(0, self.connections - self._shares.granted(self._key).connections)

    def may_open(self) -> bool:
        return self.connections < min(self.window, self._shares.granted(self._key).connections)

    def opened(self) -> None:
        self.connections += 1

    def closed(self) -> None:
        self.connections -= 1

    def need(self, connections: int) -> None:
        """Say how many connections the pools would like, counting a message that waits as one."""
        tokens = 0
        rate = self._limits.rate
        if rate and (self.connections or self._shares.granted(self._key).connections):
            tokens = min(connections, math.ceil(rate * AHEAD_SECONDS))
        self._shares.want(self._key, self._limits, min(connections, self.window), self.connections, tokens)

    def succeeded(self) -> None:
        if self._window < self._usual.connections:
            self._window = min(self._window + 1 / self._window, self._usual.connections)

    def failed(self, reply: Reply) -> None:
        """Take a connection that failed, or was closed by the other side, for a hint to use fewer."""
        if reply.code == 0 or reply.command in OPENING or _is_hint(reply):
            self._shrink()

    def close(self) -> None:
        """Let the others have its share: nothing leads there any more."""
        self._shares.forget(self._key)

    # -- messages --------------------------------------------------------------------------------

    def take(self) -> float:
        """Return 0.0 and count one message, or the seconds until it is worth asking again."""
        if self._limits.rate is None or self._shares.spend(self._key):
            return 0.0
        return LOOK_SECONDS

    def hear(self, reply: Reply) -> Action | None:
        """Listen to a refusal; return what is to be done about it now, the strictest if several rules say so."""
        if _is_hint(reply):
            self._shrink()
        now = self._clock()
        actions = [rule.action for rule, times in self._rules if rule.fits(reply) and self._is_reached(times, now)]
        return max(actions, key=lambda action: (action.kind == "suspend", action.seconds), default=None)

    def throttle(self, rate: float | None, connections: int | None) -> None:
        """Go no faster than that, until the next word: None and None lift it."""
        lowest = _least(self._usual.rate, rate)
        fewest = _least(self._usual.connections, connections) or 1
        if (lowest, fewest) != (self._limits.rate, self._limits.connections):
            self._limits = replace(self._usual, rate=lowest, connections=int(fewest))

    # -- inside ----------------------------------------------------------------------------------

    def _shrink(self) -> None:
        now = self._clock()
        if now - self._shrunk_at >= SHRINK_SECONDS:
            self._shrunk_at = now
            self._window = max(1.0, self._window / 2)

    def _is_reached(self, times: deque[float], now: float) -> bool:
        """Count one reply; return whether there were enough of them within the hour."""
        if now < self._deaf_until.get(id(times), -math.inf):
            return False
        times.append(now)
        if len(times) < (times.maxlen or 1) or now - times[0] > HOUR:
            return False
        times.clear()
        self._deaf_until[id(times)] = now + DEAF_SECONDS
        return True

    def _more(self) -> None:
        for listener in self.on_more:
            listener()


def _is_hint(reply: Reply) -> bool:
    """Return whether a reply says that it was too much: 421 (RFC 5321 §3.8), or policy for the moment (x.7.x)."""
    return (reply.code == 421 or reply.enhanced.startswith("4.7.")) and not GREYLISTING.search(reply.text)


def _least(usual: float | None, said: float | None) -> float | None:
    return min((value for value in (usual, said) if value is not None), default=None)
