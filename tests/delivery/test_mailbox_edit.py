from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from django.test import override_settings
from django.urls import reverse

from accounts.models import AuditEntry, Domain
from delivery.models import ReturnMailbox
from tests.base import MailsalesTestCase
from tests.delivery.dovecot import PASSWORD, Dovecot, dovecot


@override_settings(ALLOW_PRIVATE_MX=True)
class MailboxEditTest(MailsalesTestCase):
    server: Dovecot

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        running = ExitStack()
        cls.addClassCleanup(running.close)
        cls.server = running.enter_context(dovecot())
        running.enter_context(patch.dict(os.environ, SSL_CERT_FILE=str(cls.server.certificate)))

    def setUp(self) -> None:
        super().setUp()
        self.domain = Domain.objects.create(account=self.account, name="aoba.example.jp")
        self.url = reverse("delivery:mailbox_edit", args=[self.domain.pk])
        self.client.force_login(self.alice)

    def post(self, **changes: Any) -> Any:
        values = {"address": "returns@aoba.example.jp", "place": f"localhost:{self.server.port}", "username": "taro"}
        return self.client.post(
            self.url, values | {"password": PASSWORD, "folder": "INBOX", "takes_plus": "on"} | changes
        )

    def test_it_opens(self) -> None:
        self.assertContains(self.client.get(self.url), "Mailbox for what comes back")

    def test_mailbox_that_opens_is_saved_sealed(self) -> None:
        self.assertRedirects(
            self.post(), reverse("accounts:domain_detail", args=[self.domain.pk]), fetch_redirect_response=False
        )
        mailbox = ReturnMailbox.objects.get()
        self.assertEqual((mailbox.account, mailbox.domain, mailbox.port), (self.account, self.domain, self.server.port))
        self.assertEqual((mailbox.password, PASSWORD in mailbox.sealed_password), (PASSWORD, False))
        self.assertEqual(AuditEntry.objects.get().action, "mailbox.save")

    def test_what_the_server_said_is_shown_and_nothing_saved(self) -> None:
        page = self.post(password="wrong")
        self.assertContains(page, "refuses the login name or the password", status_code=422)
        self.assertContains(self.post(folder="Nowhere"), "Mailbox doesn&#x27;t exist", status_code=422)
        self.assertFalse(ReturnMailbox.objects.exists())

    def test_address_must_be_of_the_domain(self) -> None:
        for address in (
            "returns@example.jp",
            "returns@xaoba.example.jp",
            "a%b@aoba.example.jp",
            "*@aoba.example.jp",
            "taro",
        ):
            self.assertEqual(self.post(address=address).status_code, 422, address)
        self.assertFalse(ReturnMailbox.objects.exists())
        self.assertEqual(self.post(address="returns@mail.aoba.example.jp").status_code, 302)

    def test_server_must_be_a_name(self) -> None:
        for place in (
            "",
            "127.0.0.1",
            "imap.example.jp:0",
            "imap.example.jp:99999",
            "http://imap.example.jp",
            "a b",
            "[::1]:993",
        ):
            self.assertContains(self.post(place=place), "field__error", status_code=422)

    @override_settings(ALLOW_PRIVATE_MX=False)
    def test_private_host_is_refused(self) -> None:
        self.assertEqual(self.post().status_code, 422)
        with patch("socket.getaddrinfo", return_value=[(2, 1, 6, "", ("10.0.0.1", 993))]):
            self.assertContains(self.post(place="imap.example.jp"), "not on the public internet", status_code=422)

    def test_password_is_never_shown_and_kept_when_left_empty(self) -> None:
        self.post()
        self.assertNotContains(self.client.get(self.url), "pass word")
        self.assertEqual(self.post(password="", takes_plus="").status_code, 302)
        mailbox = ReturnMailbox.objects.get()
        self.assertEqual((mailbox.password, mailbox.takes_plus), (PASSWORD, False))

    def test_password_does_not_follow_to_another_server(self) -> None:
        self.post()
        page = self.post(password="", place="localhost:9")
        self.assertContains(page, "Enter the password.", status_code=422)

    def test_trouble_is_shown(self) -> None:
        self.post()
        ReturnMailbox.objects.update(trouble="The certificate has expired.")
        self.assertContains(self.client.get(self.url), "The certificate has expired.")

    def test_deleting_asks_first(self) -> None:
        self.post()
        url = reverse("delivery:mailbox_delete", args=[self.domain.pk])
        self.assertContains(self.client.get(url), "returns@aoba.example.jp")
        self.assertTrue(ReturnMailbox.objects.exists())
        self.assertEqual((self.client.post(url).status_code, ReturnMailbox.objects.exists()), (302, False))

    def test_it_requires_an_owner(self) -> None:
        for user, status in ((self.bob, 403), (self.vera, 403), (self.charlie, 404)):
            self.client.force_login(user)
            self.assertEqual((self.client.get(self.url).status_code, self.post().status_code), (status, status))

    def test_it_requires_login(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(self.url).status_code, 302)

    def test_wrong_method(self) -> None:
        self.assertEqual(self.client.put(self.url).status_code, 405)
