"""What the page of a sending domain says: its records with what was found of them, and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.conf import settings
from django.utils.dateformat import format as date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.domains.findings import NOT_YET, Finding, State, findings_of
from accounts.domains.neighbours import mailbox_domain
from accounts.domains.records import LONGEST_STRING, Need, Record, records_of
from accounts.domains.rotation import AGE
from accounts.models import DkimKey, Domain
from mailsales.badges import Badge

STATES: dict[Domain.State, Badge] = {
    Domain.State.UNPROVEN: Badge(Domain.State.UNPROVEN.label, "hourglass", "warn"),
    Domain.State.GOOD: Badge(Domain.State.GOOD.label, "check", "good"),
    Domain.State.PARTLY: Badge(Domain.State.PARTLY.label, "triangle-alert", "warn"),
    Domain.State.BROKEN: Badge(Domain.State.BROKEN.label, "octagon-x", "bad"),
}
NEEDS = list(Need)


@dataclass(frozen=True)
class Row:
    """A record of the page. `finding` is None when the last check did not look at it."""

    record: Record
    finding: Finding | None

    @property
    def badge(self) -> Badge:
        """Return the state; of what is optional, nothing is wrong with not being there."""
        if self.finding is None:
            return NOT_YET
        badge = self.finding.badge
        is_left_out = self.record.need == Need.OPTIONAL and self.finding.state == State.MISSING
        return Badge(badge.label, "minus") if is_left_out else badge

    @property
    def is_pressing(self) -> bool:
        """Return whether the record is still to be added, or to be changed."""
        if self.finding is None:
            return self.record.need != Need.OPTIONAL
        return self.finding.is_pressing

    @property
    def is_long(self) -> bool:
        """Return whether the value does not fit into one string of a TXT record (RFC 1035 §3.3)."""
        return self.record.kind == "TXT" and len(self.record.value) > LONGEST_STRING


@dataclass(frozen=True)
class Notice:
    """The message at the top of the page; `tone` as of badges."""

    tone: Literal["", "warn", "bad"]
    icon: str
    title: str
    text: str


@dataclass(frozen=True)
class Fact:
    name: str
    value: str
    is_code: bool = False


@dataclass(frozen=True)
class Guide:
    """Everything that the page shows of DNS. `others` are findings that belong to no record."""

    domain: Domain
    rows: Sequence[Row]
    optional: Sequence[Row]
    others: Sequence[Finding]

    @property
    def badge(self) -> Badge:
        return badge_of(self.domain)

    @property
    def pressing(self) -> list[Row]:
        return [row for row in self.rows if row.is_pressing]

    @property
    def mailbox(self) -> str:
        """Return the domain of the mailbox that takes what comes back, or nothing where an MX record leads it here."""
        return mailbox_domain(self.domain)

    @property
    def keys(self) -> list[Fact]:
        """Return which keys sign, which come next and when."""
        return _keys(self.domain)

    @property
    def good(self) -> int:
        return len(self.rows) - len(self.pressing)

    @property
    def notice(self) -> Notice | None:
        """Return what to do next, or None when nothing is left."""
        if held := next((row.finding for row in self.rows if row.finding and row.finding.code == "proof_held"), None):
            rule = _("A domain serves only the account that proved it.")
            return Notice("bad", "lock", held.title, f"{held.text} {rule}")
        if self.domain.checked_at is None:
            return _first_notice(len(self.rows))
        if self.domain.state == Domain.State.BROKEN:
            text = _("Campaigns from it wait until this is right again.")
            return Notice(
                "bad", "octagon-x", _("Nothing is sent from this domain at present"), f"{self._what()} {text}"
            )
        if missing := len(self.pressing) + len(self._pressing_others):
            return Notice("warn", "triangle-alert", _left(missing), self._what())
        return None

    @property
    def _pressing_others(self) -> list[Finding]:
        """Return what else the owner has to change; what the operator of the installation must is not counted."""
        return [finding for finding in self.others if finding.is_pressing and not finding.is_of_installation]

    def _what(self) -> str:
        """Return what is missing in a few words, the most important first."""
        said = [row.finding.title for row in self.pressing if row.finding]
        said += [finding.title for finding in self._pressing_others]
        return " ".join(_("%(sentence)s.") % {"sentence": each} for each in said[:3])


def guide_of(domain: Domain) -> Guide:
    """Return the guide of a domain: what is required stands first."""
    found = {finding.key: finding for finding in findings_of(domain)}
    rows = [Row(record, found.pop(record.key, None)) for record in records_of(domain)]
    rows.sort(key=lambda row: NEEDS.index(row.record.need))
    needed = [row for row in rows if row.record.need != Need.OPTIONAL]
    return Guide(domain, needed, [row for row in rows if row.record.need == Need.OPTIONAL], list(found.values()))


def badge_of(domain: Domain) -> Badge:
    return STATES[Domain.State(domain.state)]


def summary_of(domain: Domain) -> str:
    """Return in one sentence what the last check found."""
    if domain.checked_at is None:
        return _("Not checked yet. Add the records first.")
    found = [finding for finding in findings_of(domain) if finding.is_pressing and not finding.is_of_installation]
    pressing = sorted(found, key=lambda finding: not finding.is_failure)
    return pressing[0].title if pressing else _("Everything is in place.")


def fate_of(domain: Domain) -> str:
    """Return in words what becomes of emails from the domain."""
    if domain.is_proven and (domain.account.route or settings.DEFAULT_ROUTE) == "sandbox":
        text = _("%(domain)s is confirmed, but this account sends everything to the sandbox at present.")
        return text % {"domain": domain.name}
    if domain.may_send:
        return _("Emails from %(domain)s go out to everybody.") % {"domain": domain.name}
    if domain.is_proven:
        text = _("%(domain)s is confirmed, but something is missing in its DNS: campaigns wait until it is there.")
        return text % {"domain": domain.name}
    text = _(
        "%(domain)s is not confirmed. Emails from it go through the sandbox, or to your own verified members, "
        "and to nobody else."
    )
    return text % {"domain": domain.name}


# -- inside ------------------------------------------------------------------------------------


def _keys(domain: Domain) -> list[Fact]:
    keys = list(domain.keys.order_by("-algorithm", "pk"))
    names = {
        DkimKey.State.CURRENT: _("Current keys"),
        DkimKey.State.NEXT: _("Next keys"),
        DkimKey.State.OLD: _("Replaced keys"),
    }
    facts = [
        Fact(name, _(", ").join(map(_key_name, of)))
        for state, name in names.items()
        if (of := [k for k in keys if k.state == state])
    ]
    return [*facts, Fact(_("Planned change"), _planned(keys))]


def _key_name(key: DkimKey) -> str:
    name = f"{key.selector} ({key.get_algorithm_display()})"
    return _("%(key)s, imported") % {"key": name} if key.is_imported else name


def _planned(keys: Sequence[DkimKey]) -> str:
    """Return the day on which the next keys take over."""
    ages = [key.active_at for key in keys if key.active_at and not key.retired_at]
    if not ages:
        return _("None")
    return date_format(localtime(min(ages) + AGE), pgettext("date format", "j M Y"))


def _first_notice(count: int) -> Notice:
    title = ngettext("Add %(count)s record to your DNS", "Add %(count)s records to your DNS", count)
    text = _(
        "Copy what you see below to the site of the company that manages your domain, then press “Check now”. "
        "New records can be seen after some minutes, at times after an hour."
    )
    return Notice("", "list-checks", title % {"count": count}, text)


def _left(count: int) -> str:
    title = ngettext(
        "%(count)s more record and everything is in place.", "%(count)s more records and everything is in place.", count
    )
    return title % {"count": count}
