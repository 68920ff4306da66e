from __future__ import annotations

from django.urls import reverse

from campaigns.models import Suppression
from mailsales.wall import wall
from tests.base import MailsalesTestCase


class SharedSuppressionTest(MailsalesTestCase):
    """As the web process works: in its role, behind the wall."""

    def setUp(self) -> None:
        super().setUp()
        self.alice.is_staff = self.alice.is_superuser = True
        self.alice.save()
        self.client.force_login(self.alice)
        self.add = reverse("admin:campaigns_suppression_add")
        self.list = reverse("admin:campaigns_suppression_changelist")

    def test_an_operator_leaves_a_domain_out_for_all(self) -> None:
        with wall(None):
            self.assertRedirects(self.client.post(self.add, {"address": "example.jp", "note": "裁判所"}), self.list)
        found = Suppression.objects.get()
        self.assertEqual((found.account, found.address, found.reason), (None, "*@example.jp", "manual"))
        self.assertEqual((found.created_by, found.evidence), (self.alice, {"text": "裁判所"}))

    def test_it_is_searched(self) -> None:
        for address in ("taro@example.jp", "jiro@example.jp"):
            Suppression.objects.create(address=address, reason="manual")
        response = self.client.get(self.list, {"q": "taro"})
        self.assertContains(response, "taro@example.jp")
        self.assertNotContains(response, "jiro@example.jp")

    def test_it_is_removed(self) -> None:
        suppression = Suppression.objects.create(address="taro@example.jp", reason="manual")
        with wall(None):
            self.client.post(reverse("admin:campaigns_suppression_delete", args=[suppression.pk]), {"post": "yes"})
        self.assertFalse(Suppression.objects.exists())

    def test_several_are_removed(self) -> None:
        made = [Suppression.objects.create(address=f"{name}@example.jp", reason="manual").pk for name in "ab"]
        with wall(None):
            values = {"action": "delete_selected", "_selected_action": made, "post": "yes"}
            self.client.post(self.list, values)
        self.assertFalse(Suppression.objects.exists())

    def test_an_account_s_own_are_not_shown(self) -> None:
        Suppression.objects.create(account=self.account, address="taro@example.jp", reason="manual")
        self.assertNotContains(self.client.get(self.list), "taro@example.jp")

    def test_the_same_twice_and_bad_ones_are_refused(self) -> None:
        Suppression.objects.create(address="*@example.jp", reason="manual")
        for typed in ("example.jp", "taro"):
            self.assertEqual(self.client.post(self.add, {"address": typed}).status_code, 200)
        self.assertEqual(Suppression.objects.count(), 1)
