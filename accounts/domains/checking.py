"""What DNS says of a sending domain, asked of its own name servers, and what becomes of the domain by it.

The proof makes an account the holder of a domain, and no two may be: whoever is first. Trouble with name servers never
breaks a domain: what was found before still counts. What receivers need is little: one aligned mechanism that passes
(RFC 9989 §5.3), and a return path that takes what comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from accounts.audit import note_of_system
from accounts.domains import dkim_looks, name_looks, notices, rotation, sender_looks
from accounts.domains.findings import Finding, State, findings_of
from accounts.domains.neighbours import mailbox_domain
from accounts.domains.records import Need, keys_of, spf_name_of
from accounts.models import DkimKey, Domain
from mailsales.dns.authority import AuthoritativeQuestions
from mailsales.dns.questions import DnsTrouble, Questions

MOST_SECONDS = 45.0  # for all questions of one check
PASSES_OVER = timedelta(days=30)  # from a holder whose proof is gone to another account
NOT_THERE = (State.BAD, State.MISSING)


def check(domain: Domain, questions: AuthoritativeQuestions | None = None) -> list[Finding]:
    """Return what DNS says now, in the order of the records. A domain that is not saved is judged without its records."""
    asked = questions or _questions()
    with asked.within(MOST_SECONDS):
        return list(_look(asked, domain))


def recheck(domain: Domain, questions: AuthoritativeQuestions | None = None) -> list[Finding]:
    """Check the domain, save what was found and what it means, and return it; tell its owners if it broke or mended."""
    asked, at = questions or _questions(), now()
    fresh = check(domain, asked)
    _note_keys(domain, fresh, at)
    if rotation.welcome(domain, at):
        fresh = check(domain, asked)
    with transaction.atomic():
        domain = Domain.objects.select_for_update(of=("self",)).select_related("account").get(pk=domain.pk)
        found = _remembered(findings_of(domain), fresh, at)
        if not domain.is_proven and _is(found, "proof"):
            found = found if _hold(domain, at) else [_held_elsewhere(domain), *found[1:]]
        _save(domain, found, at)
    return found


def state_of(domain: Domain, found: list[Finding]) -> Domain.State:
    """Return what the findings mean for the domain."""
    if not domain.is_proven:
        return Domain.State.UNPROVEN
    if any(finding.standing in NOT_THERE for finding in found if finding.key in ("proof", "return-mx", "alignment")):
        return Domain.State.BROKEN
    if any(finding.is_pressing and not finding.is_of_installation for finding in found):
        return Domain.State.PARTLY
    return Domain.State.GOOD


# -- what is looked at -------------------------------------------------------------------------


def _questions() -> AuthoritativeQuestions:
    return AuthoritativeQuestions(settings.DNS_SERVERS, allows_private=settings.ALLOW_PRIVATE_MX)


def _look(questions: AuthoritativeQuestions, domain: Domain) -> Iterator[Finding]:
    name, addresses = domain.name, sender_looks.sending_addresses(questions)
    if domain.pk:
        yield name_looks.proof_of(questions, domain)
    author = sender_looks.spf_of(questions, "spf", name, addresses)
    yield author
    signed = list(dkim_looks.keys(questions, domain))
    yield from signed
    yield sender_looks.dmarc_of(questions, name, spf_name_of(domain))
    if domain.pk:
        path = list(_return_path(questions, domain, addresses))
        yield from path
        yield _alignment(questions, domain, signed, path[-1])
    if domain.tracking_host:
        yield name_looks.tracking_of(questions, domain.tracking_host)
    yield name_looks.receiving_of(questions, name)
    for address in settings.SENDING_ADDRESSES:
        yield name_looks.identity_of(questions, address)
    yield name_looks.zone_of(questions, name)
    yield from name_looks.optional_of(questions, name)


def _return_path(questions: Questions, domain: Domain, addresses: list[str]) -> Iterator[Finding]:
    """Yield what is found of the return path, and last its SPF record."""
    mailbox, need = mailbox_domain(domain), Need.REQUIRED
    if mailbox:
        yield Finding("return-mx", State.GOOD, "return_mailbox", {"name": mailbox})
        need = Need.OPTIONAL  # others' domains need not allow us to send
    else:
        yield name_looks.return_path_of(questions, domain.bounce_name)
    yield sender_looks.spf_of(questions, "return-spf", spf_name_of(domain), addresses, need)


def _alignment(questions: Questions, domain: Domain, signed: list[Finding], envelope: Finding) -> Finding:
    """Return which mechanisms authenticate the domain of From. Not everybody verifies Ed25519: RSA alone counts."""
    selectors = {key.selector for key in keys_of(domain) if key.state == DkimKey.State.CURRENT}
    rsa = [one for one in signed if one.key.removeprefix("dkim-") in selectors and one.need == Need.REQUIRED]
    is_unknown = any(one.state == State.UNKNOWN for one in (*rsa, envelope))
    has_dkim = any(one.state in (State.GOOD, State.WARN) for one in rsa)
    has_spf = envelope.state in (State.GOOD, State.WARN)
    values = {"name": domain.name}
    try:
        has_spf = has_spf and sender_looks.is_spf_aligned(questions, domain.name, spf_name_of(domain))
    except DnsTrouble:
        has_spf, is_unknown = False, True
    if has_dkim and has_spf:
        return Finding("alignment", State.GOOD, "align_both", values)
    if is_unknown:
        return Finding("alignment", State.UNKNOWN, "align_dkim" if has_dkim else "trouble", {**values, "detail": ""})
    if has_dkim or has_spf:
        is_mailbox = has_dkim and envelope.need == Need.OPTIONAL
        return Finding(
            "alignment", State.GOOD if is_mailbox else State.WARN, "align_dkim" if has_dkim else "align_spf", values
        )
    return Finding("alignment", State.BAD, "align_none", values)


# -- what becomes of the domain ----------------------------------------------------------------


def _is(found: list[Finding], key: str) -> bool:
    return any(finding.key == key and finding.state == State.GOOD for finding in found)


def _remembered(former: list[Finding], fresh: list[Finding], at: datetime) -> list[Finding]:
    """Return the findings with what was found before where DNS was in trouble, and since when something is not there."""
    known = {finding.key: finding for finding in former}
    return [_with_memory(finding, known.get(finding.key), at) for finding in fresh]


def _with_memory(finding: Finding, former: Finding | None, at: datetime) -> Finding:
    if finding.state == State.UNKNOWN and former and former.standing != State.UNKNOWN:
        values = {**former.values, "was": former.standing.value, "trouble": finding.values.get("detail") or "?"}
        return replace(former, state=State.UNKNOWN, values=values)
    if finding.state in NOT_THERE:
        since = former.values.get("since") if former and former.standing in NOT_THERE else None
        return replace(finding, values={**finding.values, "since": since or at.isoformat()})
    return finding


def _hold(domain: Domain, at: datetime) -> bool:
    """Make the account the holder of the domain; return False when another one is.

    Only a worker sees the other one's row, and lets the domain pass over; a page meets the constraint alone.
    """
    others = Domain.objects.select_for_update().proven().filter(name=domain.name).exclude(pk=domain.pk)
    for holder in others:
        if _has_lost(holder, at):
            holder.proven_at, holder.state, holder.broken_since = None, Domain.State.UNPROVEN, None
            holder.save(update_fields=["proven_at", "state", "broken_since"])
            note_of_system(holder.account, "domain.lost", holder.name)
    domain.proven_at = at
    try:
        with transaction.atomic():
            domain.save(update_fields=["proven_at"])
    except IntegrityError:
        domain.proven_at = None
        return False
    note_of_system(domain.account, "domain.proven", domain.name)
    return True


def _has_lost(holder: Domain, at: datetime) -> bool:
    """Return whether the holder's proof has been gone for so long that another account may have the domain."""
    proof = next((finding for finding in findings_of(holder) if finding.key == "proof"), None)
    since = parse_datetime(str(proof.values.get("since", ""))) if proof else None
    return since is not None and since <= at - PASSES_OVER


def _held_elsewhere(domain: Domain) -> Finding:
    return Finding("proof", State.BAD, "proof_held", {"domain": domain.name, "name": domain.proof_name})


def _save(domain: Domain, found: list[Finding], at: datetime) -> None:
    """Save the check; the owners hear once that the domain broke, and once that it is well."""
    was_broken = domain.state == Domain.State.BROKEN
    domain.state = state_of(domain, found)
    domain.findings, domain.checked_at = [finding.stored() for finding in found], at
    domain.is_tracking_ready = any(one.key == "tracking" and one.standing == State.GOOD for one in found)
    is_broken = domain.state == Domain.State.BROKEN
    domain.broken_since = (domain.broken_since or at) if is_broken else None
    domain.save(update_fields=["state", "findings", "checked_at", "is_tracking_ready", "broken_since"])
    if is_broken and not was_broken:
        notices.warn_of_break(domain, found)
    elif was_broken and domain.is_proven and not is_broken:
        notices.tell_of_recovery(domain)


def _note_keys(domain: Domain, found: list[Finding], at: datetime) -> None:
    """Note when each key was first seen in DNS."""
    seen = [one.key.removeprefix("dkim-") for one in found if one.key.startswith("dkim-") and one.state == State.GOOD]
    domain.keys.filter(selector__in=seen, published_at=None).update(published_at=at)
