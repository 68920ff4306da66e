"""Whether the keys of a domain stand in DNS as they sign (RFC 6376 §3.6.1, RFC 8463, RFC 8301)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from accounts.domains.findings import Finding, State
from accounts.domains.keys import PREFIXES
from accounts.domains.records import Need, keys_of
from accounts.models import DkimKey, Domain
from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions

KEPT = timedelta(days=14)  # a replaced key, for mail that is still on its way
STALE = 3  # selectors before the oldest that we know


def keys(questions: Questions, domain: Domain) -> Iterator[Finding]:
    """Yield what is found of each key, and of those that were there before."""
    found = keys_of(domain)
    for key in found:
        yield from _old(questions, key) if key.state == DkimKey.State.OLD else [_look(questions, key)]
    for prefix in PREFIXES.values():
        yield from _stale(questions, domain, prefix, found)


def is_published(questions: Questions, key: DkimKey) -> bool:
    """Return whether receivers can verify with the key now. Raise DnsTrouble."""
    return _judged(_texts(questions, key.record_name), key)[0] in (State.GOOD, State.WARN)


def _look(questions: Questions, key: DkimKey) -> Finding:
    is_current = key.state == DkimKey.State.CURRENT
    is_required = is_current and key.algorithm == DkimKey.Algorithm.RSA
    name, need = f"dkim-{key.selector}", Need.REQUIRED if is_required else Need.RECOMMENDED
    try:
        state, code, values = _judged(_texts(questions, key.record_name), key)
    except DnsTrouble as error:
        return Finding(name, State.UNKNOWN, "trouble", {"detail": str(error)}, need)
    if not is_current and code in ("good", "missing"):
        code = f"next_{code}"
    return Finding(name, state, f"dkim_{code}", {"name": key.record_name, **values}, need)


def _texts(questions: Questions, name: str) -> list[str]:
    try:
        return questions.txt(name)
    except NoSuchDomain:
        return []


def _judged(texts: list[str], key: DkimKey) -> tuple[State, str, dict[str, Any]]:
    """Return the state, the code and its values. Several records are one that was split wrongly, or two keys."""
    if not texts:
        return State.MISSING, "missing", {}
    if len(texts) > 1:
        is_split = not any(_is_ours(_tags(text).get("p", ""), key) for text in texts)
        return State.BAD, "cut" if is_split else "two", {"count": len(texts)}
    tags = _tags(texts[0])
    public = tags.get("p", "")
    if wrong := _wrong_tag(tags, key):
        return State.BAD, "invalid", {"tag": wrong}
    if not public:
        return State.BAD, "revoked" if "p" in tags else "other", {}
    if not _is_ours(public, key):
        is_cut = '"' in public or key.public_key.startswith(public)
        return State.BAD, "cut" if is_cut else "other", {}
    return (State.WARN, "testing", {}) if "y" in tags.get("t", "").split(":") else (State.GOOD, "good", {})


def _tags(text: str) -> dict[str, str]:
    """Return the tags of a record, without the blanks that may stand anywhere in them (RFC 6376 §3.2)."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}


def _wrong_tag(tags: dict[str, str], key: DkimKey) -> str:
    """Return the tag that keeps receivers from using the key, or nothing."""
    kind = "rsa" if key.algorithm == DkimKey.Algorithm.RSA else "ed25519"
    allowed = {"v": {"DKIM1"}, "k": {kind}, "h": {"sha256"}, "s": {"email", "*"}}
    given = {"k": "rsa", **tags}
    wrong = [name for name, values in allowed.items() if name in given and not set(given[name].split(":")) & values]
    return next((f"{name}={given[name]}" for name in wrong), "")


def _is_ours(public: str, key: DkimKey) -> bool:
    """Return whether it is the key's public half, in either form in which an RSA key is written."""
    if public == key.public_key:
        return True
    try:
        theirs, ours = (load_der_public_key(b64decode(text)) for text in (public, key.public_key))
    except (ValueError, UnsupportedAlgorithm):
        return False
    is_rsa = isinstance(theirs, RSAPublicKey) and isinstance(ours, RSAPublicKey)
    return is_rsa and theirs.public_numbers() == ours.public_numbers()  # type: ignore[union-attr]


def _old(questions: Questions, key: DkimKey) -> Iterator[Finding]:
    """Yield that a replaced key's record must stay for now."""
    assert key.retired_at
    try:
        is_there = bool(_texts(questions, key.record_name))
    except DnsTrouble:
        return
    values = {"name": key.record_name, "until": f"{key.retired_at + KEPT:%Y-%m-%d}"}
    if is_there:
        yield Finding(f"old-{key.selector}", State.GOOD, "dkim_old_kept", values, Need.OPTIONAL)


def _stale(questions: Questions, domain: Domain, prefix: str, known: list[DkimKey]) -> Iterator[Finding]:
    """Yield the records of keys that were deleted since, which may go."""
    own = re.compile(prefix + r"(\d+)")
    numbers = [int(found[1]) for key in known if (found := own.fullmatch(key.selector))]
    for number in range(max(1, min(numbers, default=1) - STALE), min(numbers, default=1)):
        selector = f"{prefix}{number}"
        name = f"{selector}._domainkey.{domain.name}"
        try:
            is_there = any("p" in _tags(text) for text in _texts(questions, name))
        except DnsTrouble:
            return
        if is_there:
            yield Finding(f"old-{selector}", State.WARN, "dkim_old_stale", {"name": name}, Need.OPTIONAL)
