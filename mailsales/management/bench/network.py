"""`bench slow` and `bench delay`: direct MX to a small world on the loopback, with name server, mail servers and distance."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailsales.management.bench.mailing import cancel, count_of, make_campaign, remove, send, start, wait
from mailsales.management.bench.sink_process import BenchFailed, Sink, own_sink, process
from mailsales.management.bench.workers import Processes, workers

SLOW_SECONDS = 10.0
SLOW_EVERY = 20  # destinations: every twentieth is slow
DELAY_SECONDS = 0.05  # each way
FAR_DESTINATIONS = 50


@dataclass(frozen=True)
class World:
    """Where mail goes (the route), and the sink that takes it."""

    route: str
    sink: Sink
    workers: Processes


def measure_slow(recipients: int) -> dict[str, Any]:
    """Return what the other 95 % lose when 5 % of the recipients are at a server that takes 10 s for each message."""
    alone = _rate_of_fast(recipients, is_slow=False)
    beside = _rate_of_fast(recipients, is_slow=True)
    return {
        "recipients": recipients,
        "slow_share": 1 / SLOW_EVERY,
        "messages_per_second_alone": round(alone, 1),
        "messages_per_second_beside_slow": round(beside, 1),
        "cost": round(1 - beside / alone, 3),
    }


def measure_delay(recipients: int) -> dict[str, Any]:
    """Return the rates to 50 destinations with no delay and with 50 ms each way, through the same relaying process."""
    rates = [_rate_at(recipients, seconds) for seconds in (0.0, DELAY_SECONDS)]
    return {
        "recipients": recipients,
        "destinations": FAR_DESTINATIONS,
        "delay_ms_each_way": 1e3 * DELAY_SECONDS,
        "messages_per_second_near": round(rates[0], 1),
        "messages_per_second_far": round(rates[1], 1),
        "ratio": round(rates[1] / rates[0], 3),
    }


# -- inside ------------------------------------------------------------------------------------


def _rate_of_fast(recipients: int, *, is_slow: bool) -> float:
    """Return messages a second of the recipients at fast servers; the first run has them all there."""
    wanted = recipients - recipients // SLOW_EVERY
    with _two_servers(is_slow=is_slow) as world:
        campaign = make_campaign(world.route, recipients, SLOW_EVERY)
        try:
            start(campaign)
            wait(lambda: count_of(campaign, "sent") >= (wanted if is_slow else recipients), "send to the fast servers")
            received = world.sink.finish()
            assert received
            return (received.messages - 1) / (received.last_at - received.first_at)
        finally:
            cancel(campaign)
            remove(campaign.account)


def _rate_at(recipients: int, seconds: float) -> float:
    with _far_servers(seconds) as world:
        campaign = make_campaign(world.route, recipients, FAR_DESTINATIONS)
        try:
            send(campaign)
            received = world.sink.finish()
            assert received
            if len(set(received.recipients)) != recipients:
                raise BenchFailed(f"The sink took mail for {len(set(received.recipients))} of {recipients} recipients.")
            return (received.messages - 1) / (received.last_at - received.first_at)
        finally:
            remove(campaign.account)


@contextmanager
def _two_servers(*, is_slow: bool) -> Iterator[World]:
    """Run one server for all destinations, or with it a slow one at the same port for every twentieth."""
    with ExitStack() as stack:
        fast = stack.enter_context(own_sink("127.1.0.1"))
        stack.enter_context(own_sink("127.2.0.1", fast.port, SLOW_SECONDS))
        hosts = ["mx.slow" if is_slow and not n else "mx.fast" for n in range(SLOW_EVERY)]
        zone = [f"host{n}.bench.example. MX 10 {host}.example." for n, host in enumerate(hosts)]
        zone += ["mx.fast.example. A 127.1.0.1", "mx.slow.example. A 127.2.0.1"]
        yield stack.enter_context(_world(zone, fast, fast.port))


@contextmanager
def _far_servers(seconds: float) -> Iterator[World]:
    """Run one server behind a process that delays, which has an address for each destination."""
    addresses = [f"127.1.0.{n + 1}" for n in range(FAR_DESTINATIONS)]
    with ExitStack() as stack:
        sink = stack.enter_context(own_sink("127.0.0.1"))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place = [",".join(addresses), "0", str(sink.port), str(seconds)]
        _child, port = stack.enter_context(process("delaying", folder / "port", *place))
        zone = [f"host{n}.bench.example. MX 10 mx{n}.example." for n in range(FAR_DESTINATIONS)]
        zone += [f"mx{n}.example. A {address}" for n, address in enumerate(addresses)]
        yield stack.enter_context(_world(zone, sink, port))


@contextmanager
def _world(zone: list[str], sink: Sink, port: int) -> Iterator[World]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "zone").write_text("\n".join(zone) + "\n")
        _child, names = stack.enter_context(process("names", folder / "port", str(folder / "zone")))
        environment = {"DNS_SERVERS": f"127.0.0.1:{names}", "ALLOW_PRIVATE_MX": "yes"}
        yield World(f"mx?port={port}", sink, stack.enter_context(workers(environment)))
