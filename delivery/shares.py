"""What this process may take of limits that the whole installation shares: leases in Redis that expire by themselves.

Under each key (a route and a destination group) the holders note how many connections they want and have; each gets a
fair part, more where the others want less, and what a dead process held is free again after `LEASE` seconds. Messages
a second are tokens out of one bucket, handed out for half a second ahead. Redis decides, by its own clock, in one
script a key, all keys in one round trip. While Redis is away each process keeps to its part, never to no limit; when it
is back, emptied or not, the leases are claimed anew.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from delivery.shaping import Limits

logger = logging.getLogger(__name__)

LEASE = 10.0  # seconds
PATIENCE = 0.5  # seconds until Redis counts as away
STEADY = 1.0  # seconds for which nothing is said under a key where nothing changed
PREFIX = "mailsales:shares:"
AWAY = (RedisError, OSError, TimeoutError)

# A hash: a field for each holder, "want granted is_thirsty ends_at given_at", and one named "" for the bucket, "tokens
# filled_at"; times are in microseconds. `fair` is the level up to which all wants can be met (max-min fairness); beyond
# it a holder gets what is neither granted to others nor due to them. What a holder has open counts as granted until it
# closed it, though it may have less. One with open connections that is not known has come through Redis's being
# emptied: others may hold as many. A token is left to those who have waited for one for longer.
SCRIPT = """
local me, want, opened, tokens = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local limit, rate, lease = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local is_known, given_at, level, filled_at = false, 0, 1, now
local others, wants, granted, thirsty = {}, {want}, 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local holder, value = all[i], {}
  for number in string.gmatch(all[i + 1], '%S+') do value[#value + 1] = tonumber(number) end
  if holder == '' then
    level, filled_at = value[1], value[2]
  elseif value[4] <= now then
    redis.call('HDEL', KEYS[1], holder)
  elseif holder == me then
    is_known, given_at = true, value[5]
  else
    others[#others + 1] = value
    wants[#wants + 1] = value[1]
    granted, thirsty = granted + value[2], thirsty + value[3]
  end
end
table.sort(wants)
local fair, left = limit, limit
for i = 1, #wants do
  fair = math.max(1, math.floor(left / (#wants - i + 1)))
  if wants[i] > fair then break end
  left = left - wants[i]
  if i == #wants then fair = limit end
end
local reserved, before = 0, 0
for _, value in ipairs(others) do
  reserved = reserved + math.max(value[2], math.min(value[1], fair))
  if value[3] > 0 and value[5] < given_at then before = before + 1 end
end
local share = math.min(math.max(want, opened), math.max(math.min(want, fair), limit - reserved), limit - granted)
if opened > 0 and not is_known then share = math.min(share, opened) end
share = math.max(share, 0)
local given = 0
if rate > 0 then
  local most = math.max(1, rate)
  level = math.min(most, level + rate * math.max(now - filled_at, 0) / 1000000)
  if tokens < 0 then level = math.min(most, level - tokens) end
  given = math.max(0, math.floor(math.min(tokens, level - before, math.max(1, level / (thirsty + 1)))))
  if given > 0 then given_at = now end
  redis.call('HSET', KEYS[1], '', string.format('%.17g %.17g', level - given, now))
end
if want == 0 and opened == 0 then
  redis.call('HDEL', KEYS[1], me)
else
  local is_thirsty = rate > 0 and tokens >= 1 and 1 or 0
  local ends_at = now + lease * 1000000
  local note = string.format('%d %d %d %.17g %.17g', want, math.max(share, opened), is_thirsty, ends_at, given_at)
  redis.call('HSET', KEYS[1], me, note)
end
redis.call('PEXPIRE', KEYS[1], 3600000)
return {share, given}
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What this process may have now: open connections, and messages that may go."""

    connections: int
    tokens: float


@dataclass(slots=True)
class Share:
    """What is wanted and granted under one key."""

    limits: Limits
    want: int = 0
    opened: int = 0
    tokens_wanted: float = 0.0
    connections: int = 0
    tokens: float = 0.0
    renewed_at: float = -math.inf
    filled_at: float = 0.0  # of the bucket of this process alone
    said: tuple[int, int, Limits] | None = None
    listeners: list[Callable[[], None]] = field(default_factory=list)

    @property
    def now_said(self) -> tuple[int, int, Limits]:
        return self.want, self.opened, self.limits


class Shares:
    """One for a worker process; it belongs to one event loop.

    `holder` names the process, uniquely. `processes` says how many share the limits while Redis cannot be asked.
    """

    def __init__(
        self,
        redis_url: str,
        holder: str,
        processes: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis: Redis = Redis.from_url(
            redis_url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
        self._holder = holder
        self._processes = processes
        self._clock = clock
        self._shares: dict[str, Share] = {}
        self._turn = asyncio.Lock()
        self._digest = ""
        self.is_away = False

    def want(self, key: str, limits: Limits, connections: int, opened: int, tokens: float) -> None:
        """Note what is needed now: so many connections (`opened` there are), and so many messages in hand."""
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(limits, filled_at=self._clock())
        share.limits, share.want, share.opened, share.tokens_wanted = limits, connections, opened, tokens

    def forget(self, key: str) -> None:
        """Want nothing under a key any more: what the others were told of it runs out by itself."""
        self._shares.pop(key, None)

    def listen(self, key: str, limits: Limits, listener: Callable[[], None]) -> None:
        """Call the listener whenever more was granted under the key."""
        self._shares.setdefault(key, Share(limits, filled_at=self._clock())).listeners.append(listener)

    def granted(self, key: str) -> Grant:
        """Return what may be had now. Before the first answer, and when a lease ran out, that is nothing."""
        share = self._shares.get(key)
        if share is None:
            return Grant(0, 0.0)
        if self.is_away:
            return Grant(max(1, share.limits.connections // self._parts), self._fill(share))
        if self._clock() - share.renewed_at > LEASE:
            return Grant(0, 0.0)
        return Grant(share.connections, share.tokens)

    def spend(self, key: str) -> bool:
        """Use a token, if there is one."""
        if self.granted(key).tokens < 1:
            return False
        self._shares[key].tokens -= 1
        return True

    async def renew(self) -> bool:
        """Say what is wanted and take what is granted, for all keys; return False when Redis is away."""
        async with self._turn:
            due = {key: share for key, share in self._shares.items() if self._is_due(share)}
            if not due:
                return not self.is_away
            before = {key: self._freeze(share) for key, share in due.items()}
            try:
                async with asyncio.timeout(PATIENCE):
                    answers = await self._ask(due)
            except AWAY as error:
                await self._lose(error)
                return False
            self._find()
            for (key, share), answer in zip(due.items(), answers, strict=True):
                self._take(share, answer, before[key])
            return True

    async def close(self) -> None:
        """Let go of everything."""
        async with self._turn:
            with suppress(*AWAY):
                async with asyncio.timeout(PATIENCE):
                    pipeline = self._redis.pipeline(transaction=False)
                    for key in self._shares:
                        pipeline.hdel(PREFIX + key, self._holder)
                    await pipeline.execute()
            self._shares.clear()
            with suppress(*AWAY):
                await self._redis.aclose()

    # -- inside ----------------------------------------------------------------------------------

    def _is_due(self, share: Share) -> bool:
        """Return whether there is something to say, or the lease to be renewed."""
        if share.said is None or share.said != share.now_said or self.is_away:
            return share.said is not None or bool(share.want or share.opened)
        if not share.want and not share.opened:
            return share.limits.rate is not None and share.tokens >= 1
        is_short = share.connections < share.want or share.limits.rate is not None
        return is_short or self._clock() - share.renewed_at >= STEADY

    def _freeze(self, share: Share) -> int:
        """Open nothing while the question is on its way; return what was granted before."""
        before = share.connections
        share.connections = min(before, share.opened)
        return before

    async def _ask(self, due: dict[str, Share]) -> list[tuple[int, int]]:
        if not self._digest:
            self._digest = str(await self._redis.script_load(SCRIPT))
        asked = []
        for key, share in due.items():
            held = 0.0 if self.is_away else share.tokens
            more = math.floor(share.tokens_wanted - held)
            if more < 0:
                share.tokens += more  # given back: no longer ours, whatever becomes of the answer
            share.said = share.now_said
            rate = share.limits.rate or 0
            wants = (self._holder, share.want, share.opened, more, share.limits.connections, repr(rate), LEASE)
            asked.append((PREFIX + key, *wants))
        answers = await self._run(asked)
        if any(isinstance(answer, NoScriptError) for answer in answers):  # Redis was restarted: none has run
            await self._redis.script_load(SCRIPT)
            answers = await self._run(asked)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return [(int(share), int(given)) for share, given in answers]

    async def _run(self, asked: list[tuple[Any, ...]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for arguments in asked:
            pipeline.evalsha(self._digest, 1, *arguments)
        return list(await pipeline.execute(raise_on_error=False))

    def _take(self, share: Share, answer: tuple[int, int], before: int) -> None:
        share.connections = answer[0]
        share.tokens += answer[1]
        share.renewed_at = self._clock()
        if answer[0] > before or answer[1]:
            for listener in share.listeners:
                listener()

    async def _lose(self, error: Exception) -> None:
        """Go on with this process's part of every limit."""
        if not self.is_away:
            logger.warning("Redis is away: each process keeps to its part of the limits. %s", error)
            for share in self._shares.values():
                share.tokens, share.filled_at = 0.0, self._clock()
        self.is_away = True
        with suppress(*AWAY):
            async with asyncio.timeout(PATIENCE):
                await self._redis.connection_pool.disconnect(inuse_connections=True)

    def _find(self) -> None:
        if self.is_away:
            logger.warning("Redis is back: limits are shared again.")
            for share in self._shares.values():
                share.tokens, share.connections, share.renewed_at = 0.0, 0, -math.inf
        self.is_away = False

    @property
    def _parts(self) -> int:
        return max(1, self._processes())

    def _fill(self, share: Share) -> float:
        """Return the tokens in the bucket of this process alone, by the local clock."""
        if share.limits.rate is None:
            return 0.0
        rate = share.limits.rate / self._parts
        now = self._clock()
        share.tokens = min(max(1.0, rate), share.tokens + rate * (now - share.filled_at))
        share.filled_at = now
        return share.tokens
