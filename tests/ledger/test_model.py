"""The protocol in all interleavings within brief bounds, and its mutants: each must be caught."""

from __future__ import annotations

from unittest import TestCase

from tests.ledger.model import mutants, scenarios
from tests.ledger.model.pool import check_all


class ModelTestCase(TestCase):
    def test_every_invariant_holds(self) -> None:
        for verdict in check_all(scenarios.jobs(scenarios.BRIEF)):
            with self.subTest(verdict.name):
                self.assertEqual(verdict.broken, "", "\n".join(verdict.trace))
                self.assertGreater(verdict.states, 10)

    def test_every_mutant_is_caught(self) -> None:
        jobs = mutants.jobs()
        self.assertGreater(len(jobs), 20)
        for verdict in check_all(jobs):
            with self.subTest(verdict.name):
                self.assertTrue(verdict.broken)
