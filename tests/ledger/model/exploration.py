"""The checker: a walk through all states of a model, breadth first."""

from __future__ import annotations

import time
from array import array
from dataclasses import dataclass, field

from tests.ledger.model.words import Model


@dataclass
class Verdict:
    """What a walk found: the first broken invariant with its shortest trace, or that all held."""

    name: str
    states: int = 0
    steps: int = 0
    seconds: float = 0.0
    broken: str = ""
    trace: list[str] = field(default_factory=list)


def explore(name: str, model: Model) -> Verdict:
    """Walk all states breadth first, check each step, then check that each state can still finish."""
    began, start = time.perf_counter(), model.start()
    numbers, states, parents = {start: 0}, [start], array("l", [-1])
    sources, targets = array("l"), array("l")  # steps that are no faults
    verdict, at = Verdict(name), 0
    canonical, broken = model.canonical, model.broken
    while at < len(states):
        state = states[at]
        for _, after, promise, is_fault in model.steps(state):
            verdict.steps += 1
            key = canonical(after)
            to = numbers.get(key)
            bad = promise or (broken(state, after) if key != state else "")
            if bad:
                return _violation(verdict, model, began, bad, _path(states, parents, at), key)
            if to is None:
                to = numbers[key] = len(states)
                states.append(key)
                parents.append(at)
            if not is_fault:
                sources.append(at)
                targets.append(to)
        at += 1
    verdict.states = len(states)
    stuck = _first_stuck(model, states, sources, targets)
    if stuck is not None:
        bad = "L1 from every state all messages can still come to an end"
        return _violation(verdict, model, began, bad, _path(states, parents, stuck), None)
    verdict.seconds = time.perf_counter() - began
    return verdict


def _first_stuck(model: Model, states: list[bytes], sources: array[int], targets: array[int]) -> int | None:
    """Return the first state from which no fault-free path leads to the end, or None."""
    heads, order = array("l", bytes(8 * (len(states) + 1))), array("l", bytes(8 * len(targets)))
    for to in targets:
        heads[to + 1] += 1
    for i in range(len(states)):
        heads[i + 1] += heads[i]
    free = heads[:]
    for source, to in zip(sources, targets, strict=False):
        order[free[to]] = source
        free[to] += 1
    can_finish = bytearray(model.finished(state) for state in states)
    queue = [i for i, yes in enumerate(can_finish) if yes]
    while queue:
        to = queue.pop()
        for source in order[heads[to] : heads[to + 1]]:
            if not can_finish[source]:
                can_finish[source] = 1
                queue.append(source)
    stuck = can_finish.find(0)
    return None if stuck < 0 else stuck


def _path(states: list[bytes], parents: array[int], at: int) -> list[bytes]:
    path = []
    while at >= 0:
        path.append(states[at])
        at = parents[at]
    return path[::-1]


def _violation(
    verdict: Verdict, model: Model, began: float, bad: str, path: list[bytes], last: bytes | None
) -> Verdict:
    """Tell the path again from the start, so that workers and messages keep their numbers."""
    state = path[0]
    for key in [*path[1:], *([last] if last is not None else [])]:
        for (words, w, m), after, promise, _ in model.steps(state):
            is_last = key is last
            if model.canonical(after) == key and (not is_last or promise or model.broken(state, after)):
                verdict.trace.append(words.format(w=w + 1, m=m + 1))
                state = bytes(after)
                break
    verdict.broken, verdict.states, verdict.seconds = bad, len(path), time.perf_counter() - began
    return verdict
