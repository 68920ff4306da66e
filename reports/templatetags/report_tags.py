"""Facts of reports on pages of apps to the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django import template

from accounts.models import Domain
from campaigns.models import Campaign, Contact
from reports import charts, queries
from reports.recipients import Event, received_by
from reports.scorecard import Scorecard, scorecard_of

register = template.Library()


@register.simple_tag
def contact_events(contact: Contact) -> list[Event]:
    """Return what the contact received and did lately, newest first."""
    return received_by(contact)


@dataclass(frozen=True)
class Line:
    """A campaign with what became of it."""

    campaign: Campaign
    outcome: queries.Outcome

    @property
    def failed_share(self) -> str:
        return charts.percent(self.outcome.failed, self.outcome.total)


@register.simple_tag
def with_outcomes(campaigns: Sequence[Campaign]) -> list[Line]:
    """Return the campaigns of a list with their outcomes, in one query."""
    found = queries.outcomes(campaigns)
    return [Line(campaign, found.get(campaign.pk, queries.Outcome())) for campaign in campaigns]


@register.simple_tag
def scorecard(domain: Domain) -> Scorecard:
    """Return the rules of the large providers for a sending domain, each with what was measured."""
    return scorecard_of(domain)
