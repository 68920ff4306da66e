"""A domain's way as a person goes it: add it, paste its records, see it turn green, send, and be believed by receivers.

The records are taken from the page and served by a name server of the test; the mail goes to an SMTP server of the test,
which judges it as a receiver would: dkimpy and opendkim by the keys in that zone, SPF and DMARC by RFC 7208 and RFC 9989.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import dns.resolver
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Page, expect

from delivery import dkim
from mailsales.dns import dmarc, spf
from mailsales.dns.questions import Questions
from mailsales.management.bench.sink_process import process
from tests.delivery import opendkim
from tests.e2e.test_main_job import PASSWORD, browser, send, sign_in, write
from tests.stack.running import RunningStack, manage

DOMAIN, SERVER = "aoba.example.jp", "mail.mailsales.example"
ADDRESS = "127.0.0.1"
MAKE = f"""
from accounts.models import Account, Membership, User
from campaigns.models import ContactField
from tests.make import make_contact, make_list
account = Account.objects.create(name="株式会社青葉商店", postal_address="〒604-0000 京都府京都市中京区青葉町1-2-3", complaint_address="support@{DOMAIN}")
user = User.objects.create_user("misaki", "misaki@{DOMAIN}", "{PASSWORD}", language="en")
Membership.objects.create(account=account, user=user, role="owner")
ContactField.objects.create(account=account, key="company", label="会社")
make_contact(account, make_list(account), fields={{"company": "みどり旅館"}})
"""
BEFORE = f"""
{DOMAIN}. A 192.0.2.80
{SERVER}. A {ADDRESS}
1.0.0.127.in-addr.arpa. PTR {SERVER}.
"""
pytestmark = pytest.mark.e2e


@dataclass
class Receiver:
    """Takes every mail, with what it needs to judge it."""

    mails: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        self.mails.append((str(envelope.mail_from), cast(bytes, envelope.content)))
        return "250 2.0.0 Kept"


@dataclass
class World:
    stack: RunningStack
    receiver: Receiver
    zone: Path
    name_server: str

    def questions(self) -> Questions:
        return Questions([self.name_server])


@contextmanager
def receiving() -> Iterator[tuple[Receiver, int]]:
    receiver = Receiver()
    with socket.create_server((ADDRESS, 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(receiver, hostname=ADDRESS, port=port)
    controller.start()
    try:
        yield receiver, port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("dns")
    zone = folder / "zone.txt"
    zone.write_text(BEFORE)
    with receiving() as (receiver, smtp_port), process("names", folder / "port", str(zone)) as (_child, dns_port):
        server = f"{ADDRESS}:{dns_port}"
        stack = RunningStack(
            DNS_SERVERS=server,
            DEFAULT_ROUTE=f"smtp://{ADDRESS}:{smtp_port}",
            SENDING_ADDRESSES=ADDRESS,
            EHLO_NAME=SERVER,
            INBOUND_HOST=SERVER,
        )
        try:
            stack.wait()
            made = manage("shell", "-c", MAKE, var=stack.var)
            assert made.returncode == 0, made.stderr
            yield World(stack, receiver, zone, server)
        finally:
            stack.clear()


def test_a_domain_is_added_proven_used_and_believed(world: World) -> None:
    with browser() as chromium:
        window = chromium.new_context(base_url=f"http://localhost:{world.stack.state().port}", locale="en-GB")
        page = window.new_page()
        expect.set_options(timeout=60_000)
        page.set_default_timeout(60_000)
        sign_in(page)
        expect(page.locator(".sidebar__route")).to_contain_text("everything else stays in the sandbox")
        add(page)
        check(page)
        expect(page.locator("#domain > .row")).to_contain_text("Not confirmed")
        expect(page.locator("#record-proof")).to_contain_text("Not found")
        world.zone.write_text(BEFORE + "\n".join(shown_records(page)) + "\n")
        page.wait_for_timeout(5_500)  # one check in five seconds
        check(page)
        expect(page.locator("#domain > .row")).to_contain_text("Ready")
        expect(page.locator("#record-proof")).to_contain_text("Confirmed")
        make_sender(page)
        write(page, "新茶フェアのご案内")
        send(page, people=1)
        expect(page.locator("#campaign-ledger")).to_contain_text("Sent")
        until_received(world, page)
    judge(world, *world.receiver.mails[0])


def add(page: Page) -> None:
    page.goto("/domains/create/")
    page.fill("[name=name]", f"https://www.{DOMAIN.upper()}/shop/")
    page.get_by_role("button", name="Show the records").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(DOMAIN)


def check(page: Page) -> None:
    with page.expect_response(re.compile("/check/$")):
        page.get_by_role("button", name="Check now").click()


def shown_records(page: Page) -> Iterator[str]:
    """Yield the lines of a zone file that somebody would write who pastes what the page shows."""
    for item in page.locator("#domain-records .records__item").all():
        kind = item.locator("dd code").first.text_content()
        name, value = (item.locator(f"[data-{what}]").text_content() or "" for what in ("name", "value"))
        if kind == "TXT":
            value = " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
        yield f"{name}. {kind} {value}"


def make_sender(page: Page) -> None:
    page.goto("/senders/create/")
    expect(page.get_by_text(f"Emails from {DOMAIN} go out to everybody.")).to_be_visible()
    page.fill("[name=name]", "青葉商店")
    page.fill("[name=address]", f"tayori@{DOMAIN}")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flash")).to_contain_text("The sender was saved.")
    expect(page.locator(".sidebar__route")).to_contain_text(f"From {DOMAIN}, with STARTTLS and a DKIM signature.")


def until_received(world: World, page: Page) -> None:
    for _turn in range(120):
        if world.receiver.mails:
            return
        page.wait_for_timeout(250)
    raise AssertionError(page.inner_text("body"))


def judge(world: World, mail_from: str, raw: bytes) -> None:
    """Believe the mail as a receiver would, asking DNS for everything."""
    keys = published_keys(world)
    verdicts = dkim.verify(raw, keys)
    assert [(one.algorithm, one.domain, one.fault) for one in verdicts] == [
        ("rsa-sha256", DOMAIN, ""),
        ("ed25519-sha256", DOMAIN, ""),
    ]
    rsa = {f"{selector}._domainkey.{domain}": text for (selector, domain), text in keys.items()}
    assert opendkim.complaints(raw, rsa) == ""
    result = spf.check_host(world.questions(), ip=ADDRESS, sender=mail_from, helo=SERVER)
    assert result.word == "pass"
    envelope = mail_from.rpartition("@")[2]
    assert envelope == f"bounce.{DOMAIN}"
    for spf_domain, dkim_domains in ((envelope, ()), ("", (DOMAIN,))):  # each alone is enough
        found = dmarc.evaluate(world.questions(), author=DOMAIN, spf=spf_domain, dkim=dkim_domains)
        assert found.word == "pass"


def published_keys(world: World) -> dict[tuple[str, str], str]:
    """Return the keys that stand in DNS under the selectors that sign, as the name server answers."""
    host, _colon, port = world.name_server.partition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [host], int(port)
    keys = {}
    for selector in ("m1", "e1"):
        [answer] = resolver.resolve(f"{selector}._domainkey.{DOMAIN}", "TXT")
        keys[selector, DOMAIN] = b"".join(answer.strings).decode()
    return keys
