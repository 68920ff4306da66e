"""The world of a server under test: who refuses its mail, who takes its reports, who tells it of domains."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from delivery.bounces import Reading, read_bounce
from mailsales.management.bench.names import Names
from mailsales.tokens import bounce_token
from tests.delivery.real_servers.running import Place, running
from tests.delivery.sending import sink_thread
from tests.delivery.sink import Sink

BOUNCES = "bounce.aoba.example.jp"
EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8")
PATIENCE = 25.0  # seconds until all reports are there
REFUSALS = {
    "gone": ("RCPT", "550 5.1.1 <gone@refusing.example>: Recipient address rejected: User unknown"),
    "stuffed": ("RCPT", "552 5.2.2 Mailbox full"),
    "policy": ("DATA", "554 5.7.1 Access denied by local policy"),
    "spam": ("DOT", "554 5.7.1 Message refused: it looks like spam"),
    "later": ("RCPT", "450 4.2.1 The mailbox is busy, try again later"),
}
TEXT = (
    "From: aoba@aoba.example.jp\r\nTo: <{to}>\r\nSubject: {case}\r\nMessage-ID: <{case}@aoba.example.jp>\r\n\r\n{body}"
)


def refusal(verb: str, argument: str) -> str | None:
    """Refuse each recipient in its way, by the local part."""
    local = argument.removeprefix("TO:<").partition("@")[0]
    refused, reply = REFUSALS.get(local, ("", ""))
    return reply if verb == refused else None


class Inbox(Sink):
    """Takes every report, and remembers who sent it."""

    def __init__(self) -> None:
        super().__init__(script=self.note, extensions=EXTENSIONS)
        self.senders: set[str] = set()

    def note(self, verb: str, argument: str) -> None:
        if verb == "MAIL":
            self.senders.add(argument.partition(" ")[0])


@dataclass
class Post:
    """What was sent to a server, by the name of the case, and what came back of it."""

    place: Place
    inbox: Inbox
    cases: list[str] = field(default_factory=list)

    def send(self, case: str, *recipients: str, sender: str | None = None) -> None:
        """Send one mail with a token of ours as its envelope's sender, or with the sender given."""
        self.cases.append(case)
        text = TEXT.format(to=recipients[0], case=case, body="新茶のご案内です。\r\n" * 30).encode()
        mail_from = self.address(case) if sender is None else sender
        options = [] if recipients[0].isascii() else ["SMTPUTF8"]
        with smtplib.SMTP("127.0.0.1", self.place.port) as smtp:
            smtp.ehlo()
            replies = [smtp.mail(mail_from, ["BODY=8BITMIME", *options])]
            replies += [smtp.rcpt(recipient, ["NOTIFY=SUCCESS,FAILURE,DELAY"]) for recipient in recipients]
            replies += [smtp.data(text)]
        assert all(code == 250 for code, _text in replies), replies

    def token(self, case: str) -> str:
        return bounce_token(1, self.cases.index(case) + 1)

    def address(self, case: str) -> str:
        return f"b+{self.token(case)}@{BOUNCES}"

    def readings(self, case: str) -> list[Reading]:
        address = self.address(case)
        return [read_bounce(raw) for recipient, raw in self.inbox.accepted if recipient == address]

    def kinds(self) -> dict[str, list[str]]:
        return {case: [reading.kind.value for reading in self.readings(case)] for case in self.cases}

    def until(self, is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not is_so():
            assert time.monotonic() < until, f"Not all came back: {self.kinds()}"
            time.sleep(0.05)


def resolver() -> str:
    """Return the address of a name server of this process alone; its port can only be 53, which no plain user may have."""
    pid = os.getpid()
    return f"127.{64 + (pid >> 16)}.{pid >> 8 & 255}.{pid & 255}"


@contextmanager
def post(configure: Callable[[Place], list[str]]) -> Iterator[Post]:
    """Let a server run in a world of its own."""
    address = resolver() if os.geteuid() == 0 else ""
    with ExitStack() as stack:
        refuser = stack.enter_context(sink_thread(Sink(refusal, extensions=EXTENSIONS)))
        inbox = stack.enter_context(sink_thread(Inbox()))
        if address:
            stack.enter_context(sink_thread(Names(host=address, port=53)))
        place = stack.enter_context(
            running(
                configure,
                bounces=BOUNCES,
                bounces_port=inbox.port,
                refusing_port=refuser.port,
                resolver=address,
            )
        )
        yield Post(place, inbox)
