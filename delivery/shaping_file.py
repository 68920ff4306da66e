"""Reading SHAPING_FILE, so that whoever wrote it learns which key is wrong, and what would be right."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mailsales.providers import Provider

COMMANDS = {"connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot"}  # delivery/smtp.py, Reply
RATE = re.compile(r"\d+(\.\d+)?/(second|minute|hour)")


class ShapingError(Exception):
    """SHAPING_FILE is wrong. The text names file and key; `hint` says what to do."""

    def __init__(self, text: str, hint: str) -> None:
        super().__init__(text)
        self.hint = hint


Check = Callable[[Any], str]  # returns what the value should have been, or nothing


def read(path: Path) -> dict[str, Any]:
    """Return what the file says. Raise ShapingError when it cannot be read, or says something that is not known."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ShapingError(
            f"{path} cannot be read: {error.strerror}.", "Give SHAPING_FILE the path of a TOML file."
        ) from error
    except ValueError as error:  # of TOML, and of UTF-8
        raise ShapingError(
            f"{path} is not TOML: {error}.", "delivery/shaping.toml is an example of the form."
        ) from error
    for name, value in data.items():
        match name, value:
            case "groups", dict():
                for group, entry in value.items():
                    _check_entry(path, f"groups.{group}", entry, LIMITS | NAMES)
            case "rules", list():
                _check_rules(path, "rules", value)
            case (("default" | "relay" | "sandbox"), dict()):
                _check_entry(path, name, value, LIMITS)
            case _:
                raise ShapingError(
                    f"{path}: “{name}” is no table that is known.",
                    "There are [default], [relay], [sandbox], [groups.NAME] and [[rules]].",
                )
    return data


# -- inside ------------------------------------------------------------------------------------


def _whole(low: int, high: int) -> Check:
    return lambda value: "" if type(value) is int and low <= value <= high else f"a whole number from {low} to {high}"


def _number(low: float, high: float) -> Check:
    return lambda value: (
        "" if type(value) in (int, float) and low <= value <= high else f"a number from {low:g} to {high:g}"
    )


def _rate(value: Any) -> str:
    is_right = isinstance(value, str) and (not value or (RATE.fullmatch(value) and float(value.partition("/")[0]) > 0))
    return "" if is_right else 'a rate such as "10/second", "30/minute" or "500/hour"'


def _slow_rate(value: Any) -> str:
    return _rate(value or None)


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return "a regular expression"
    try:
        re.compile(value)
    except re.error as error:
        return f"a regular expression ({error})"
    return ""


def _one_of(*words: str) -> Check:
    return lambda value: "" if value in words else f"one of {', '.join(words)}"


def _names(value: Any) -> str:
    is_right = isinstance(value, list) and all(isinstance(name, str) and name for name in value)
    return "" if is_right else 'a list of names such as ["example.jp"]'


def _commands(value: Any) -> str:
    is_right = isinstance(value, list) and all(name in COMMANDS for name in value)
    return "" if is_right else f"a list of {', '.join(sorted(COMMANDS))}"


def _truth(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else "a text"


LIMITS: dict[str, Check] = {
    "connections": _whole(1, 1_000),
    "messages_per_connection": _whole(1, 100_000),
    "seconds_per_connection": _number(1, 3_600),
    "rate": _rate,
    "requires_tls": _truth,
    "source": _text,
}
NAMES: dict[str, Check] = {
    "label": _text,
    "provider": _one_of(*Provider.values),
    "hosts": _names,
    "domains": _names,
}
RULE: dict[str, Check] = {
    "pattern": _pattern,
    "times": _whole(0, 100_000),
    "action": _one_of("suspend", "slow"),
    "minutes": _number(0.1, 10_080),
    "rate": _slow_rate,
    "connections": _whole(1, 1_000),
    "commands": _commands,
    "source": _text,
}


def _check_entry(path: Path, place: str, entry: Any, known: Mapping[str, Check]) -> None:
    if not isinstance(entry, dict):
        raise ShapingError(f"{path}: {place} is not a table.", f"Write [{place}] and its keys below.")
    rules = entry.get("rules", [])
    _check_keys(path, place, {key: value for key, value in entry.items() if key != "rules"}, known)
    _check_rules(path, f"{place}.rules", rules)


def _check_rules(path: Path, place: str, rules: Any) -> None:
    if not isinstance(rules, list):
        raise ShapingError(f"{path}: {place} is not a list of tables.", f"Write [[{place}]] with two brackets.")
    for number, rule in enumerate(rules, 1):
        if not isinstance(rule, dict):
            raise ShapingError(f"{path}: {place} is not a list of tables.", f"Write [[{place}]] with two brackets.")
        needed = {"pattern", "action", "minutes"} | ({"rate"} if rule.get("action") == "slow" else set())
        if rule.get("times") == 0:
            needed = {"pattern"}
        if missing := needed - rule.keys():
            text = f"{path}: the {number}. of {place} has no {', no '.join(sorted(missing))}."
            raise ShapingError(text, "A rule has pattern, action and minutes, and rate where it slows down.")
        _check_keys(path, f"{place} ({number}.)", rule, RULE)


def _check_keys(path: Path, place: str, entry: Mapping[str, Any], known: Mapping[str, Check]) -> None:
    for key, value in entry.items():
        if key not in known:
            raise ShapingError(f"{path}: {place} has no key “{key}”.", f"Known are {', '.join(known)}.")
        if wanted := known[key](value):
            raise ShapingError(f"{path}: {place}.{key} is {value!r}, not {wanted}.", f"Write {key} as {wanted}.")
