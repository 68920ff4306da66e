"""What a check of a domain found: codes and values as they are stored, and their words in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.domains.records import Need
from accounts.domains.wording import WORDS
from accounts.models import Domain
from mailsales.badges import Badge


class State(StrEnum):
    """MISSING: it is not there. UNKNOWN: DNS was in trouble, or nothing can be said; no verdict."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `key` is its record's, or names what has none: alignment, mx, identity-203.0.113.5, old-m1.

    `code` names the words, `values` what stands in them; "found" among them is the record's text, lines of several.
    """

    key: str
    state: State
    code: str
    values: dict[str, Any] = field(default_factory=dict)
    need: Need = Need.REQUIRED

    def stored(self) -> dict[str, Any]:
        """Return what a JSON column keeps of it."""
        return {
            "key": self.key,
            "state": self.state.value,
            "code": self.code,
            "values": self.values,
            "need": self.need.value,
        }

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Finding:
        """Return the finding that was stored so."""
        need, state = Need(stored.get("need", Need.REQUIRED)), State(stored["state"])
        return cls(stored["key"], state, stored["code"], dict(stored.get("values", {})), need)

    @property
    def title(self) -> str:
        """Return what was found, in a few words."""
        return self._words()[0]

    @property
    def text(self) -> str:
        """Return what is wrong and what to change, or why it is right."""
        return self._words()[1]

    @property
    def badge(self) -> Badge:
        return BADGES[self.state]

    @property
    def standing(self) -> State:
        """Return the state that counts: while DNS is in trouble, the one before."""
        return State(self.values.get("was", self.state))

    @property
    def is_failure(self) -> bool:
        """Return whether receivers would mind: it is wrong, or not there though it is required."""
        is_missing = self.standing == State.MISSING and self.need == Need.REQUIRED
        return self.need != Need.OPTIONAL and (self.standing == State.BAD or is_missing)

    @property
    def is_pressing(self) -> bool:
        """Return whether there is something for the domain's owner to do."""
        return self.need != Need.OPTIONAL and self.standing in (State.BAD, State.MISSING, State.WARN)

    @property
    def is_of_installation(self) -> bool:
        """Return whether only the operator can change it."""
        return self.key.startswith("identity") or self.code == "spf_no_addresses"

    def _words(self) -> tuple[str, str]:
        title, text = WORDS.get(self.code, (self.key, ""))
        if self.values.get("trouble"):
            text = _("The name servers did not answer at the last check. What was found before still counts.")
        return str(title) % self._shown(), str(text) % self._shown()

    def _shown(self) -> dict[str, str]:
        return {
            name: ", ".join(value) if isinstance(value, list) else str(value) for name, value in self.values.items()
        }


BADGES: dict[State, Badge] = {
    State.GOOD: Badge(gettext_lazy("Confirmed"), "check", "good"),
    State.WARN: Badge(gettext_lazy("Needs attention"), "triangle-alert", "warn"),
    State.BAD: Badge(gettext_lazy("Please correct"), "triangle-alert", "bad"),
    State.MISSING: Badge(gettext_lazy("Not found"), "circle-x", "bad"),
    State.UNKNOWN: Badge(pgettext_lazy("finding", "No answer"), "circle-question-mark"),
}
NOT_YET: Badge = Badge(gettext_lazy("Not checked yet"), "hourglass")


def findings_of(domain: Domain) -> list[Finding]:
    """Return what the last check found; nothing before the first."""
    return [Finding.read(stored) for stored in domain.findings]


def finding_about(domain: Domain, key: str) -> Finding | None:
    """Return what the last check found about one record, or None when it did not look."""
    return next((finding for finding in findings_of(domain) if finding.key == key), None)
