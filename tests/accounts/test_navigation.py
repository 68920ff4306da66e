from __future__ import annotations

from django.test import override_settings
from django.urls import reverse

from accounts.models import Domain
from tests.base import MailsalesTestCase
from tests.make import make_sender


class RouteTest(MailsalesTestCase):
    def route(self) -> str:
        self.client.force_login(self.alice)
        return str(self.client.get(reverse("accounts:security")).context["route"]["text"])

    def test_in_the_sandbox_nothing_leaves(self) -> None:
        make_sender(self.account)
        self.assertIn("Nothing leaves this machine", self.route())

    @override_settings(DEFAULT_ROUTE="mx")
    def test_without_a_confirmed_domain_only_members_get_mail(self) -> None:
        self.assertIn("only to verified members", self.route())

    @override_settings(DEFAULT_ROUTE="mx")
    def test_a_confirmed_domain_is_named(self) -> None:
        make_sender(self.account)
        self.assertEqual(self.route(), "From aoba.example.jp, with STARTTLS and a DKIM signature.")

    @override_settings(DEFAULT_ROUTE="mx")
    def test_several_are_counted(self) -> None:
        sender = make_sender(self.account)
        Domain.objects.create(account=self.account, name="b.example.jp", proven_at=sender.created_at, state="good")
        self.assertIn("From aoba.example.jp and 1 more", self.route())

    @override_settings(DEFAULT_ROUTE="mx")
    def test_a_broken_one_does_not_count(self) -> None:
        make_sender(self.account)
        Domain.objects.update(state=Domain.State.BROKEN)
        self.assertIn("only to verified members", self.route())
