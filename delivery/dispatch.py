"""Which pool a claimed message goes to, and what a worker process may do to each destination.

A message's domain is resolved to a site, whose pool takes it; pools of one destination group and route share a `Pace`,
and paces share the installation's limits (`delivery/shares.py`). Nothing slow holds back what is fast: a pool keeps no
more waiting than it sends in two seconds, or its part of what a process may hold, and the surplus goes back into the ledger, due when its turn is likely to
come. What is suspended goes back until then; neither counts as a try.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from delivery import replies, throttles
from delivery.directory import Directory
from delivery.models import Throttle
from delivery.pace import Pace
from delivery.pools import Pool, Slots
from delivery.shaping import Action, Table
from delivery.shares import Shares
from delivery.sites import Site, Unroutable
from delivery.smtp import Reply, Timeouts, Transaction
from delivery.tls_memory import TlsMemory
from delivery.warmup import Allowance, Plan
from mailsales.ledger import STATEMENTS, Row
from mailsales.routes import Route, RouteKind

Key = tuple[str, str]  # the name of a route, and a group
Run = Callable[[str, dict[str, Any]], Awaitable[list[Row]]]
logger = logging.getLogger(__name__)

HUNGRY_SECONDS = 0.5  # a pool with less than that before it makes more being claimed
STALE_CLAIMS = 4  # that brought a pool nothing: it is hungry in vain
SOON_SECONDS = 2.5  # nobody hungry for so long: it is worth looking whether somebody else’s mail stands behind
EXPLORE_SECONDS = 0.25  # between two such looks
MOST_HELD = 4_000  # messages without a connection, of all pools
MOST_CONNECTIONS = 400  # of one process
MOST_LOOKUPS = 40  # at once, of some questions each
KEPT_SECONDS = 300.0  # a site for a domain, before the directory is asked again
UNUSED_SECONDS = 5.0  # after which a pool is forgotten
LOOK_SECONDS = 0.02  # for which an answer about room is good, unless something was claimed
MOST_SITES = 20_000  # of a route that are remembered
SURPLUS_SECONDS = 2.0  # how much a pool may keep waiting
SOONEST, LATEST = 0.5, 120.0  # seconds until surplus is due again
LEAST_RETURN = 50.0  # messages a second that come back to a destination at least, however slow it seems
CALLED_BACK = 500  # messages a second, at least, that are due at once where a pool stands idle
OPTIMISM = 2.0  # surplus comes back faster than it lately went, so that a pool that could do more is seen to
AGAIN_SECONDS = 0.5  # between two claims of surplus
SHARE_SECONDS = 0.25
TEND_SECONDS = 0.5
# Messages a second that a new pool is believed to send until it was measured.
STARTING_RATE = {RouteKind.SANDBOX: 1_000.0, RouteKind.RELAY: 1_000.0, RouteKind.MX: 25.0}
# Where thousands of destinations take turns, nobody keeps a connection long that he does not use.
TIMEOUTS = {RouteKind.SANDBOX: Timeouts(), RouteKind.RELAY: Timeouts(), RouteKind.MX: Timeouts(idle=10)}


class Letter(Transaction):
    """A claimed message as the dispatcher sees it."""

    __slots__ = ("campaign_id", "destination_id", "domain", "pool")

    campaign_id: int
    destination_id: int
    domain: str
    pool: Pool | None

    @abstractmethod
    def postpone(self, due_at: datetime) -> None:
        """Give it back untried, due then."""


class Dispatcher:
    """One for a worker process. All methods belong to its event loop. `run` runs SQL over the worker's connection."""

    def __init__(self, run: Run, directory: Directory, table: Table, shares: Shares, memory: TlsMemory) -> None:
        self._run = run
        self._directory = directory
        self._table = table
        self._shares = shares
        self._memory = memory
        self._board = throttles.Board()
        self._allowance = Allowance(run)
        self._pools: dict[tuple[Route, Site], Pool] = {}
        self._paces: dict[Key, Pace] = {}
        self._sites: dict[Route, dict[str, tuple[Site | Reply, float]]] = {}
        self._horizons: dict[Pool, float] = {}  # when the last surplus of a pool is due, in Unix seconds
        self._used_at: dict[Pool, float] = {}
        self._claims = 0
        self._fed: dict[Pool, int] = {}  # at which claim a pool last got something
        self._explored_at = 0.0
        self._looked = 0.0, False  # when, and whether there was room
        self._slots = Slots(MOST_CONNECTIONS)
        self._surplus: dict[int, tuple[float, float]] = {}  # by campaign: when to claim again, and when its last is due
        self._failures: dict[tuple[str, str], int] = {}  # in a row, by route and site
        self._found: dict[int, Site] = {}  # by destination, to be written down
        self._making: list[dict[str, Any]] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._lookups = asyncio.Semaphore(MOST_LOOKUPS)
        self._is_wanting = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._tended_at = self._loop.time()

    # -- messages --------------------------------------------------------------------------------

    def push(self, route: Route, letters: Sequence[Letter], plan: Plan | None = None) -> None:
        """Hand the letters of one campaign to their pools, or look up where these are. `plan`: its domain warms up."""
        self._claims += 1
        self._explored_at = self._loop.time()
        self._looked = 0.0, False
        sites = self._sites.setdefault(route, {})
        is_mx, now = route.kind is RouteKind.MX, self._loop.time()
        known: dict[Site, list[Letter]] = {}
        unknown: dict[str, list[Letter]] = {}
        for letter in letters:
            domain = letter.domain if is_mx else ""
            site, until = sites.get(domain, (None, 0.0))
            if until < now:
                unknown.setdefault(domain, []).append(letter)
            elif isinstance(site, Site):
                known.setdefault(site, []).append(letter)
            else:
                assert site
                letter.settle(site)
        for site, some in known.items():
            self._hand(route, site, some, plan)
        for domain, some in unknown.items():
            self._spawn(self._look_up(route, domain, some, plan))

    def has_room(self) -> bool:
        """Return whether more should be claimed: a pool is hungry, or it is time to look what waits behind the rest."""
        now = self._loop.time()
        looked_at, had_room = self._looked
        if now - looked_at > LOOK_SECONDS:
            had_room = self._has_room(now)
            self._looked = now, had_room
        return had_room

    def _has_room(self, now: float) -> bool:
        held, hungry_in = 0, 0.0 if not self._pools else LATEST
        for pool in self._pools.values():
            waiting = len(pool)
            held += waiting
            if self._claims - self._fed[pool] < STALE_CLAIMS:
                left = waiting - pool.opened - HUNGRY_SECONDS * pool.rate
                hungry_in = min(hungry_in, left / (pool.rate + 0.01))
        if held >= MOST_HELD:
            return False
        is_time_to_look = hungry_in > SOON_SECONDS and now - self._explored_at > EXPLORE_SECONDS
        return hungry_in <= 0 or is_time_to_look

    def due_again(self) -> list[int]:
        """Return the campaigns of whose surplus some is due again: their lanes may be silent by now."""
        now = time.time()
        due = [campaign_id for campaign_id, (at, _last) in self._surplus.items() if at <= now]
        for campaign_id in due:
            _at, last = self._surplus.pop(campaign_id)
            if last > now:
                self._surplus[campaign_id] = min(now + AGAIN_SECONDS, last), last
        return due

    def stop(self, campaign_ids: Collection[int]) -> None:
        """Return what waits of campaigns that were stopped."""
        for pool in self._pools.values():
            if len(pool):
                pool.stop(campaign_ids)

    async def abandon(self, seconds: float) -> None:
        """Send no further dot; return what has none; wait for replies to dots for at most so many seconds."""
        for errand in self._errands:
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        await asyncio.gather(*(pool.abandon(seconds) for pool in self._pools.values()))

    async def close(self) -> None:
        """Let go of the shares and of what was reserved; `abandon` comes before."""
        try:
            await self._allowance.give_back()
        except psycopg.Error as error:
            logger.warning("What was reserved for warming up stays reserved: %s", error)
        await self._shares.close()

    # -- tending ---------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Learn what is held back, before the first claim. Raise psycopg.Error."""
        self._board.replace(await self._run(throttles.ACTIVE, {}))

    async def keep_sharing(self) -> None:
        """Tell the other processes what this one needs, four times a second and at once for a new need."""
        while True:
            wanted = dict.fromkeys(self._paces, 0)
            slots = self._slots.left
            for pool in self._pools.values():
                if slots > 0 or pool.opened:  # who could not open a connection here takes none from the others
                    wanted[pool.route.name, pool.site.group] += pool.wanted
                    slots -= not pool.opened and len(pool) > 0
            for key, pace in self._paces.items():
                pace.need(wanted[key])
            self._is_wanting.clear()
            await self._shares.renew()
            self._make_way()
            for pool in list(self._pools.values()):
                if len(pool):
                    pool.feed()
            try:
                await asyncio.wait_for(self._is_wanting.wait(), SHARE_SECONDS)
            except TimeoutError:
                continue

    async def keep_tending(self) -> None:
        while True:
            await asyncio.sleep(TEND_SECONDS)
            try:
                await self._tend()
            except psycopg.Error as error:
                logger.warning("What holds mail back cannot be read at the moment: %s", error)

    async def _tend(self) -> None:
        now = self._loop.time()
        seconds, self._tended_at = now - self._tended_at, now
        await self._write_down()
        self._board.replace(await self._run(throttles.ACTIVE, {}))
        for pool in list(self._pools.values()):
            pool.measure(seconds)
            self._forget(pool, now) if pool.is_unused else self._used_at.update({pool: now})
            self._restrain(pool)
        for (route_name, group), pace in self._paces.items():
            pace.throttle(*(self._board.slowed(route_name, group) or (None, None)))
        self._tidy(now)
        await self._call_back()

    async def _call_back(self) -> None:
        """Have surplus due at once where a pool turned out to be faster than was thought, and stands idle."""
        now = datetime.now(UTC)
        for pool in list(self._pools.values()):
            idles = not len(pool) and self._horizons.get(pool, 0.0) > now.timestamp() + TEND_SECONDS
            if not idles or not self._surplus or self._suspended_until(pool.route, pool.site):
                continue
            values = {
                "campaigns": list(self._surplus),
                "before": now + timedelta(seconds=LATEST),
                "scope": pool.site.name if pool.route.kind is RouteKind.MX else None,
                "limit": max(CALLED_BACK, int(3 * pool.rate)),
            }
            await self._run(STATEMENTS["hasten"], values)
            self._surplus = {campaign_id: (now.timestamp(), last) for campaign_id, (_, last) in self._surplus.items()}

    async def _write_down(self) -> None:
        """Write what was learnt: throttles, where destinations' mail goes, how hosts encrypt."""
        while self._making:
            try:
                await self._run(throttles.MAKE, self._making[0])
            except psycopg.DataError:
                logger.exception("What holds mail back could not be written down.")
            self._making.pop(0)
        if self._found:
            found = dict(self._found)
            names = [(site.group, site.name) for site in found.values()]
            await self._run(
                throttles.FOUND,
                {"ids": list(found), "groups": [group for group, _ in names], "sites": [name for _, name in names]},
            )
            for destination_id in found:
                self._found.pop(destination_id, None)
        await self._memory.flush(self._run)

    def _tidy(self, now: float) -> None:
        """Forget paces that no pool has any more, and sites that would be looked up again anyway."""
        used = {(route.name, site.group) for route, site in self._pools}
        for key in [key for key in self._paces if key not in used]:
            self._paces.pop(key).close()
        for sites in self._sites.values():
            if len(sites) > MOST_SITES:
                for domain in [domain for domain, (_site, until) in sites.items() if until < now]:
                    del sites[domain]

    def _forget(self, pool: Pool, now: float) -> None:
        if now - self._used_at.get(pool, now) < UNUSED_SECONDS:
            return
        del self._pools[pool.route, pool.site]
        del self._fed[pool]
        self._used_at.pop(pool, None)
        self._horizons.pop(pool, None)

    def _restrain(self, pool: Pool) -> None:
        """Give back what may not go, or is too much to wait here."""
        if until := self._suspended_until(pool.route, pool.site):
            for letter in pool.cut(0):
                _postpone(letter, throttles.due_after(until))
        else:
            self._put_off(pool, pool.cut(self._most_waiting(pool)))

    def _make_way(self) -> None:
        """Close idle connections where another process waits for them, or a pool of the same group has none, or, at the
        limit of this process, any pool."""
        owed = {key: pace.surplus for key, pace in self._paces.items() if pace.surplus}
        for pool in self._pools.values() if owed else ():
            key = pool.route.name, pool.site.group
            owed[key] = owed.get(key, 0) - pool.release(owed.get(key, 0))
        starved = [pool for pool in self._pools.values() if len(pool) and not pool.opened]
        if not starved:
            return
        is_full = self._slots.left <= 0
        groups = {(pool.route.name, pool.site.group) for pool in starved}
        for pool in self._pools.values():
            if is_full or (pool.route.name, pool.site.group) in groups:
                pool.release(pool.opened if is_full else 1)

    # -- inside ----------------------------------------------------------------------------------

    def _spawn(self, errand: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    async def _look_up(self, route: Route, domain: str, letters: list[Letter], plan: Plan | None) -> None:
        found: Site | Reply
        try:
            async with self._lookups:
                found = await self._directory.site_of(route, domain)
        except Unroutable as nowhere:
            found = nowhere.reply
        except BaseException:
            for letter in letters:
                letter.returned()
            raise
        self._sites[route][domain] = found, self._loop.time() + KEPT_SECONDS
        if isinstance(found, Reply):
            for letter in letters:
                letter.settle(found)
            return
        if route.kind is RouteKind.MX:
            self._found[letters[0].destination_id] = found
        self._hand(route, found, letters, plan)

    def _hand(self, route: Route, site: Site, letters: list[Letter], plan: Plan | None) -> None:
        if until := self._suspended_until(route, site):
            for letter in letters:
                letter.postpone(throttles.due_after(until))
        elif plan:
            self._spawn(self._hand_sparingly(route, site, letters, plan))
        else:
            self._pass_on(route, site, letters)

    async def _hand_sparingly(self, route: Route, site: Site, letters: list[Letter], plan: Plan) -> None:
        """Hand over what a domain that warms up may send today; the rest waits for another day."""
        pool = self._pool(route, site)
        rest = list(letters)
        try:
            while rest:
                letter = rest[-1]
                if len(pool) >= self._most_waiting(pool):
                    self._put_off(pool, rest)
                    return
                if await self._allowance.take(plan, letter.domain):
                    self._pass_on(route, site, [letter])
                else:
                    letter.postpone(plan.next_day())
                rest.pop()
        except BaseException as error:
            for letter in rest:
                letter.returned()
            if not isinstance(error, psycopg.Error):
                raise
            logger.warning("How much may still be sent today is not known at the moment: %s", error)

    def _pass_on(self, route: Route, site: Site, letters: list[Letter]) -> None:
        pool = self._pool(route, site)
        self._fed[pool] = self._claims
        for letter in letters:
            letter.pool = pool
        pool.push(letters, letters[0].campaign_id)
        if len(pool):
            self._put_off(pool, pool.cut(self._most_waiting(pool)))
            if not pool.opened:
                self._is_wanting.set()

    def _pool(self, route: Route, site: Site) -> Pool:
        known = self._pools.get((route, site))
        return self._new_pool(route, site) if known is None else known

    def _new_pool(self, route: Route, site: Site) -> Pool:
        key = route.name, site.group
        pace = self._paces.get(key)
        if pace is None:
            limits, rules = self._table.limits(site.group), self._table.rules(site.group)
            pace = self._paces[key] = Pace("|".join(key), limits, self._shares, rules)
        pool = self._pools[route, site] = Pool(
            route,
            site,
            pace,
            lambda: self._directory.targets_of(route, site),
            notes=self._memory,
            on_trouble=self._on_trouble,
            on_refusal=self._on_refusal,
            slots=self._slots,
            timeouts=TIMEOUTS[route.kind],
            rate=STARTING_RATE[route.kind],
        )
        self._used_at[pool] = self._loop.time()
        self._fed[pool] = self._claims
        return pool

    def _most_waiting(self, pool: Pool) -> int:
        fair = MOST_HELD // (4 * len(self._pools))
        return max(fair, 2 * pool.opened, int(SURPLUS_SECONDS * pool.rate))

    def _put_off(self, pool: Pool, surplus: Sequence[Transaction]) -> None:
        """Give surplus back, each due when its turn is likely to come."""
        if not surplus:
            return
        now = datetime.now(UTC)
        step = 1 / max(OPTIMISM * pool.rate, LEAST_RETURN)
        at = max(now.timestamp() + SOONEST, self._horizons.get(pool, 0.0))
        for letter in reversed(surplus):
            at = min(at + step, now.timestamp() + LATEST * random.uniform(0.9, 1.0))  # noqa: S311 -- no secret
            assert isinstance(letter, Letter)
            letter.postpone(datetime.fromtimestamp(at, UTC))
            first, last = self._surplus.get(letter.campaign_id, (at, at))
            self._surplus[letter.campaign_id] = min(first, at), max(last, at)
        self._horizons[pool] = at

    def _suspended_until(self, route: Route, site: Site) -> datetime | None:
        return self._board.suspended_until(route.name, site.group, site.name)

    def _on_trouble(self, pool: Pool, reply: Reply) -> None:
        """Leave a site alone that cannot be reached, for longer each time."""
        if reply.code and self._board.slowed(pool.route.name, pool.site.group):
            return  # it speaks, and a rule has heard it
        key = pool.route.name, pool.site.name
        failures = self._failures[key] = 1 if pool.settled else self._failures.get(key, 0) + 1
        pool.settled = False
        pause = throttles.backoff(failures, reply)
        if pool.route.kind is not RouteKind.MX:  # our own relay: people wait for it to come back
            pause /= 10
        action = Action("suspend", pause.total_seconds(), None, None)
        self._make(pool.route, pool.site.name, action, reply, Throttle.Maker.FAILURE)

    def _on_refusal(self, pool: Pool, reply: Reply) -> None:
        pace = self._paces[pool.route.name, pool.site.group]
        if action := pace.hear(reply):
            self._make(pool.route, pool.site.group, action, reply, Throttle.Maker.RULE)

    def _make(self, route: Route, scope: str, action: Action, reply: Reply, maker: Throttle.Maker) -> None:
        """Suspend or slow down: here at once, everywhere within a second or two."""
        until = datetime.now(UTC) + timedelta(seconds=action.seconds)
        row = {
            "route": route.name,
            "scope": scope,
            "rate": 0.0 if action.kind == "suspend" else action.rate or 0.0,
            "connections": action.connections,
            "until": until,
            "reason": replies.reason_of(reply).value if reply.code else "network_error",
            "code": reply.code,
            "text": reply.text,
            "host": reply.host,
            "made_by": maker.value,
        }
        self._making.append(row)
        self._board.add(row)
        logger.warning("%s on %s is held back until %s: %s %s", scope, route.name, until, reply.code, reply.text)
        for pool in self._pools.values():
            self._restrain(pool)


def _postpone(transaction: Transaction, due_at: datetime) -> None:
    assert isinstance(transaction, Letter)
    transaction.postpone(due_at)
