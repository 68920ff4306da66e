"""Facts of reports on pages of apps to the left."""

from __future__ import annotations

from django import template

from campaigns.models import Contact
from reports.recipients import Event, received_by

register = template.Library()


@register.simple_tag
def contact_events(contact: Contact) -> list[Event]:
    """Return what the contact received and did lately, newest first."""
    return received_by(contact)
