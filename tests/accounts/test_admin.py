from __future__ import annotations

from django.contrib.admin.utils import label_for_field
from django.test import override_settings
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import override

from accounts.admin import operators
from accounts.models import AuditEntry, BlocklistAnswer, Notice
from tests.base import PASSWORD, MailsalesTestCase


class AdminTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice.is_staff = self.alice.is_superuser = True
        self.alice.save()
        self.client.force_login(self.alice)
        self.url = reverse("admin:accounts_account_changelist")

    def test_an_operator_sees_all_accounts(self) -> None:
        self.assertContains(self.client.get(self.url), "有限会社みどり")

    def test_every_page_of_it_opens(self) -> None:
        entry = AuditEntry.objects.create(account=self.account, user=self.alice, action="key.rotate", about="m2")
        notice = Notice.objects.create(account=self.account, address="alice@aoba.example.jp", subject="Hello", text="…")
        answer = BlocklistAnswer.objects.create(name="192.0.2.1", list="bl.example", state="clean", checked_at=now())
        rows = [self.account, self.bob, entry, notice, answer]
        for model, pk in ((row._meta.model_name, row.pk) for row in rows):
            url = reverse(f"admin:accounts_{model}_change", args=[pk])
            self.assertEqual(self.client.get(url).status_code, 200, url)

    def test_every_list_is_in_japanese(self) -> None:
        with override("ja"):
            for model, options in operators._registry.items():
                meta, columns = model._meta, [label_for_field(name, model, options) for name in options.list_display]
                words = map(str, (meta.verbose_name, meta.verbose_name_plural, meta.app_config.verbose_name, *columns))
                self.assertEqual([word for word in words if word.isascii()], [], model)

    def test_what_programs_write_is_only_read(self) -> None:
        for model in ("auditentry", "notice", "blocklistanswer"):
            self.assertEqual(self.client.get(reverse(f"admin:accounts_{model}_add")).status_code, 403)

    def test_a_member_finds_nothing(self) -> None:
        self.client.force_login(self.bob)
        self.assertEqual(self.client.get(self.url, follow=True).status_code, 404)

    @override_settings(ADMIN_NETWORKS=["192.0.2.0/24"])
    def test_other_networks_find_nothing(self) -> None:
        for url in (self.url, reverse("admin:index"), reverse("admin:login")):
            self.assertEqual(self.client.get(url).status_code, 404, url)

    @override_settings(ADMIN_NETWORKS=["192.0.2.0/24"])
    def test_its_own_network_does(self) -> None:
        self.assertEqual(self.client.get(self.url, REMOTE_ADDR="192.0.2.7").status_code, 200)

    def test_a_stranger_signs_in_like_everybody(self) -> None:
        self.client.logout()
        response = self.client.get(self.url, follow=True)
        self.assertTemplateUsed(response, "account/login.html")

    def test_the_lock_holds_here_too(self) -> None:
        self.client.logout()
        for _try in range(5):
            self.client.post(reverse("account_login"), {"login": "alice", "password": "wrong words here"})
        self.client.post(f"{reverse('account_login')}?next={self.url}", {"login": "alice", "password": PASSWORD})
        self.assertNotEqual(self.client.get(self.url).status_code, 200)

    def test_it_has_no_second_way_in(self) -> None:
        self.client.logout()
        self.client.post(reverse("admin:login"), {"username": "alice", "password": PASSWORD})
        self.assertNotIn("_auth_user_id", self.client.session)
