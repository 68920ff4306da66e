"""Walks in processes of their own, two at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.ledger.model.delivery import Delivery
from tests.ledger.model.exploration import Verdict, explore
from tests.ledger.model.words import Bounds, Job


def check(job: Job) -> Verdict:
    """Walk one scenario or mutant."""
    name, what = job
    return explore(name, Delivery(what) if isinstance(what, Bounds) else what)


def check_all(jobs: Iterable[Job]) -> Iterator[Verdict]:
    """Walk them all, and return what is found in their order as soon as it is known."""
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        yield from pool.map(check, jobs)
