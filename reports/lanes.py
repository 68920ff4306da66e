"""Where a campaign's mail goes while it is sent: a line for each receiving provider, with what holds it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from mailsales.badges import Badge
from reports import charts
from reports.places import Place
from reports.restraints import Restraint, Words
from reports.summaries import count_of

GOING = Badge(gettext_lazy("Going well"), "check", "good")
WAITING = Badge(gettext_lazy("Some wait for a retry"), "timer", "warn")
STANDING = Badge(gettext_lazy("Waiting"), "hourglass")
HELD_BACK = Badge(gettext_lazy("Held back"), "timer", "warn")
PARTLY_HELD_BACK = Badge(gettext_lazy("Partly held back"), "timer", "warn")
SLOWED_DOWN = Badge(gettext_lazy("Slowed down"), "gauge", "warn")
FINISHED = Badge(gettext_lazy("Finished"), "check-check", "good")
RESTRAINTS = 3  # named of each receiving provider


def lane_rows(places: list[Place], held: list[Restraint]) -> list[dict[str, Any]]:
    """Return the receiving providers, held back ones and those with most to come first.

    What is held back was looked up before the places, so that it never seems to be less than all that is to come.
    """
    own = {id(place): [part for each in held if (part := each.within(place.destinations))] for place in places}
    ordered = sorted(places, key=lambda p: (bool(own[id(p)]), p.to_come, p.deferred), reverse=True)
    return [_lane_row(place, own[id(place)]) for place in ordered]


def _lane_row(place: Place, held: list[Restraint]) -> dict[str, Any]:
    return {
        "name": place.name,
        "done": place.done,
        "total": place.total,
        "state": _lane_state(place, held),
        "restraints": _restraints(place, held),
        "text": _lane_text(place, is_held=bool(held)),
        "reply": "" if held else place.reply,
        "parts": charts.bar(
            ("sent", _("Done"), place.done, ""),
            ("deferred", _("Deferred"), place.deferred, ""),
            ("rest", _("To come"), place.to_come - place.deferred, ""),
        ),
    }


def _lane_state(place: Place, held: list[Restraint]) -> Badge:
    if place.done == place.total:
        return FINISHED
    if sum(each.count for each in held if each.is_suspended) >= place.to_come:
        return HELD_BACK
    if held:
        return PARTLY_HELD_BACK if any(each.is_suspended for each in held) else SLOWED_DOWN
    if place.deferred:
        return WAITING
    return GOING if place.done else STANDING


def _restraints(place: Place, held: list[Restraint]) -> list[Words]:
    """Return why mail to the place is held back, where most waits first; named where only part of it is."""
    found = []
    for each in sorted(held, key=lambda each: -each.count)[:RESTRAINTS]:
        words = each.words
        if each.count < place.to_come:
            words = replace(words, text=_("%(name)s: %(text)s") % {"name": each.name, "text": words.text})
        found.append(words)
    if more := held[RESTRAINTS:]:
        text = ngettext("%(count)s more is held back.", "%(count)s more are held back.", len(more))
        found.append(Words(text % {"count": count_of(len(more))}))
    return found


def _lane_text(place: Place, *, is_held: bool) -> str:
    if place.deferred:
        words = ngettext(
            "%(count)s email was turned away for the moment and is tried again by itself.",
            "%(count)s emails were turned away for the moment and are tried again by themselves.",
            place.deferred,
        )
        return words % {"count": count_of(place.deferred)}
    if place.done == place.total:
        return _("All of them are settled.")
    return "" if is_held else _("The next ones follow at once.")
