"""The text of a DMARC policy record, RFC 9989 §4.7 and §4.8: what is wrong in it is left out, and told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast

VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")  # the value's case matters (§4.8)
TAG = re.compile(r"(?P<name>[a-z]+)[ \t]*=[ \t]*(?P<value>[\x20-\x3a\x3c-\x7e]+)", re.IGNORECASE)
URI = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*):(?P<rest>[^\s,!<>\"{}|\\^`]+)(?P<size>![0-9]+[kmgt]?)?", re.IGNORECASE)
POLICIES = ("none", "quarantine", "reject")
VALUES = {
    "p": POLICIES,
    "sp": POLICIES,
    "np": POLICIES,
    "psd": ("y", "n", "u"),
    "t": ("y", "n"),
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
}
LISTS = ("rua", "ruf", "fo")
REMOVED = ("pct", "rf", "ri")  # of RFC 7489
OPTIONS = frozenset("01ds")  # of fo

Policy = Literal["none", "quarantine", "reject"]
Suffix = Literal["y", "n", "u"]
FaultCode = Literal[
    "bad_tag",  # "tag" is not written as name=value
    "bad_value",  # "tag" cannot have the "value"
    "bad_uri",  # "value" in "tag" is nowhere to send to
    "old_size",  # "value" in "tag" has a size limit, which is ignored now
    "removed_tag",  # "tag" was in RFC 7489 and is ignored now
    "unknown_tag",  # "tag" is none of RFC 9989's
    "twice",  # "tag" stands again: the first counts
    "no_policy",  # neither p nor rua: the record does nothing
]


@dataclass(frozen=True)
class Fault:
    code: FaultCode
    tag: str = ""
    value: str = ""


@dataclass(frozen=True)
class Record:
    """A policy record. "" is a tag that is not there, or that no receiver can read; `rua` and `ruf` are without sizes.

    `is_void`: no DMARC applies to what it is found for (§4.10.1). `acts_as_none`: it counts as `p=none`, whatever it says.
    """

    text: str
    p: Policy | Literal[""] = ""
    sp: Policy | Literal[""] = ""
    np: Policy | Literal[""] = ""
    psd: Suffix = "u"
    is_test: bool = False
    dkim_is_strict: bool = False
    spf_is_strict: bool = False
    fo: tuple[str, ...] = ("0",)
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    is_void: bool = False
    acts_as_none: bool = False
    faults: tuple[Fault, ...] = ()


@dataclass
class _Reading:
    values: dict[str, str] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    uris: dict[str, tuple[str, ...]] = field(default_factory=dict)
    options: tuple[str, ...] = ("0",)
    faults: list[Fault] = field(default_factory=list)


def is_record(text: str) -> bool:
    """Return whether a TXT record is one of DMARC: it begins with its version (§4.7)."""
    return bool(VERSION.match(text))


def parse(text: str) -> Record:
    """Return the record whose text begins as `is_record` demands."""
    reading = _Reading()
    seen: set[str] = set()
    for part in text.split(";")[1:]:
        if part.strip(" \t"):
            _read_tag(part.strip(" \t"), reading, seen)
    values = reading.values
    is_lacking = "p" not in values or bool(reading.wrong & {"sp", "np"})
    is_void = is_lacking and not reading.uris.get("rua")
    faults = [*reading.faults, *([Fault("no_policy")] if is_void else [])]
    return Record(
        text,
        p=_policy(values, "p"),
        sp=_policy(values, "sp"),
        np=_policy(values, "np"),
        psd=cast(Suffix, values.get("psd", "u")),
        is_test=values.get("t") == "y",
        dkim_is_strict=values.get("adkim") == "s",
        spf_is_strict=values.get("aspf") == "s",
        fo=reading.options,
        rua=reading.uris.get("rua", ()),
        ruf=reading.uris.get("ruf", ()),
        is_void=is_void,
        acts_as_none=is_lacking and not is_void,
        faults=tuple(faults),
    )


def _policy(values: dict[str, str], name: str) -> Policy | Literal[""]:
    """Return a tag of which VALUES has let in nothing else."""
    return cast('Policy | Literal[""]', values.get(name, ""))


def _read_tag(part: str, reading: _Reading, seen: set[str]) -> None:
    found = TAG.fullmatch(part)
    if not found:
        name = part.partition("=")[0].strip(" \t").lower()
        if name not in seen:
            reading.wrong.add(name)
        reading.faults.append(Fault("bad_tag", part))
        return
    name, value = found["name"].lower(), found["value"].strip(" \t")
    if name in seen:
        reading.faults.append(Fault("twice", name))
        return
    seen.add(name)
    if name in VALUES:
        _read_choice(name, value, reading)
    elif name in LISTS:
        _read_list(name, value, reading)
    else:
        reading.faults.append(Fault("removed_tag" if name in REMOVED else "unknown_tag", name))


def _read_choice(name: str, value: str, reading: _Reading) -> None:
    if value.lower() in VALUES[name]:
        reading.values[name] = value.lower()
    else:
        reading.wrong.add(name)
        reading.faults.append(Fault("bad_value", name, value))


def _read_list(name: str, value: str, reading: _Reading) -> None:
    if name == "fo":
        options = tuple(option.strip().lower() for option in value.split(":"))
        if set(options) <= OPTIONS and len(set(options)) == len(options) and not {"0", "1"} <= set(options):
            reading.options = options
        else:
            reading.faults.append(Fault("bad_value", name, value))
        return
    uris = []
    for text in filter(None, (part.strip(" \t") for part in value.split(","))):
        found = URI.fullmatch(text)
        if not found or (found["scheme"].lower() == "mailto" and "@" not in found["rest"].strip("@")):
            reading.faults.append(Fault("bad_uri", name, text))
            continue
        if found["size"]:
            reading.faults.append(Fault("old_size", name, text))
        uris.append(f"{found['scheme']}:{found['rest']}")
    reading.uris[name] = tuple(uris)
