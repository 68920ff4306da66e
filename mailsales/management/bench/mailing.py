"""A campaign of the bench: made with everything that it needs, started, waited for, cancelled and removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.db import connection
from django.utils.timezone import now

from accounts.models import Account, DkimKey, Domain, Sender
from campaigns.models import Campaign, MailingList
from mailsales import doorbell, ledger, vault
from mailsales.dkim_keys import RSA, make_key
from mailsales.management.bench import content
from mailsales.management.bench.sink_process import BenchFailed
from mailsales.management.erasing import erase

PATIENCE = 600.0  # seconds without an end after which the bench gives up
CANCEL_SECONDS = 60.0
LOOK_SECONDS = 0.2  # between two looks at a campaign: each costs as much as two messages


def make_campaign(
    route: str, recipients: int, destinations: int = 40, *, algorithms: Sequence[str] = (RSA,)
) -> Campaign:
    """Make an account with a domain, a list of contacts at so many destinations, and a draft to them.

    The destinations are host0.bench.example, host1.bench.example and so on, each with as many contacts. The domain has an
    RSA key, and one of each other algorithm.
    """
    account = Account.objects.create(
        name=f"bench {time.time_ns()}",
        postal_address="〒100-0001 東京都千代田区1-1",
        complaint_address="info@bench.example",
        sealed_route=vault.seal(route),
    )
    name = f"sender{account.pk}.bench.example"
    domain = Domain.objects.create(account=account, name=name, proven_at=now(), checked_at=now())
    for algorithm in {RSA, *algorithms}:
        add_key(domain, algorithm)
    sender = Sender.objects.create(account=account, domain=domain, name="ベンチ商店", address=f"news@{name}")
    mailing_list = MailingList.objects.create(account=account, name="bench")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO destination (name) SELECT 'host' || g || '.bench.example' FROM generate_series(0, %s - 1) g ON CONFLICT (name) DO NOTHING",
            [destinations],
        )
        cursor.execute(
            """WITH made AS (
              INSERT INTO contact (account_id, address, destination_id, name, fields)
              SELECT %(account)s, 'reader' || g || '@' || d.name, d.id, '山田 太郎' || g,
                jsonb_build_object('company', '株式会社みどり' || g %% 97, 'member_no', 'A-' || g, 'points', (g * 7 %% 10000)::text, 'city', '京都市')
              FROM generate_series(1, %(n)s) g JOIN destination d ON d.name = 'host' || g %% %(destinations)s || '.bench.example'
              RETURNING id
            )
            INSERT INTO subscription (account_id, list_id, contact_id, status, basis) SELECT %(account)s, %(list)s, id, 'confirmed', 'consent' FROM made""",
            {"account": account.pk, "list": mailing_list.pk, "n": recipients, "destinations": destinations},
        )
        cursor.execute("ANALYZE contact, subscription")
    return Campaign.objects.create(
        account=account, name="bench", list=mailing_list, sender=sender, subject="{{ name }}様へ、季節のお知らせ", preheader="送料無料は月末まで",
        editor=Campaign.Editor.CODE, html=content.html(), text=content.text(), has_own_text=True,
    )  # fmt: skip


def add_key(domain: Domain, algorithm: str) -> None:
    key = DkimKey(account=domain.account, domain=domain, selector=algorithm.partition("-")[0], algorithm=algorithm)
    key.active_at = now()
    key.private_key, key.public_key = make_key(algorithm)
    key.save()


def remove(account: Account) -> None:
    erase(account.pk)


def start(campaign: Campaign) -> None:
    """Press the button, and ring the tick that beat would ring within a second."""
    if not campaign.schedule(None):
        raise BenchFailed("The campaign could not be scheduled.")
    doorbell.ring("delivery.tick")


def send(campaign: Campaign) -> float:
    """Send the campaign and wait for its end; return the seconds from the button to the last record."""
    began = time.monotonic()
    start(campaign)
    wait(lambda: status_of(campaign) == Campaign.Status.SENT, "send the campaign")
    return time.monotonic() - began


def status_of(campaign: Campaign) -> str:
    """Return the status of now. Raise BenchFailed for a campaign on hold."""
    campaign.refresh_from_db(fields=["status", "fault", "closed_at"])
    if campaign.status == Campaign.Status.HELD:
        raise BenchFailed(f"The campaign is on hold: {campaign.fault}")
    return campaign.status


def count_of(campaign: Campaign, status: str) -> int:
    """Return how many messages the tally has of a status, or of `all`."""
    return sum(int(n) for _to, each, n in ledger.execute("progress", campaign=campaign.pk) if each == status)


def cancel(campaign: Campaign) -> None:
    """Cancel what is left, and wait until no process works on it."""
    campaign.refresh_from_db()
    if campaign.closed_at is None and campaign.cancel():
        wait(lambda: bool(status_of(campaign) and campaign.closed_at), "cancel the campaign", CANCEL_SECONDS)


def wait(is_done: Callable[[], bool], what: str, seconds: float = PATIENCE, *, look: float = LOOK_SECONDS) -> None:
    """Wait until it is done. Raise BenchFailed when that takes longer."""
    until = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > until:
            raise BenchFailed(f"It took more than {seconds:.0f} s to {what}.")
        time.sleep(look)
