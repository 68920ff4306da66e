"""The protocol in all interleavings within brief bounds, and its mutants: each must be caught."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from unittest import TestCase

from tests.ledger.model import BRIEF, MUTANTS, Bounds, Doorbell, Model, Start, Verdict, check

Job = tuple[str, Model | Bounds]


def check_all(jobs: list[Job]) -> list[Verdict]:
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(check, jobs))


class ModelTestCase(TestCase):
    def test_every_invariant_holds(self) -> None:
        jobs: list[Job] = [(bounds.name, bounds) for bounds in BRIEF if isinstance(bounds, Bounds)]
        jobs += [("lanes", Doorbell(3)), ("start and fan-out", Start(3))]
        for verdict in check_all(jobs):
            with self.subTest(verdict.name):
                self.assertEqual(verdict.broken, "", "\n".join(verdict.trace))
                self.assertGreater(verdict.states, 10)

    def test_every_mutant_is_caught(self) -> None:
        jobs: list[Job] = [
            (name, replace(what, mutant=name) if isinstance(what, Bounds) else what) for name, what in MUTANTS
        ]
        self.assertGreater(len(jobs), 20)
        for verdict in check_all(jobs):
            with self.subTest(verdict.name):
                self.assertTrue(verdict.broken)
