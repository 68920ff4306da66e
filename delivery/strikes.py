"""What follows for an address from a failure that is not its end: strikes, and after enough of them a suppression.

A strike is a day (UTC) on which the address was given up for now. `soft_bounce_days` of them within `soft_bounce_window`
days, with no accepted mail between, suppress the address for `retry_days`; then it is mailed again, and one more strike
is enough. The ledger's `strike` and `let_go` (docs/ledger.md §11) hold the rule, so that SMTP replies and returned mail
are judged alike. Never counted: reasons about the sender (`Reason.about`), tries that a later one made good, and what
ended without any server's word, since a line of our own that is down would count against everybody; what expires while
it waits for its turn (`close_due`) is of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from delivery import outcomes, replies
from delivery.bounces import Failure
from delivery.models import Message, Strike
from delivery.outcomes import Outcome
from delivery.refusals import suppress
from mailsales import ledger
from mailsales.ledger import Ledger
from mailsales.providers import is_mobile
from mailsales.reasons import About, Reason

LONGEST_WINDOW = 90  # days: the most that an account can choose
FORGET = 'DELETE FROM strike WHERE "on" < %s'
UNSURE = re.compile(r"\bunknown user\b", re.IGNORECASE)


# -- SMTP replies: the worker and the replayer, before `record` ----------------------------------


async def take_outcomes(db: Ledger, known: Sequence[Outcome]) -> None:
    """Hold against addresses what their servers said. Raise psycopg.Error; the same is told again later."""
    if dead := outcomes.hard_ones(known):
        await db.execute("suppress", **dead)
    if weak := soft_ones(known):
        await db.execute("strike", **weak)
        await db.execute("let_go", ids=weak["ids"])


def soft_ones(known: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return the parameters of `strike`, or None when nobody was given up for now."""
    soft = [each for each in known if _is_soft(each)]
    if not soft:
        return None
    arrays = outcomes.as_arrays(soft)
    return {
        "ids": arrays["ids"],
        "leases": arrays["leases"],
        "reasons": [_reason_of(each).value for each in soft],
        "texts": arrays["texts"],
    }


def _is_soft(outcome: Outcome) -> bool:
    reply = outcome.reply
    if outcome.status != Message.Status.BOUNCED or outcome.is_hard or reply is None:
        return False
    return reply.code > 0 and reply.command != "connect" and counts(_reason_of(outcome))


def _reason_of(outcome: Outcome) -> Reason:
    """Return why the message was given up; of one that expired, why its last try was put off."""
    if outcome.reason == Reason.EXPIRED and outcome.reply:
        return replies.reason_of(outcome.reply)
    return outcome.reason or Reason.OTHER


def counts(reason: Reason) -> bool:
    """Return whether a failure for this reason says something of the recipient."""
    return reason.about is not About.US


# -- returned mail -------------------------------------------------------------------------------


def take_failure(message: Message, failure: Failure) -> bool:
    """Act on a failure reported after the next hop had accepted; return whether the address is left out from now on."""
    if failure.is_hard:
        return suppress(message, failure.reason, failure.text)
    if not counts(failure.reason):
        return False
    if is_mobile(message.address.rpartition("@")[2]):
        if failure.reason is Reason.USER_UNKNOWN:
            return suppress(message, failure.reason, failure.text)
        if is_unsure(failure):
            return suppress(message, failure.reason, failure.text, _retry_at(message))
    return _strike(message, failure)


def is_unsure(failure: Failure) -> bool:
    """Return whether a carrier's words leave open if nobody has the address or its owner's settings refuse.

    docomo says "550 Unknown user" for both, and only the SMTP command tells them apart, which a report does not keep.
    Mailing on would, if it is unknown, bring the sender's network into a block; never mailing again would, if it is the
    filter, take the mail from an owner who allows it later. So it is left out at once, until it is time to try again.
    """
    return failure.reason is Reason.FILTERED and UNSURE.search(failure.text) is not None


def _strike(message: Message, failure: Failure) -> bool:
    if not message.address or Strike.objects.filter(**_whose(message), message_id=message.pk).exists():
        return False
    Strike.objects.get_or_create(
        **_whose(message),
        on=datetime.now(UTC).date(),
        defaults={"reason": failure.reason, "text": failure.text[:500], "message_id": message.pk},
    )
    return ledger.change("let_go", ids=[message.pk]) > 0


def _whose(message: Message) -> dict[str, Any]:
    return {"account_id": message.account_id, "address": message.address}


def _retry_at(message: Message) -> datetime:
    return datetime.now(UTC) + timedelta(days=message.account.retry_days)


def forget() -> int:
    """Delete strikes that no account's window reaches any more; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, [datetime.now(UTC).date() - timedelta(days=LONGEST_WINDOW)])
        return int(cursor.rowcount)
