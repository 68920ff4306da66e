"""Whether receivers find our servers allowed to send (RFC 7208), and what the owner demands of them (RFC 9989)."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from accounts.domains.findings import Finding, State
from accounts.domains.records import Need
from accounts.domains.spf_terms import FULL_NAME
from mailsales.dns import dmarc, spf
from mailsales.dns.dmarc_record import Record
from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions

NOBODY = "192.0.2.1"  # RFC 5737: an address that nobody sends from
CODES = {
    "two_records": "spf_two",
    "bad_term": "spf_term",
    "no_record": "spf_no_record",
    "too_many_lookups": "spf_lookups",
    "too_many_voids": "spf_voids",
    "too_many_hosts": "spf_hosts",
    "no_domain": "spf_missing",
    "trouble": "spf_trouble",
}


def sending_addresses(questions: Questions) -> list[str]:
    """Return the addresses of our servers: those of the settings, or else those of the name that they greet with."""
    if settings.SENDING_ADDRESSES or not FULL_NAME.fullmatch(settings.EHLO_NAME):
        return list(settings.SENDING_ADDRESSES)
    try:
        return questions.a(settings.EHLO_NAME) + questions.aaaa(settings.EHLO_NAME)
    except (NoSuchDomain, DnsTrouble):
        return []


def spf_of(questions: Questions, key: str, name: str, addresses: Sequence[str], need: Need = Need.REQUIRED) -> Finding:
    """Return whether all addresses may send as the domain; `key` says in which role it is looked at."""

    def found(state: State, code: str, **values: object) -> Finding:
        return Finding(key, state, code, {"name": name, **values}, need)

    try:
        texts = spf.record_texts(questions, name)
    except DnsTrouble as error:
        return found(State.UNKNOWN, "spf_trouble", detail=str(error))
    text = "\n".join(texts)
    if not texts:
        return found(State.MISSING, "spf_missing")
    if len(texts) > 1:
        return found(State.BAD, "spf_two", count=len(texts), found=text)
    if not addresses:
        return found(State.UNKNOWN, "spf_no_addresses", found=text)
    results = {ip: _check(questions, ip, name) for ip in addresses}
    for result in results.values():
        if result.word in ("temperror", "permerror"):
            state = State.UNKNOWN if result.word == "temperror" else State.BAD
            return found(state, _code(result), **{**_values(result), "found": text})
    if outside := [ip for ip, result in results.items() if result.word != "pass"]:
        return found(State.BAD, "spf_not_covered", addresses=outside, found=text)
    return _of_others(
        found(State.GOOD, "spf_good", addresses=list(addresses), found=text), _check(questions, NOBODY, name)
    )


def _of_others(good: Finding, others: spf.Result) -> Finding:
    """Return what to say of a record that covers us, by what it says of an address that is nobody's."""
    state, code, values = good.state, good.code, {"lookups": len(others.lookups)}
    shown: dict[str, object] = {**good.values, **values}
    if others.word == "pass":
        state, code = State.BAD, "spf_everyone"
        shown["term"] = others.matched
    elif others.word == "permerror":
        state, code = State.WARN, _code(others)
        shown |= _values(others)
    elif others.word == "neutral":
        state, code = State.WARN, "spf_open"
    return Finding(good.key, state, code, shown, good.need)


def _check(questions: Questions, ip: str, name: str) -> spf.Result:
    return spf.check_host(questions, ip=ip, sender=f"postmaster@{name}", helo=settings.EHLO_NAME)


def _code(result: spf.Result) -> str:
    return CODES[result.problem.code] if result.problem else "spf_trouble"


def _values(result: spf.Result) -> dict[str, str]:
    values = {"term": "", "detail": "", "domain": result.domain, "of": result.domain, "count": ""}
    return values | (result.problem.values if result.problem else {})


def dmarc_of(questions: Questions, name: str, envelope: str) -> Finding:
    """Return the policy that receivers find for the domain, its own or inherited (RFC 9989 §4.10).

    `envelope` is the domain of envelope senders, which a strict policy may not accept.
    """
    where = {"name": f"_dmarc.{name}"}
    walk = dmarc.walk(questions, name)
    own = dict(walk.found).get(name)
    if name in walk.crowded:
        count = next(step.count for step in walk.steps if step.domain == name)
        return Finding("dmarc", State.BAD, "dmarc_two", {**where, "count": count})
    if own:
        return _own_policy(own, where, name, envelope)
    try:
        policy = walk.policy
    except DnsTrouble as error:
        return Finding("dmarc", State.UNKNOWN, "trouble", {"detail": str(error)})
    if walk.trouble and not policy:
        return Finding("dmarc", State.UNKNOWN, "trouble", {"detail": walk.trouble})
    if not policy or policy[1].is_void:
        return Finding("dmarc", State.MISSING, "dmarc_missing", where)
    above, record = policy
    asked = dmarc.applied(record, is_below=True)
    values = {"name": name, "of": above, "policy": asked, "found": record.text}
    return Finding("dmarc", State.GOOD, "dmarc_inherited", values)


def _own_policy(record: Record, where: dict[str, str], name: str, envelope: str) -> Finding:
    if record.is_void or record.acts_as_none:
        return Finding("dmarc", State.BAD, "dmarc_invalid", {**where, "seen": record.text})
    values = {**where, "policy": dmarc.applied(record, is_below=False), "found": record.text}
    if not record.rua:
        values["found"] = f"{record.text.rstrip('; ')}; rua=mailto:postmaster@{name}"
        return Finding("dmarc", State.WARN, "dmarc_no_reports", values)
    if record.spf_is_strict and envelope != name:
        return Finding("dmarc", State.WARN, "dmarc_strict", values)
    return Finding("dmarc", State.GOOD, "dmarc_own", values)


def is_spf_aligned(questions: Questions, author: str, envelope: str) -> bool:
    """Return whether SPF's domain may stand for the author domain (RFC 9989 §4.4). Raise DnsTrouble."""
    found = dmarc.walk(questions, author)
    if found.trouble:
        raise DnsTrouble(found.trouble)
    if not found.policy:  # nothing says where the organization begins
        return envelope == author or envelope.endswith(f".{author}")
    identifiers = dmarc.evaluate(questions, author=author, spf=envelope)
    if identifiers.word == "temperror":
        raise DnsTrouble(identifiers.trouble)
    return any(identifier.is_aligned for identifier in identifiers.identifiers)
