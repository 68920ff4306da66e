"""The data that the pages of the look tests show: one company with a little of everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import Account, Brand, Membership, Sender, User
from campaigns.imports import starting
from campaigns.models import (
    AddressChange,
    Campaign,
    Contact,
    ContactField,
    ContactImport,
    Destination,
    ImportRefusal,
    MailingList,
    Subscription,
    Suppression,
    TestSend,
)
from delivery.models import (
    Attempt,
    Bounce,
    Click,
    DestinationGroup,
    Link,
    Message,
    Open,
    ReturnMailbox,
    SandboxMail,
    Throttle,
)
from mailsales import ledger, tokens
from mailsales.reasons import Reason
from tests.base import PASSWORD
from tests.look.domains import add_domains
from tests.make import make_campaign, make_contact, make_list, make_message, make_png, make_sender

BODY = (
    '<p>{{ name | default: "お客様" }} 様</p>'
    "<p>いつも青葉商店をご利用いただき、ありがとうございます。</p>"
    "<h2>秋摘み茶が届きました</h2>"
    "<p>今年の秋摘み茶が、宇治と八女からそろって届きました。夏の日差しをたっぷり受けた葉は、香りがまろやかです。</p>"
    '<p><a href="https://shop.aoba.example.jp/akitsumi">秋摘み茶を見る</a></p>'
)
PEOPLE = [
    ("佐藤 花子", "hanako.sato@example.jp", Message.Status.SENT, ""),
    (
        "髙橋 龍之介エリザベス",
        "ryunosuke-elizabeth.takahashi+shincha2026@mail.longer-company-name.example.com",
        Message.Status.SENT,
        "",
    ),
    ("伊藤 誠", "abc.def.@docomo.ne.jp", Message.Status.BOUNCED, Reason.USER_UNKNOWN),
    ("渡辺 さくら", "sakura@softbank.ne.jp", Message.Status.BOUNCED, Reason.SPAM),
    ("山本 一郎", "i.yamamoto@corp.example.com", Message.Status.UNKNOWN, Reason.NO_REPLY),
    ("", "info@ryokan-midori.example.com", Message.Status.SUPPRESSED, ""),
]
FAULT = "これまでに送った宛先の 16% がこのメールを拒否しています：迷惑メールと判定。サーバーの返答：「5.7.1 likely unsolicited mail」"
REPLIES = {
    Message.Status.SENT: (250, "250 2.0.0 Ok: queued as 4Xq1fT2vB7z9"),
    Message.Status.BOUNCED: (550, "550 5.1.1 The email account that you tried to reach does not exist."),
}
RESTRAINED: dict[str, tuple[str, dict[str, Any]]] = {
    "docomo.ne.jp": ("docomo", {"code": 421, "text": "4.7.0 <9@docomo.ne.jp>: too many connections from your host, try later", "made_by": "rule"}),
    "yahoo.co.jp": ("yahoo_japan", {"code": 451, "text": "4.3.2 (TS01) Messages temporarily deferred", "rate": 1 / 60, "made_by": "rule"}),
    "ryokan-midori.example.com": ("mx.ryokan-midori.example.com", {"text": "Connection refused", "made_by": "failure"}),
    "softbank.ne.jp": ("softbank", {"text": "回線の工事", "reason": "manual", "made_by": "person"}),
}  # fmt: skip
FILE = "メールアドレス,氏名,会社名\nhanako.sato@example.jp,佐藤 花子,みどり旅館\nmakoto@example.jp,伊藤 誠,\n".encode(
    "cp932"
)
MAIL = b"""From: =?utf-8?b?6Z2S6JGJ5ZWG5bqX?= <tayori@aoba.example.jp>\r
To: <hanako.sato@example.jp>\r
Subject: =?utf-8?b?56eL5pGY44G/6Iy244GM5bGK44GN44G+44GX44Gf?=\r
Message-ID: <m4k2q9x7.40.1@aoba.example.jp>\r
Date: Tue, 24 Nov 2026 10:38:02 +0900\r
MIME-Version: 1.0\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Hello</p>\r
"""


@dataclass
class World:
    """Rows by name, as the paths of `pages.py` ask for them."""

    account: Account
    users: dict[str, User]
    rows: dict[str, int] = field(default_factory=dict)  # name → primary key
    tokens: dict[str, str] = field(default_factory=dict)


def make_world() -> World:
    account = Account.objects.create(
        name="株式会社青葉商店",
        postal_address="〒604-0000 京都府京都市中京区青葉町1-2-3",
        complaint_address="support@aoba.example.jp",
    )
    world = World(account, {name: _make_user(name) for name in ("alice", "vera", "emma", "nora", "mio")})
    empty = Account.objects.create(name="有限会社みどり")
    for name, of, role in (
        ("alice", empty, Membership.Role.EDITOR),
        ("alice", account, Membership.Role.OWNER),
        ("vera", account, Membership.Role.VIEWER),
        ("emma", empty, Membership.Role.OWNER),
    ):
        Membership.objects.create(account=of, user=world.users[name], role=role)
    sender, mailing_list = make_sender(account), make_list(account)
    world.rows |= {"sender": sender.pk, "list": mailing_list.pk}
    _add_contacts(world, mailing_list)
    _add_campaigns(world, mailing_list, sender)
    _add_imports(world, mailing_list)
    _add_results(world)
    _add_restraints(world)
    _add_reader(world)
    world.rows |= add_domains(account)
    _add_mailbox(account, world.rows["domain_3"])
    return world


def _add_mailbox(account: Account, domain_id: int) -> None:
    """Give a domain a mailbox for what comes back, which cannot be read for the moment."""
    values = {"address": "modori@midori.example.jp", "host": "imap.midori.example.jp", "username": "modori"}
    mailbox = ReturnMailbox(account=account, domain_id=domain_id, **values)
    mailbox.password = PASSWORD
    mailbox.trouble = "サーバーの答え：SELECT: Mailbox doesn't exist: エラー"
    mailbox.save()


def _make_user(name: str) -> User:
    names = {"last_name": "田中", "first_name": "美咲"} if name == "alice" else {}
    return User.objects.create_user(name, f"{name}@aoba.example.jp", PASSWORD, **names)


def _add_contacts(world: World, mailing_list: MailingList) -> None:
    for position, (key, label) in enumerate([("company", "会社名"), ("member_no", "会員番号")]):
        ContactField.objects.create(account=world.account, key=key, label=label, position=position)
    for name, address, _status, _reason in PEOPLE:
        contact = make_contact(
            world.account, mailing_list, name=name, address=address, fields={"company": "みどり旅館"}
        )
        world.rows.setdefault("contact", contact.pk)
    suppression = Suppression.objects.create(
        account=world.account,
        address=PEOPLE[4][1],
        reason=Reason.USER_UNKNOWN,
        evidence={"text": REPLIES[Message.Status.BOUNCED][1], "campaign": "10月のおたより", "list": "青葉だより"},
    )
    world.rows["suppression"] = suppression.pk
    days = ["2026-10-30", "2026-11-03", "2026-11-07", "2026-11-11", "2026-11-16"]
    full = {"text": "552 5.2.2 mailbox full", "campaign": "10月のおたより", "list": "青葉だより", "days": days}
    later = timezone.now() + timedelta(days=90)
    others: list[dict[str, Any]] = [
        {"address": PEOPLE[1][1], "reason": Reason.MAILBOX_FULL, "evidence": full, "retry_at": later},
        {"address": "*@rival.example.com", "reason": Reason.MANUAL, "created_by": world.users["alice"]},
        {"address": "left@example.jp", "reason": Reason.UNSUBSCRIBED, "evidence": {"campaign": "10月のおたより"}},
    ]
    for each in others:
        Suppression.objects.create(**{"account": world.account} | each)


def _add_campaigns(world: World, mailing_list: MailingList, sender: Sender) -> None:
    now, ready = timezone.now(), {"list": mailing_list, "sender": sender, "html": BODY}
    long = "卸売のお取引先へ：年末年始の休業日と最終出荷日についての大切なお知らせ"
    campaigns: dict[str, dict[str, Any]] = {
        "draft": {"name": "秋摘み茶のご案内", "subject": "秋摘み茶が届きました"},
        "code": {"name": long, "editor": "code"},
        "scheduled": {"name": "定期便 11月号", "status": "scheduled", "send_at": now + timedelta(days=1)},
        "sent": {"name": "新茶フェアのご案内", "status": "sent", "send_at": now - timedelta(hours=2), "closed_at": now},
        "sending": {"name": "店舗の催し", "status": "sending", "send_at": now, "expires_at": now + timedelta(days=3)},
        "held": {"name": "お詫びとご連絡", "status": "held", "send_at": now - timedelta(hours=3)},
        "paused": {"name": "卸売だより", "status": "paused", "send_at": now, "paused_at": now, "fault": FAULT},
    }
    for key, values in campaigns.items():
        world.rows[key] = make_campaign(world.account, **ready | values).pk
    world.rows["blocked"] = make_campaign(world.account, name="冬のごあいさつ", subject="", html="").pk
    for address, status, reply in (
        ("misaki@aoba.example.jp", TestSend.Status.SENT, "250 2.0.0 Ok"),
        ("ken@aoba.example.jp", TestSend.Status.FAILED, "550 5.1.1 User unknown"),
    ):
        TestSend.objects.create(
            account=world.account, campaign_id=world.rows["draft"], address=address, status=status, reply=reply
        )


def _add_imports(world: World, mailing_list: MailingList) -> None:
    now = timezone.now()
    for status in ContactImport.Status:
        job = ContactImport(account=world.account, list=mailing_list, file_name="名簿.csv", basis="consent")
        starting.prepare(job, found := starting.look(BytesIO(FILE), world.account), found.columns)
        job.file.save("list.csv", ContentFile(FILE), save=False)
        job.status, job.created_at, job.started_at = status, now, now
        job.rows, job.done, job.new, job.updated, job.unchanged, job.refused = 1_240, 930, 800, 90, 38, 2
        if status == ContactImport.Status.REFUSED:
            job.error = {"reason": "broken_quotes", "line": 12}
        job.save()
        world.rows[f"import_{status}"] = job.pk
    ImportRefusal.objects.create(
        account=world.account,
        contact_import_id=world.rows["import_done"],
        line=14,
        reason="no_at",
        address="hanako.example.jp",
        row=["hanako.example.jp", "佐藤 花子"],
    )


def _add_results(world: World) -> None:
    """Give the sent campaign its results, and the sending one its progress."""
    contacts = {contact.address: contact for contact in Contact.objects.of(world.account)}
    for key in ("sent", "sending"):
        campaign = Campaign.objects.get(pk=world.rows[key])
        Link.objects.create(
            account=world.account, campaign=campaign, number=1, url="https://shop.aoba.example.jp/", label="秋摘み茶"
        )
        for position, (_name, address, status, reason) in enumerate(PEOPLE):
            is_to_come = key == "sending" and position % 2
            values = {"status": Message.Status.QUEUED} if is_to_come else {"status": status, "reason": reason or None}
            _add_events(make_message(campaign, contacts[address], **values), key, position, world)
    ledger.execute("restore_tally")


def _add_events(message: Message, key: str, position: int, world: World) -> None:
    if code := REPLIES.get(Message.Status(message.status)):
        Attempt.objects.create(
            account=world.account,
            message=message,
            lease_id=message.pk,
            code=code[0],
            command="DATA",
            host="mx1.example.jp",
            text=code[1],
        )
    if key != "sent" or position > 1:
        return
    ids = {"account_id": world.account.pk, "campaign_id": message.campaign_id, "message_id": message.pk}
    Open.objects.create(**ids, machine="" if position == 0 else "apple", user_agent="Mozilla/5.0 (iPhone)")
    if position == 0:
        Click.objects.create(**ids, number=1, user_agent="Mozilla/5.0 (iPhone)")
        world.rows["message"] = message.pk
        world.tokens["unsubscribe"] = tokens.unsubscribe_token(world.account.pk, message.pk)
        mail = SandboxMail.objects.create(
            account=world.account,
            message_id=message.pk,
            mail_from="b+1n7c2k@bounce.aoba.example.jp",
            recipient=message.address,
            subject="秋摘み茶が届きました",
            raw=MAIL,
            size=len(MAIL),
            tls="TLSv1.3",
            code=250,
            reply="250 2.0.0 Kept as 1",
        )
        world.rows["mail"] = mail.pk
    else:
        Bounce.objects.create(**ids, is_hard=False, reason=Reason.MAILBOX_FULL, text="552 5.2.2 Mailbox full")


def _add_restraints(world: World) -> None:
    """Give Mio a campaign that is held back at four places, each for a reason of its own."""
    account = Account.objects.create(name="株式会社みおつくし")
    account.route = "mx"
    account.save()
    Membership.objects.create(account=account, user=world.users["mio"], role=Membership.Role.OWNER)
    mailing_list, now = make_list(account), timezone.now()
    campaign = make_campaign(
        account, list=mailing_list, sender=make_sender(account), status="sending", send_at=now, expires_at=now + timedelta(days=3)
    )  # fmt: skip
    for number, domain in enumerate([*RESTRAINED, "corp.example.com"] * 12):
        contact = make_contact(account, mailing_list, address=f"{number}@{domain}")
        make_message(campaign, contact, status="sent" if number < 10 else "queued")
    for domain, (scope, values) in RESTRAINED.items():
        DestinationGroup.objects.create(destination=Destination.objects.get(name=domain), group=scope, site=scope)
        Throttle.objects.create(route="mx", scope=scope, until=now + timedelta(minutes=50), **values)
    ledger.execute("restore_tally")
    world.rows["held_back"] = campaign.pk


def _add_reader(world: World) -> None:
    """Give the reader of the unsubscribe token a second list and a wish, and the company a look of its own."""
    contact = Contact.objects.get(pk=world.rows["contact"])
    events = make_list(world.account, name="店舗の催し", about="お茶会やセミナー")
    Subscription.objects.create(account=world.account, list=events, contact=contact, basis="card")
    change = AddressChange.objects.create(account=world.account, contact=contact, address="h.sato@new.example.jp")
    world.tokens["change"] = tokens.change_token(world.account.pk, change.pk)
    Brand.objects.create(account=world.account, color="#e0b000", logo=make_png(320, 80), logo_type="image/png")
