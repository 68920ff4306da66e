"""How fast mail may go where: groups of destinations, their limits, and rules that listen to replies.

All of it is data: `shaping.toml`, with SHAPING_FILE laid over it. A group is a provider with several names, or else a set
of MX hosts (RFC 5321 §5.1) however many domains it serves, since limits are those of servers. Limits hold for the whole
installation on one route; `delivery/shares.py` divides them among the worker processes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from delivery.shaping_file import ShapingError, read
from delivery.smtp import Reply
from mailsales.providers import Provider

OURS = Path(__file__).with_name("shaping.toml")
LONGEST_NAME = 255
OWN = ("relay", "sandbox")  # groups that are no destinations: "relay mail.example.jp:25"
SECONDS = {"second": 1, "minute": 60, "hour": 3600}
Kind = Literal["suspend", "slow"]

__all__ = ["Action", "Limits", "Rule", "ShapingError", "Table", "load"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What the whole installation may do to a group on one route. `rate` is messages a second; None is no limit."""

    connections: int
    messages_per_connection: int
    seconds_per_connection: float
    rate: float | None
    is_tls_required: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """Send nothing for so many seconds (`suspend`), or no faster than `rate` messages a second (`slow`)."""

    kind: Kind
    seconds: float
    rate: float | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Take the action after `times` fitting replies within an hour. Without `commands` it listens to all of them."""

    pattern: re.Pattern[str]
    times: int
    action: Action
    source: str
    commands: frozenset[str] = frozenset()

    def fits(self, reply: Reply) -> bool:
        if self.commands and reply.command not in self.commands:
            return False
        return self.pattern.search(f"{reply.code} {reply.text}") is not None


@dataclass(frozen=True, slots=True)
class Group:
    """A provider's servers, or one of the entries default, relay and sandbox."""

    label: str
    provider: Provider
    limits: Limits
    rules: tuple[Rule, ...]


class Table:
    """What `shaping.toml` and SHAPING_FILE say. It never changes, and any thread may ask it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        usual = _limits(data["default"])
        self._default = Group("", Provider.OTHER, usual, _rules(data))
        self._own = {name: Group("", Provider.OTHER, _limits(data[name], usual), _rules(data[name])) for name in OWN}
        self._groups: dict[str, Group] = {}
        self._domains: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        for name, entry in data["groups"].items():
            rules = (*_rules(entry), *self._default.rules)
            provider = Provider(entry.get("provider", Provider.OTHER))
            self._groups[name] = Group(entry.get("label") or name, provider, _limits(entry, usual), rules)
            self._domains |= dict.fromkeys(map(str.lower, entry.get("domains", ())), name)
            self._hosts |= dict.fromkeys(map(str.lower, entry.get("hosts", ())), name)

    def group_of(self, hosts: tuple[str, ...], domain: str) -> str:
        """Return the name of the group of a domain with these MX hosts: a provider's, or the sorted hosts themselves.

        A host without a dot gets one, so that nobody who calls a server “docomo” is taken for docomo.
        """
        if found := _suffix(domain, self._domains):
            return found
        names = sorted({_plain(host) for host in hosts})
        groups = {_suffix(name, self._hosts) for name in names}
        only = groups.pop() if len(groups) == 1 else None
        return only or " ".join(name if "." in name else f"{name}." for name in names)[:LONGEST_NAME]

    def __iter__(self) -> Iterator[str]:
        """Walk through the names of the providers' groups."""
        return iter(self._groups)

    def label(self, group: str) -> str:
        """Return what people call it: the provider, else the first of its hosts."""
        is_own = group.partition(" ")[0] in OWN
        return self._group(group).label or (group if is_own else group.partition(" ")[0])

    def provider(self, group: str) -> Provider:
        return self._group(group).provider

    def limits(self, group: str) -> Limits:
        return self._group(group).limits

    def rules(self, group: str) -> tuple[Rule, ...]:
        """Return the group's own rules, then those for all destinations. A relay has only its own, the sandbox none."""
        return self._group(group).rules

    def _group(self, name: str) -> Group:
        return self._groups.get(name) or self._own.get(name.partition(" ")[0]) or self._default


@cache
def load(path: str = "") -> Table:
    """Return the table, once per process; `path` is that of SHAPING_FILE. Raise ShapingError in plain words."""
    data = tomllib.loads(OURS.read_text())
    return Table(_over(data, read(Path(path)), "") if path else data)


def rate_of(text: str) -> float | None:
    """Return messages a second of a rate as it is written; empty is no limit."""
    number, _slash, unit = text.partition("/")
    return float(number) / SECONDS[unit.strip()] if text else None


# -- inside ------------------------------------------------------------------------------------


def _over(ours: Any, theirs: Any, key: str) -> Any:
    """Return theirs laid over ours, key by key; rules come before ours and replace those with the same pattern."""
    if key == "rules":
        patterns = {rule["pattern"] for rule in theirs}
        return [*theirs, *(rule for rule in ours if rule["pattern"] not in patterns)]
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return ours | {name: _over(ours.get(name, []), theirs[name], name) for name in theirs}
    return theirs


def _limits(entry: Mapping[str, Any], usual: Limits | None = None) -> Limits:
    usual = usual or Limits(10, 100, 300.0, None)
    return replace(
        usual,
        connections=entry.get("connections", usual.connections),
        messages_per_connection=entry.get("messages_per_connection", usual.messages_per_connection),
        seconds_per_connection=float(entry.get("seconds_per_connection", usual.seconds_per_connection)),
        rate=rate_of(entry["rate"]) if "rate" in entry else usual.rate,
        is_tls_required=entry.get("requires_tls", usual.is_tls_required),
    )


def _rules(entry: Mapping[str, Any]) -> tuple[Rule, ...]:
    return tuple(_rule(each) for each in entry.get("rules", ()) if each.get("times", 1))


def _rule(entry: Mapping[str, Any]) -> Rule:
    kind: Kind = entry["action"]
    assert kind in get_args(Kind)
    rate = rate_of(entry["rate"]) if kind == "slow" else None
    return Rule(
        re.compile(entry["pattern"], re.IGNORECASE),
        entry.get("times", 1),
        Action(kind, entry["minutes"] * 60.0, rate, entry.get("connections") if kind == "slow" else None),
        entry.get("source", ""),
        frozenset(entry.get("commands", ())),
    )


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _suffix(name: str, known: Mapping[str, str]) -> str | None:
    """Return what is known of the name or of the nearest name above it."""
    rest = _plain(name)
    while rest:
        if rest in known:
            return known[rest]
        rest = rest.partition(".")[2]
    return None
