"""What one message costs, step by step, in microseconds of one core: measured in this process, on the campaign just sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import uvloop

from campaigns import merge
from campaigns.models import Contact
from delivery import directory, renditions, shaping
from delivery.compose import Recipient, Rendition, date_header
from delivery.models import Rendition as Frozen
from delivery.pools import Pool, Unshared
from delivery.routes import read_route
from delivery.smtp import Reply, Transaction
from delivery.tls_memory import TlsMemory
from mailsales.management.bench.sink_process import sink

MESSAGES = 1_000


class Letter(Transaction):
    """A message ready to go; `ended` is called with its fate."""

    def __init__(self, body: bytes, ended: Callable[[], None]) -> None:
        self.mail_from, self.recipient, self.body = b"b+bench@bounce.bench.example", b"reader@bench.example", body
        self._ended = ended

    def begin_dot(self) -> bool:
        return True

    def settle(self, reply: Reply) -> None:
        self._ended()

    def returned(self) -> None:
        self._ended()


def steps_of(campaign_id: int, account_id: int) -> dict[str, float]:
    """Return the microseconds of rendering, building the MIME parts, signing, and handing over through STARTTLS."""
    frozen = Rendition.load(Frozen.objects.get(pk=campaign_id).content)
    loaded = renditions.load(campaign_id)
    people = Contact.objects.filter(account=account_id)[:MESSAGES]
    readers = [Recipient(person.pk, person.address, person.name, person.fields) for person in people]
    signers = renditions.signers_of(account_id, frozen.domain)
    second = int(time.time())
    date = date_header(second)
    plans = [merge.compile(frozen.subject), merge.compile(frozen.text), merge.compile(frozen.html, html=True)]
    known = [{**reader.fields, "name": reader.name, "address": reader.address} for reader in readers]
    render, _texts = _each(lambda values: [plan.render(values) for plan in plans], known)
    build, built = _each(lambda reader: loaded.composer.build(reader, date), readers)
    sign, mails = _each(lambda parts: signers.sign(parts[0], parts[1], second), built)
    return {
        "render": round(render, 1),
        "mime": round(max(build - render, 0.0), 1),
        "sign": round(sign, 1),
        "smtp": round(_smtp(mails), 1),
    }


def _each(work: Callable[[Any], Any], things: list[Any]) -> tuple[float, list[Any]]:
    """Return the microseconds of processor time for one thing, and what came out; the first run only warms up."""
    for thing in things[:50]:
        work(thing)
    began = time.process_time()
    made = [work(thing) for thing in things]
    return 1e6 * (time.process_time() - began) / len(things), made


def _smtp(mails: list[bytes]) -> float:
    async def send(port: int) -> float:
        route = read_route(f"smtp://127.0.0.1:{port}")
        ways = directory.of_settings(shaping.load(), TlsMemory())
        site = await ways.site_of(route, "")
        pool = Pool(route, site, Unshared(8), lambda: ways.targets_of(route, site))
        left, done = len(mails), asyncio.Event()

        def ended() -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        began = time.process_time()
        pool.push([Letter(mail, ended) for mail in mails])
        await done.wait()
        used = time.process_time() - began
        await pool.close()
        return 1e6 * used / len(mails)

    with sink(None) as receiver:
        return uvloop.run(send(receiver.port))
