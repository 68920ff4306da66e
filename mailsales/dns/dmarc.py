"""Whether a mail's author domain is authenticated, and what its owner asks of mail that is not: DMARC, RFC 9989.

The organizational domain is found in DNS itself (§4.10), by no list of public suffixes. RFC 9989 obsoletes RFC 7489.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from mailsales.dns.dmarc_record import Fault, Policy, Record, is_record, parse
from mailsales.dns.questions import DnsTrouble, NoSuchDomain, Questions, a_labels, absolute

MOST_LABELS = 7  # of a domain above the one that a walk begins at: eight questions (§4.10)
MOST_SECONDS = 20.0
MILDER: dict[Policy, Policy] = {"reject": "quarantine", "quarantine": "none", "none": "none"}  # t=y (§4.7)

Word = Literal["none", "pass", "fail", "temperror", "permerror"]
Mechanism = Literal["spf", "dkim"]


@dataclass(frozen=True)
class Step:
    """One question of a walk: the domain, and the record at its `_dmarc`; `count` is how many there are, and must be 1."""

    domain: str
    record: Record | None
    count: int


@dataclass(frozen=True)
class Walk:
    """What was found from a domain up to the root, the longest name first (§4.10).

    `trouble` is why the walk ended before its time, "" where it did not; what it would have shown then raises DnsTrouble.
    """

    domain: str
    steps: tuple[Step, ...]
    trouble: str = ""

    @property
    def found(self) -> tuple[tuple[str, Record], ...]:
        """The domains that have a record, each with it."""
        return tuple((step.domain, step.record) for step in self.steps if step.record)

    @property
    def crowded(self) -> tuple[str, ...]:
        """The domains that have several records, and so none."""
        return tuple(step.domain for step in self.steps if step.count > 1)

    @cached_property
    def organizational_domain(self) -> str:
        """The domain at the top of what one organization has (§4.10.2)."""
        for domain, record in self.found:
            if record.psd == "n":
                return domain
            if record.psd == "y" and domain != self.domain:
                depth = domain.count(".") + 2
                return ".".join(self.domain.split(".")[-depth:])
        if self.trouble:
            raise DnsTrouble(self.trouble)
        return self.found[-1][0] if self.found else self.domain

    @cached_property
    def policy(self) -> tuple[str, Record] | None:
        """The policy domain and its record: the domain's own, its organization's or its public suffix's (§4.10.1)."""
        records = dict(self.found)
        if self.domain in records:
            return self.domain, records[self.domain]
        suffixes = [domain for domain, record in self.found if record.psd == "y"]
        for domain in (self.organizational_domain, *suffixes):
            if domain in records:
                return domain, records[domain]
        return None


@dataclass(frozen=True)
class Identifier:
    """A domain that SPF or DKIM has authenticated, and whether it is aligned with the author domain (§4.4)."""

    mechanism: Mechanism
    domain: str
    is_aligned: bool
    organizational_domain: str = ""  # "" where it did not matter


@dataclass(frozen=True)
class Result:
    """What DMARC says of a mail. `policy` is to be applied if the result is "fail", and "none" where there is no record.

    A domain that is not there, or not to be learned, is "". `crowded` are domains with several records, which are all ignored.
    """

    word: Word
    policy: Policy = "none"
    policy_domain: str = ""
    organizational_domain: str = ""
    record: Record | None = None
    identifiers: tuple[Identifier, ...] = ()
    crowded: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong in the record."""
        return self.record.faults if self.record else ()


def evaluate(questions: Questions, *, author: str, spf: str = "", dkim: Sequence[str] = ()) -> Result:
    """Return DMARC's result for the author domain, given the domains that passed SPF (MAIL FROM) and DKIM (§5.3).

    "permerror" is an author domain that cannot be one, "temperror" a question without answer that mattered. It takes 20
    seconds at most.
    """
    try:
        absolute(author)
    except NoSuchDomain as error:
        return Result("permerror", trouble=str(error))
    with questions.within(MOST_SECONDS):
        return _Evaluation(questions, a_labels(author)).result(spf, dkim)


def walk(questions: Questions, domain: str) -> Walk:
    """Return the walk from the domain, in A-labels, up to where a record says that it is the end."""
    steps: list[Step] = []
    for target in targets(domain):
        try:
            step = _step(questions, target)
        except DnsTrouble as error:
            return Walk(domain, tuple(steps), str(error))
        steps.append(step)
        if step.record and step.record.psd != "u":
            break
    return Walk(domain, tuple(steps))


def targets(domain: str) -> Iterator[str]:
    """Yield the domains of a walk: itself, then its parents of at most seven labels (§4.10)."""
    labels = domain.split(".")
    yield domain
    for depth in range(min(len(labels) - 1, MOST_LABELS), 0, -1):
        yield ".".join(labels[-depth:])


def applied(record: Record, *, is_below: bool, exists: bool = True) -> Policy:
    """Return what the record asks for: for its own domain or, with `is_below`, for one that is there or not (§4.10.1)."""
    if record.acts_as_none or not record.p:
        return "none"
    policy: Policy = record.p
    if is_below:
        policy = (record.np if not exists else "") or record.sp or record.p
    return MILDER[policy] if record.is_test else policy


def _step(questions: Questions, domain: str) -> Step:
    try:
        texts = [text for text in questions.txt(f"_dmarc.{domain}") if is_record(text)]
    except NoSuchDomain:
        texts = []
    return Step(domain, parse(texts[0]) if len(texts) == 1 else None, len(texts))


@dataclass
class _Evaluation:
    questions: Questions
    author: str
    walks: dict[str, Walk] = field(default_factory=dict)

    def result(self, spf: str, dkim: Sequence[str]) -> Result:
        """Return the result, "temperror" where DNS does not answer what must be known (§5.3.6)."""
        found = self.walk(self.author)
        try:
            if not found.policy or found.policy[1].is_void:
                return self._without_policy(found)
            domain, record = found.policy
            identifiers, trouble = self.identifiers(record, spf, dkim)
            is_pass = any(identifier.is_aligned for identifier in identifiers)
            if trouble and not is_pass:
                raise DnsTrouble(trouble)
            policy = self.policy(domain, record, may_guess=is_pass)
        except DnsTrouble as error:
            return Result("temperror", crowded=found.crowded, trouble=str(error))
        word: Word = "pass" if is_pass else "fail"
        organizational = "" if found.trouble else found.organizational_domain
        return Result(word, policy, domain, organizational, record, tuple(identifiers), found.crowded)

    def _without_policy(self, found: Walk) -> Result:
        """Return that DMARC does not apply: no record, or one that asks for nothing (§4.10.1)."""
        record = found.policy[1] if found.policy else None
        organizational = "" if found.trouble else found.organizational_domain
        return Result("none", "none", "", organizational, record, crowded=found.crowded)

    def walk(self, domain: str) -> Walk:
        if domain not in self.walks:
            self.walks[domain] = walk(self.questions, domain)
        return self.walks[domain]

    def policy(self, domain: str, record: Record, *, may_guess: bool) -> Policy:
        """Return what is to be done with a mail that fails (§4.10.1); whether the author domain exists `may_guess`."""
        is_below, exists = domain != self.author, True
        if is_below and record.np:
            try:
                exists = self.questions.exists(self.author)
            except DnsTrouble:
                if not may_guess:
                    raise
        return applied(record, is_below=is_below, exists=exists)

    def identifiers(self, record: Record, spf: str, dkim: Sequence[str]) -> tuple[list[Identifier], str]:
        """Return what is authenticated, and the trouble that hid whether something else is aligned, if any."""
        found, trouble = [], ""
        passed: list[tuple[Mechanism, str, bool]] = [("spf", spf, record.spf_is_strict)] if spf else []
        passed += [("dkim", domain, record.dkim_is_strict) for domain in dkim if domain]
        for mechanism, domain, is_strict in passed:
            try:
                found.append(self.identifier(mechanism, domain, is_strict=is_strict))
            except DnsTrouble as error:
                trouble = str(error)
        return found, trouble

    def identifier(self, mechanism: Mechanism, domain: str, *, is_strict: bool) -> Identifier:
        """Return whether the domain is aligned with the author domain (§4.10.2). Raise DnsTrouble."""
        try:
            absolute(domain)
        except NoSuchDomain:
            return Identifier(mechanism, domain, is_aligned=False)
        domain = a_labels(domain)
        if domain == self.author or is_strict:
            return Identifier(mechanism, domain, domain == self.author)
        organizational = self.walk(domain).organizational_domain
        is_aligned = organizational == self.walk(self.author).organizational_domain
        return Identifier(mechanism, domain, is_aligned, organizational)
