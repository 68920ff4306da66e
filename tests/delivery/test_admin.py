from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.timezone import now

from accounts.models import Domain
from campaigns.models import Destination
from delivery.models import BrokenTls, DestinationGroup, StsPolicy, Throttle, TlsResult, WarmupDay
from mailsales.wall import wall
from tests.base import MailsalesTestCase


class DeliveryAdminTest(MailsalesTestCase):
    """Alice is an operator; her pages are asked for as the web process asks."""

    def setUp(self) -> None:
        super().setUp()
        self.alice.is_staff = self.alice.is_superuser = True
        self.alice.save()
        self.client.force_login(self.alice)
        later = now() + timedelta(hours=1)
        text = "4.7.0 <hanako@docomo.ne.jp>: too many connections"
        values: dict[str, Any] = {"route": "mx", "until": later, "code": 421, "text": text, "made_by": "rule"}
        self.throttle = Throttle.objects.create(scope="docomo", **values)
        docomo = Destination.objects.create(name="docomo.ne.jp")
        DestinationGroup.objects.create(destination=docomo, group="docomo", site="mfsmax.docomo.ne.jp")
        self.broken = BrokenTls.objects.create(host="mx.example.jp", until=later, text="handshake failure")
        StsPolicy.objects.create(domain="example.com", mode="enforce", expires_at=later)
        TlsResult.objects.create(on=now().date(), domain="example.com", policy_type="sts", n=3)
        domain = Domain.objects.create(account=self.account, name="aoba.example.jp")
        WarmupDay.objects.create(domain=domain, provider="docomo", on=now().date(), cap=50)

    def ask(self, model: str, *args: object) -> Any:
        view = "change" if args else "changelist"
        with wall(None):
            return self.client.get(reverse(f"admin:delivery_{model}_{view}", args=args))

    def post(self, view: str, *args: object, **data: Any) -> Any:
        with wall(None):
            return self.client.post(reverse(f"admin:delivery_{view}", args=args), data, follow=True)

    def test_every_list_opens(self) -> None:
        for model in (
            "throttle",
            "destinationgroup",
            "brokentls",
            "stspolicy",
            "tlsresult",
            "warmupday",
            "unreadreply",
        ):
            self.assertEqual(self.ask(model).status_code, 200, model)

    def test_a_throttle_is_shown_without_anybody_s_name(self) -> None:
        for page in (self.ask("throttle"), self.ask("throttle", self.throttle.pk)):
            self.assertContains(page, "…@docomo.ne.jp")
            self.assertNotContains(page, "hanako@")

    def test_a_throttle_is_lifted(self) -> None:
        page = self.post("throttle_changelist", action="lift", _selected_action=[self.throttle.pk])
        self.assertContains(page, "1 throttle is lifted.")
        self.assertFalse(Throttle.objects.active().exists())

    def test_nothing_is_changed_by_hand(self) -> None:
        self.assertEqual(self.post("throttle_add", scope="docomo").status_code, 403)
        self.assertEqual(self.post("throttle_change", self.throttle.pk, rate=5).status_code, 403)
        self.assertEqual(self.post("throttle_delete", self.throttle.pk, post="yes").status_code, 403)

    def test_tls_of_a_host_may_be_tried_again(self) -> None:
        self.post("brokentls_delete", self.broken.pk, post="yes")
        self.assertFalse(BrokenTls.objects.exists())

    def test_members_find_nothing(self) -> None:
        self.client.force_login(self.bob)
        with wall(None):
            url = reverse("admin:delivery_throttle_changelist")
            self.assertEqual(self.client.get(url, follow=True).status_code, 404)
