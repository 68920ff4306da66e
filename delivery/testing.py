"""Test sends: one copy of a draft to its writers, by the route that the campaign would take."""

from __future__ import annotations

import asyncio
import time

from django.db import transaction
from django.utils.timezone import now

from campaigns import drafts, merge
from campaigns.models import TestSend
from delivery import renditions
from delivery.compose import Recipient, Unsendable, date_header
from delivery.handover import deliver
from delivery.smtp import Reply, Timeouts

PATIENCE = Timeouts(connect=5, greeting=8, ehlo=8, starttls=8, mail=8, rcpt=8, data=8, block=8, dot=8)


def send_next() -> bool:
    """Send the oldest test that waits; return whether there was one. A lost reply may mean a second copy."""
    with transaction.atomic():
        waiting = TestSend.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            status=TestSend.Status.QUEUED
        )
        test = (
            waiting.select_related("account", "contact", "campaign__account", "campaign__sender__domain")
            .order_by("created_at")
            .first()
        )
        if test is None:
            return False
        reply = send(test)
        test.status = TestSend.Status.SENT if reply.is_positive else TestSend.Status.FAILED
        test.reply = f"{reply.code or ''} {reply.text}".strip()[:500]
        test.settled_at = now()
        test.save(update_fields=["status", "reply", "settled_at"])
    return True


def send(test: TestSend) -> Reply:
    """Compose and hand over the copy; return the last reply, or why there was none."""
    try:
        loaded = renditions.load_test(test)
        values = drafts.values_of(test.contact)
        recipient = Recipient(test.pk, test.address, str(values.pop("name", "")), values)
        second = int(time.time())
        mail = loaded.composer.compose(recipient, date_header(second), second)
    except (merge.MergeError, Unsendable) as error:
        return Reply(0, str(error), "mail", "")
    return asyncio.run(deliver(mail, test.address.rpartition("@")[2], loaded.route_to(test.address), PATIENCE))
