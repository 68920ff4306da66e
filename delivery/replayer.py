"""Settle exactly what a killed process of this host left, from its journal (docs/ledger.md §5).

The kernel frees a process's flock only when it is gone, so a journal whose lock can be taken belongs to the dead, not to
the sleeping. Killed in between, the next replayer starts over.
"""

from __future__ import annotations

import logging
import os
import shutil
from datetime import datetime
from pathlib import Path

from delivery import journal, outcomes, strikes
from delivery.journal import Entry, Kind, Reading
from delivery.models import Message
from delivery.outcomes import Outcome
from mailsales.ledger import Ledger
from mailsales.reasons import Reason

logger = logging.getLogger(__name__)
Facts = tuple[int, datetime]  # tries and expiry


async def replay(root: Path, ledger: Ledger) -> int:
    """Settle the journals of dead processes; return how many messages were settled. Raise psycopg.Error."""
    settled = 0
    for folder, lock in journal.dead_folders(root):
        try:
            settled += await _settle(folder, ledger)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
    return settled


async def _settle(folder: Path, ledger: Ledger) -> int:
    reading = journal.read(folder)
    if reading is None:
        return 0
    if not reading.generation_id:
        logger.error("The journal %s cannot be read; its messages become unknown by the sweeper.", folder)
        return 0
    await ledger.execute("close_generation", generation=reading.generation_id, who="replayer")
    count = 0
    for lease_id, message_ids in await ledger.execute("leases_of", generation=reading.generation_id):
        facts = await _facts(ledger, message_ids)
        known = [_outcome(reading, message_id, lease_id, facts) for message_id in message_ids if message_id in facts]
        count += await _record(ledger, known)
    await _offer_evidence(ledger, reading)
    logger.warning("A worker died. %s of its messages were settled from its journal.", count)
    return count


async def _facts(ledger: Ledger, message_ids: list[int]) -> dict[int, Facts]:
    """Return tries and expiry, which a deferral needs, of each message that was not erased meanwhile."""
    rows = await ledger.query(
        "SELECT m.id, m.tries, c.expires_at FROM message m JOIN campaign c ON c.id = m.campaign_id WHERE m.id = ANY (%(ids)s)",
        {"ids": message_ids},
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _outcome(reading: Reading, message_id: int, lease_id: int, facts: dict[int, Facts]) -> Outcome:
    entry = reading.entries.get((message_id, lease_id))
    if entry and entry.kind == Kind.REPLY:
        return _replied(entry, facts)
    if reading.is_whole and (entry is None or entry.kind == Kind.ANNUL):
        return outcomes.given_back(message_id, lease_id)
    return Outcome(message_id, lease_id, Message.Status.UNKNOWN, Reason.WORKER_LOST)


def _replied(entry: Entry, facts: dict[int, Facts]) -> Outcome:
    assert entry.reply
    tries, expires_at = facts[entry.message_id]
    return outcomes.replied(entry.message_id, entry.lease_id, entry.reply, tries=tries, expires_at=expires_at)


async def _record(ledger: Ledger, known: list[Outcome]) -> int:
    await strikes.take_outcomes(ledger, known)
    return len(await ledger.execute("record", **outcomes.as_arrays(known)))


async def _offer_evidence(ledger: Ledger, reading: Reading) -> None:
    """Correct what the sweeper was faster with: a reply says what became of it."""
    replied = [entry for entry in reading.entries.values() if entry.reply]
    for start in range(0, len(replied), 1_000):
        part = replied[start : start + 1_000]
        facts = await _facts(ledger, [entry.message_id for entry in part])
        final = [out for entry in part if entry.message_id in facts and (out := _replied(entry, facts)).is_final]
        if final:
            arrays = outcomes.as_arrays(final)
            del arrays["dues"]
            await ledger.execute("evidence", **arrays)
