"""What the demo's readers did with their mail, what machines did before them, and what came back later."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.utils.timezone import now

from campaigns.models import Campaign, Subscription, Suppression
from delivery.machines import APPLE, SCANNER
from delivery.models import Complaint, Message, Unsubscribe
from mailsales.management.demo.rows import copy
from mailsales.reasons import Reason

OPENED, BY_APPLE, SCANNED = 0.36, 0.16, 0.02  # shares of all
CLICKED, LEFT = 0.24, 0.012  # shares of those who opened
HALF_LIFE = 4.0  # hours until half of those who open have done so
FAVOURITES = (6, 3, 1)  # how much likelier the first links are followed
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SO-51D) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36",
)
APPLE_AGENT, SCANNER_AGENT = "Mozilla/5.0", "Mozilla/5.0 (compatible; Barracuda Email Security)"
RETURNED = "550 5.1.1 <{address}>: Recipient address rejected: User unknown in virtual mailbox table"
EVENT = "account_id campaign_id message_id at machine user_agent ip"
Row = tuple[object, ...]


class Story:
    """Collects events message by message, then writes all of them."""

    def __init__(self, campaign: Campaign, links: int, chance: random.Random) -> None:
        self.campaign = campaign
        self.links = range(1, links + 1)
        self.chance = chance
        self.opens: list[Row] = []
        self.clicks: list[Row] = []
        self.bounces: list[Row] = []
        self.suppressed: list[tuple[Message, datetime, Reason, str]] = []
        self.left: list[tuple[Message, datetime]] = []
        self.complaints: list[tuple[Message, datetime]] = []

    def tell(self, message: Message, manner: str) -> None:
        """Think out what happened after this message got its result."""
        at = message.closed_at
        assert at
        if manner == "bounce":
            self.suppressed.append((message, at, Reason.USER_UNKNOWN, ""))
        if message.status != Message.Status.SENT:
            return
        if manner == "dsn":
            self._return(message, at + timedelta(minutes=3 + self.chance.random() * 20))
        elif manner == "complain":
            self.complaints.append((message, at + timedelta(hours=2 + self.chance.random() * 8)))
        else:
            self._read(message, at)

    def _read(self, message: Message, at: datetime) -> None:
        if self.chance.random() < SCANNED:
            second = timedelta(seconds=1)
            self._note(self.opens, message, at + second, SCANNER, SCANNER_AGENT)
            for number in self.links:
                self._note(self.clicks, message, at + second, SCANNER, SCANNER_AGENT, number)
        if self.chance.random() < BY_APPLE:
            self._note(self.opens, message, at + timedelta(minutes=self.chance.random() * 90), APPLE, APPLE_AGENT)
        if self.chance.random() < OPENED:
            self._open(message, at + timedelta(seconds=40, hours=self.chance.expovariate(0.69 / HALF_LIFE)))

    def _open(self, message: Message, at: datetime) -> None:
        browser = self.chance.choice(BROWSERS)
        while True:
            self._note(self.opens, message, at, "", browser)
            if self.chance.random() < CLICKED:
                (number,) = self.chance.choices(self.links, self._weights())
                self._note(
                    self.clicks, message, at + timedelta(seconds=8 + self.chance.random() * 50), "", browser, number
                )
            if self.chance.random() < LEFT:
                self.left.append((message, at + timedelta(seconds=90)))
                return
            if self.chance.random() < 0.75:
                return
            at += timedelta(hours=self.chance.expovariate(1 / 6))

    def _weights(self) -> list[int]:
        return [FAVOURITES[min(place, len(FAVOURITES) - 1)] for place in range(len(self.links))]

    def _note(self, kind: list[Row], message: Message, at: datetime, machine: str, agent: str, *more: object) -> None:
        if at < now():
            ip = f"198.51.100.{self.chance.randrange(1, 255)}"  # RFC 5737
            kind.append((message.account_id, message.campaign_id, message.pk, at, machine, agent, ip, *more))

    def _return(self, message: Message, at: datetime) -> None:
        text = RETURNED.format(address=message.address)
        ids = (message.account_id, message.campaign_id, message.pk)
        self.bounces.append((*ids, at, True, str(Reason.USER_UNKNOWN), "5.1.1", 550, text[4:]))
        self.suppressed.append((message, at, Reason.USER_UNKNOWN, text))

    def write(self) -> None:
        copy("open", EVENT, self.opens)
        copy("click", f"{EVENT} number", self.clicks)
        copy("bounce", "account_id campaign_id message_id at is_hard reason enhanced code text", self.bounces)
        own = {"account": self.campaign.account, "campaign": self.campaign}
        Complaint.objects.bulk_create(
            Complaint(**own, message=message, at=at, feedback_type="abuse", text="Feedback-Type: abuse")
            for message, at in self.complaints
        )
        Unsubscribe.objects.bulk_create(
            Unsubscribe(**own, message=message, at=at, how=self.chance.choice(["page", "one_click"]), why=self.chance.choice(["", "", "too_many", "not_wanted"]))
            for message, at in self.left
        )  # fmt: skip
        for message, at in self.left:
            on_list = Subscription.objects.filter(list=self.campaign.list_id, contact=message.contact_id)
            on_list.update(status=Subscription.Status.UNSUBSCRIBED, unsubscribed_at=at)
        self._suppress()

    def _suppress(self) -> None:
        found = [*self.suppressed]
        found += [(message, at, Reason.COMPLAINT, "Feedback-Type: abuse") for message, at in self.complaints]
        found += [(message, at, Reason.UNSUBSCRIBED, "") for message, at in self.left]
        named = {"campaign": self.campaign.name, "list": str(self.campaign.list)}
        Suppression.objects.bulk_create(
            Suppression(account=self.campaign.account, address=message.address, reason=reason, created_at=at, evidence={"text": text, **named})
            for message, at, reason, text in found
        )  # fmt: skip
