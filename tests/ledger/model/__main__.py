"""Check the delivery protocol: `python -m tests.ledger.model`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.ledger.model import mutants, scenarios
from tests.ledger.model.exploration import Verdict
from tests.ledger.model.pool import check, check_all
from tests.ledger.model.scenarios import DEEP, SHORT
from tests.ledger.model.words import Bounds


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the delivery protocol in all interleavings within bounds.")
    parser.add_argument("--deep", action="store_true", help="wider bounds (minutes)")
    parser.add_argument("--mutants", action="store_true", help="show that each broken protocol is caught")
    parser.add_argument("--trace", metavar="MUTANT", help="tell the shortest way to the failure of one mutant")
    options = parser.parse_args()
    if options.trace:
        show_scenario(check((options.trace, dict(mutants.jobs())[options.trace])))
        return 0
    return check_mutants() if options.mutants else check_scenarios(DEEP if options.deep else SHORT)


def check_mutants() -> int:
    began, caught = time.perf_counter(), []
    for verdict in check_all(mutants.jobs()):
        show_mutant(verdict)
        caught.append(bool(verdict.broken))
    print(f"{sum(caught)} of {len(caught)} mutants caught in {time.perf_counter() - began:.0f} s")
    return int(not all(caught))


def check_scenarios(form: list[Bounds]) -> int:
    began, verdicts = time.perf_counter(), []
    for verdict in check_all(scenarios.jobs(form)):
        show_scenario(verdict)
        verdicts.append(verdict)
    outcome = "BROKEN" if any(verdict.broken for verdict in verdicts) else "every invariant holds"
    states, steps = sum(verdict.states for verdict in verdicts), sum(verdict.steps for verdict in verdicts)
    print(f"{states:,} states, {steps:,} steps, {time.perf_counter() - began:.0f} s: {outcome}")
    return int(outcome == "BROKEN")


def show_scenario(verdict: Verdict) -> None:
    outcome = f"BROKEN: {verdict.broken}" if verdict.broken else "holds"
    print(
        f"{verdict.states:>9,} states {verdict.steps:>10,} steps {verdict.seconds:6.1f} s  {verdict.name}: {outcome}",
        flush=True,
    )
    for number, words in enumerate(verdict.trace, 1):
        print(f"    {number:2}. {words}", flush=True)


def show_mutant(verdict: Verdict) -> None:
    outcome = f"caught in {len(verdict.trace)} steps: {verdict.broken}" if verdict.broken else "NOT CAUGHT"
    print(f"  {verdict.name:<38} {outcome}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
