"""Reports of abuse: what a mailbox provider sends when a reader presses “spam” (RFC 5965, RFC 6449)."""

from __future__ import annotations

from dataclasses import dataclass

from delivery.reports import Report

AGAINST_US = frozenset({"abuse", "fraud", "virus", "other", "opt-out"})  # not: not-spam, auth-failure (RFC 5965 §7.3)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A complaint. Who complained is usually blacked out; the token says which message it was."""

    feedback_type: str
    text: str


def feedback_of(report: Report) -> Feedback | None:
    """Return the complaint of a feedback report, None for any other mail and for reports that blame nobody."""
    if report.kind != "feedback-report" or not report.groups:
        return None
    group = report.groups[0]
    feedback_type = group.get("feedback-type", "").strip().lower()
    if feedback_type not in AGAINST_US:
        return None
    said = [f"{name}: {group[name]}" for name in ("user-agent", "source-ip", "arrival-date") if name in group]
    text = "".join(letter for letter in "; ".join(said) if letter.isprintable())
    return Feedback(feedback_type, text[:500])
