"""The rules of Gmail, Yahoo, Microsoft and docomo for those who send much, each beside what was measured here.

Sources: Google, “Email sender guidelines” (support.google.com/mail/answer/81126) and its FAQ (/answer/14229414);
Yahoo, “Sender Best Practices” (senders.yahooinc.com/best-practices); Microsoft, “Strengthening Email Ecosystem:
Outlook's New Requirements for High-Volume Senders” (techcommunity.microsoft.com, 2025-05-05: 550 5.7.515); docomo,
“なりすましメール対策” and “ブロック対策” (docomo.ne.jp/service/imode_mail_notice, SPF on the domain of the header From,
which must have an A or MX record; a warning without DMARC since 2024-10). RFC 8058 rules one-click unsubscribing.

Complaint rates are at most 0.1 % and never 0.3 % (Gmail; Yahoo has the second alone). Gmail sends no reports of single
complaints, so what is measured here is the least there is; its Postmaster Tools know more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.domains.findings import Finding, State, findings_of
from accounts.models import BlocklistAnswer, Domain
from mailsales.badges import Tone
from mailsales.dns.blocklist_table import BLOCKLISTS
from reports.charts import percent
from reports.domain_figures import Figures, figures_of, organization_of

GMAIL, YAHOO, MICROSOFT, DOCOMO, AU, SOFTBANK = "Gmail", "Yahoo", "Microsoft", "docomo", "au", "SoftBank"
ENOUGH = 1_000  # sent: with fewer, one complaint alone is above 0.1 %
ENOUGH_TRIED = 100
COMPLAINT_WARN, COMPLAINT_BAD = 0.001, 0.003
HARD_WARN, HARD_BAD = 0.02, 0.05
TLS_GOOD = 0.99
BULK = 5_000  # a day to one provider, of the whole organizational domain
ICONS: dict[Tone, str] = {
    "good": "circle-check",
    "warn": "triangle-alert",
    "bad": "octagon-x",
    "": "circle-question-mark",
}
TONES: dict[State, Tone] = {
    State.GOOD: "good",
    State.WARN: "warn",
    State.BAD: "bad",
    State.MISSING: "bad",
    State.UNKNOWN: "",
}
WORST: list[Tone] = ["bad", "warn", "", "good"]


@dataclass(frozen=True)
class Line:
    """One rule, with what was measured. `by` are those who demand it; `links` lead to the lists that name us."""

    title: str
    text: str
    tone: Tone
    by: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()

    @property
    def icon(self) -> str:
        return ICONS[self.tone]

    @property
    def icon_class(self) -> str:
        return f"icon icon--{self.tone}" if self.tone else "icon"

    @property
    def demanded_by(self) -> str:
        return _("Demanded by %(names)s") % {"names": _(", ").join(self.by)}


@dataclass(frozen=True)
class Scorecard:
    lines: Sequence[Line]
    is_of_sandbox: bool  # nothing has left the installation: the figures are of mail that it kept


def scorecard_of(domain: Domain) -> Scorecard:
    """Return the score card of a domain."""
    account, found = domain.account, findings_of(domain)
    figures = figures_of(account, domain)
    lines = [*_authentication(found), *_figures(figures, domain), *_blocklists(domain)]
    is_of_sandbox = not domain.is_proven or (account.route or settings.DEFAULT_ROUTE) == "sandbox"
    return Scorecard(lines, is_of_sandbox)


# -- what the last check found -----------------------------------------------------------------


def _authentication(found: Sequence[Finding]) -> Iterator[Line]:
    yield _of_findings("SPF", [f for f in found if f.key in ("spf", "return-spf")], (GMAIL, YAHOO, MICROSOFT, DOCOMO))
    signing = [f for f in found if f.key.startswith("dkim-") and not f.code.startswith("dkim_next")]
    yield _of_findings("DKIM", signing, (GMAIL, YAHOO, MICROSOFT))
    yield _of_findings("DMARC", [f for f in found if f.key == "dmarc"], (GMAIL, YAHOO, MICROSOFT, DOCOMO))
    aligned = [f for f in found if f.key == "alignment"]
    yield _of_findings(_("The sender’s domain matches"), aligned, (GMAIL, YAHOO, MICROSOFT))
    receiving = [f for f in found if f.code.startswith("from_")]
    yield _of_findings(_("The domain can be answered"), receiving, (DOCOMO, MICROSOFT))
    identity = [f for f in found if f.key.startswith("identity")]
    yield _of_findings(_("Names of our servers"), identity, (GMAIL, YAHOO, DOCOMO))


def _of_findings(title: str, found: Sequence[Finding], by: tuple[str, ...]) -> Line:
    """Return the worst of the findings as a line."""
    if not found:
        return Line(title, _("Not checked yet."), "", by)
    worst = min(found, key=lambda finding: WORST.index(TONES[finding.state]))
    return Line(title, _("%(sentence)s.") % {"sentence": worst.title}, TONES[worst.state], by)


# -- what was measured -------------------------------------------------------------------------


def _figures(figures: Figures, domain: Domain) -> Iterator[Line]:
    yield _encryption(figures)
    text = _("It is in every email, as a button of the mail app and as a link.")
    yield Line(_("One-click unsubscribe"), text, "good", (GMAIL, YAHOO))
    yield _complaints(figures)
    yield _hard(figures)
    yield _volume(figures, organization_of(domain))


def _encryption(figures: Figures) -> Line:
    title = _("Encryption")
    if not figures.sessions:
        return Line(title, _("There was no connection yet. We use TLS wherever the receiver offers it."), "", (GMAIL,))
    text = _("%(share)s of %(count)s connections of this installation were encrypted.")
    said = text % {"share": percent(figures.encrypted, figures.sessions), "count": _number(figures.sessions)}
    return Line(title, said, "good" if figures.encrypted >= TLS_GOOD * figures.sessions else "warn", (GMAIL,))


def _complaints(figures: Figures) -> Line:
    title, by = _("Spam reports"), (GMAIL, YAHOO, MICROSOFT)
    counts = {"count": _number(figures.complaints), "sent": _number(figures.sent)}
    if figures.sent < ENOUGH and figures.complaints < ENOUGH * COMPLAINT_BAD:
        return Line(title, _("%(count)s of %(sent)s emails. These are too few to tell.") % counts, "", by)
    rate = figures.complaints / max(figures.sent, 1)
    tone: Tone = "bad" if rate >= COMPLAINT_BAD else "warn" if rate >= COMPLAINT_WARN else "good"
    text = _(
        "%(share)s (%(count)s of %(sent)s emails). Stay below 0.1%%; at 0.3%% providers refuse. "
        "Gmail tells its figures only in its Postmaster Tools."
    )
    return Line(title, text % {"share": f"{rate:.2%}", **counts}, tone, by)


def _hard(figures: Figures) -> Line:
    title, by = _("Unknown addresses"), (MICROSOFT, DOCOMO, AU, SOFTBANK)
    counts = {"count": _number(figures.hard), "sent": _number(figures.tried)}
    if figures.tried < ENOUGH_TRIED:
        return Line(title, _("%(count)s of %(sent)s emails. These are too few to tell.") % counts, "", by)
    rate = figures.hard / figures.tried
    tone: Tone = "bad" if rate >= HARD_BAD else "warn" if rate >= HARD_WARN else "good"
    text = _("%(share)s (%(count)s of %(sent)s emails). When it nears 2%%, review your older lists.")
    return Line(title, text % {"share": percent(figures.hard, figures.tried), **counts}, tone, by)


def _volume(figures: Figures, organization: str) -> Line:
    most = max(figures.gmail, figures.microsoft)
    values = {"gmail": _number(figures.gmail), "microsoft": _number(figures.microsoft), "name": organization}
    text = _("On the busiest day %(gmail)s to Gmail and %(microsoft)s to Microsoft, from %(name)s and all below it.")
    rule = (
        _("From 5,000 a day on, every rule of this list is enforced; at Gmail for good.")
        if most >= BULK
        else _("From 5,000 a day on, every rule of this list would be enforced.")
    )
    return Line(_("Volume"), f"{text % values} {rule}", "good", (GMAIL, MICROSOFT))


# -- block lists -------------------------------------------------------------------------------


def _blocklists(domain: Domain) -> Iterator[Line]:
    names = [*settings.SENDING_ADDRESSES, domain.name]
    answers = list(BlocklistAnswer.objects.filter(name__in=names).order_by("list", "name"))
    listed = [answer for answer in answers if answer.state == BlocklistAnswer.State.LISTED]
    clean = sum(answer.state == BlocklistAnswer.State.CLEAN for answer in answers)
    title, by = _("Block lists"), (GMAIL, YAHOO, MICROSOFT, DOCOMO)
    values = {"clean": clean, "silent": len(answers) - clean - len(listed)}
    if listed:
        text = _("%(names)s is listed: ask for removal once the cause is gone.")
        named = sorted({answer.name for answer in listed})
        yield Line(title, text % {"names": _(", ").join(named)}, "bad", by, tuple(map(_link, listed)))
    elif clean:
        yield Line(title, _("Not listed: %(clean)s answers. No answer: %(silent)s.") % values, "good", by)
    else:
        yield Line(title, _("No list has answered yet, so nothing can be said."), "", by)


def _link(answer: BlocklistAnswer) -> tuple[str, str]:
    """Return the name of the list and the page that explains it."""
    known = next((one for one in BLOCKLISTS if answer.list in (one.zone, one.title)), None)
    return (known.title, known.page) if known else (answer.list, "")


def _number(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
