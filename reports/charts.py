"""Shapes of charts as templates draw them: parts of a bar and lines over time, by numbers alone (server-side SVG)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise

Words = str | Promise


@dataclass(frozen=True)
class Part:
    """One part of a bar. `x` and `width` are per cent from the left; `href` and `action` lead to the people behind it."""

    tone: str
    name: Words
    count: int
    share: str
    x: float
    width: float
    text: Words = ""
    action: Words = ""
    href: str = ""


@dataclass(frozen=True)
class Line:
    tone: str
    points: str
    area: str


@dataclass(frozen=True)
class Key:
    """An entry of a legend."""

    tone: str
    name: Words
    value: str = ""
    is_line: bool = True


@dataclass(frozen=True)
class Chart:
    label: Words
    names: list[str]
    lines: list[Line]
    ticks: list[str]
    legend: list[Key]
    columns: list[Words]
    rows: list[tuple[object, ...]]
    grid: list[int] = field(default_factory=lambda: [0, 25, 50, 75])


def percent(part: int, whole: int) -> str:
    """Return a share with one decimal; of nothing it is 0%."""
    return f"{100 * part / whole:.1f}%" if whole else "0%"


def bar(*parts: tuple[str, Words, int, Words] | tuple[str, Words, int, Words, Words, str]) -> list[Part]:
    """Return the parts of a bar from (tone, name, count, text[, action, href]), side by side."""
    total, x, made = sum(part[2] for part in parts), 0.0, []
    for tone, name, count, text, *rest in parts:
        width = 100 * count / total if total else 0.0
        action, href = (rest[0], str(rest[1])) if rest else ("", "")
        made.append(Part(tone, name, count, percent(count, total), round(x, 3), round(width, 3), text, action, href))
        x += width
    return made


def ceiling(value: float) -> int:
    """Return a round number at or above the value, fit for four grid lines."""
    step = 10 ** math.floor(math.log10(max(value, 1)))
    factors = (1, 1.2, 1.6, 2, 2.4, 3, 4, 6, 8, 10)
    return max(4, next(int(step * factor) for factor in factors if step * factor >= value))


def lines(
    label: Words,
    names: list[str],
    series: Sequence[tuple[str, Words, Sequence[int]]],
    columns: list[Words],
    row_names: Sequence[str],
) -> Chart:
    """Return a chart of (tone, name, values), all of one length; the first has its area filled."""
    top = ceiling(max((max(values, default=0) for _tone, _name, values in series), default=0))
    drawn = []
    for place, (tone, _name, values) in enumerate(series):
        step = 100 / max(len(values) - 1, 1)
        points = " ".join(f"{i * step:.2f},{100 - 100 * value / top:.2f}" for i, value in enumerate(values))
        drawn.append(Line(tone, points, f"0,100 {points} 100,100" if place == 0 else ""))
    ticks = [f"{top * part // 4:,}" for part in (4, 3, 2, 1, 0)]
    rows = list(zip(row_names, *(values for _tone, _name, values in series), strict=True))
    return Chart(label, names, drawn, ticks, [Key(tone, name) for tone, name, _values in series], columns, rows)
