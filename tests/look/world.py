"""The data that the pages of the look tests show: one company with a little of everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from accounts.models import Account, Membership, Sender, User
from campaigns.models import Campaign, Contact, ContactField, MailingList, Suppression, TestSend
from mailsales.reasons import Reason
from tests.base import PASSWORD
from tests.make import make_campaign, make_contact, make_list, make_sender

BODY = (
    '<p>{{ name | default: "お客様" }} 様</p>'
    "<p>いつも青葉商店をご利用いただき、ありがとうございます。</p>"
    "<h2>秋摘み茶が届きました</h2>"
    "<p>今年の秋摘み茶が、宇治と八女からそろって届きました。夏の日差しをたっぷり受けた葉は、香りがまろやかです。</p>"
    '<p><a href="https://shop.aoba.example.jp/akitsumi">秋摘み茶を見る</a></p>'
)
PEOPLE = [
    ("佐藤 花子", "hanako.sato@example.jp"),
    ("髙橋 龍之介エリザベス", "ryunosuke-elizabeth.takahashi+shincha2026@mail.longer-company-name.example.com"),
    ("伊藤 誠", "abc.def.@docomo.ne.jp"),
    ("渡辺 さくら", "sakura@softbank.ne.jp"),
    ("山本 一郎", "i.yamamoto@corp.example.com"),
    ("", "info@ryokan-midori.example.com"),
]


@dataclass(frozen=True)
class World:
    account: Account
    users: dict[str, User]
    sender: Sender
    mailing_list: MailingList
    contacts: list[Contact]
    draft: Campaign
    code: Campaign
    blocked: Campaign
    scheduled: Campaign


def make_world() -> World:
    account = Account.objects.create(
        name="株式会社青葉商店",
        postal_address="〒604-0000 京都府京都市中京区青葉町1-2-3",
        complaint_address="support@aoba.example.jp",
    )
    empty = Account.objects.create(name="有限会社みどり")
    users = {name: _make_user(name) for name in ("alice", "vera", "emma", "nora")}
    Membership.objects.create(account=empty, user=users["alice"], role=Membership.Role.EDITOR)
    Membership.objects.create(account=account, user=users["alice"], role=Membership.Role.OWNER)
    Membership.objects.create(account=account, user=users["vera"], role=Membership.Role.VIEWER)
    Membership.objects.create(account=empty, user=users["emma"], role=Membership.Role.OWNER)
    sender, mailing_list = make_sender(account), make_list(account)
    for position, (key, label) in enumerate([("company", "会社名"), ("member_no", "会員番号")]):
        ContactField.objects.create(account=account, key=key, label=label, position=position)
    contacts = [
        make_contact(account, mailing_list, name=name, address=address, fields={"company": "みどり旅館"})
        for name, address in PEOPLE
    ]
    Suppression.objects.create(account=account, address=PEOPLE[4][1], reason=Reason.USER_UNKNOWN)
    ready = {"list": mailing_list, "sender": sender}
    draft = make_campaign(account, name="秋摘み茶のご案内", subject="秋摘み茶が届きました", html=BODY, **ready)
    code = make_campaign(
        account,
        name="卸売のお取引先へ：年末年始の休業日と最終出荷日についての大切なお知らせ",
        html=BODY,
        editor="code",
        **ready,
    )
    TestSend.objects.create(
        account=account, campaign=draft, address="misaki@aoba.example.jp", status="sent", reply="250 2.0.0 Ok"
    )
    TestSend.objects.create(
        account=account, campaign=draft, address="ken@aoba.example.jp", status="failed", reply="550 5.1.1 User unknown"
    )
    scheduled = make_campaign(
        account,
        name="定期便 11月号",
        html=BODY,
        status="scheduled",
        send_at=timezone.now() + timedelta(days=1),
        **ready,
    )
    blocked = make_campaign(account, name="冬のごあいさつ", subject="", html="")
    return World(account, users, sender, mailing_list, contacts, draft, code, blocked, scheduled)


def _make_user(name: str) -> User:
    names = {"last_name": "田中", "first_name": "美咲"} if name == "alice" else {}
    return User.objects.create_user(name, f"{name}@aoba.example.jp", PASSWORD, **names)
