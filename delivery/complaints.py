"""Reports of abuse: what a mailbox provider sends when a reader presses “spam” (RFC 5965, RFC 6449)."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.reports import Report

AGAINST_US = frozenset({"abuse", "fraud", "virus", "other", "opt-out"})  # not: not-spam, auth-failure (RFC 5965 §7.3)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A report by a provider. Who complained is usually blacked out; the token says which message it was."""

    feedback_type: str
    text: str
    recipients: tuple[str, ...] = ()

    @property
    def is_against_us(self) -> bool:
        """Whether a reader complained; other reports praise, or count failures of DMARC."""
        return self.feedback_type in AGAINST_US


def feedback_of(report: Report) -> Feedback | None:
    """Return what a feedback report says, None for any other mail."""
    if report.kind != "feedback-report" or not report.groups:
        return None
    group = report.groups[0]
    feedback_type = group.get("feedback-type", "").strip().lower()
    said = [f"{name}: {group[name]}" for name in ("user-agent", "source-ip", "arrival-date") if name in group]
    return Feedback(feedback_type, "; ".join(said)[:500])
