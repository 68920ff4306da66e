from __future__ import annotations

from functools import cache

from django.contrib.auth.hashers import make_password
from django.test import TestCase
from django.utils import translation

from accounts.models import Account, Membership, User

PASSWORD = "four quiet words here"


@cache
def hashed() -> str:
    """Return the stored form of PASSWORD, made once: Argon2 is slow on purpose."""
    return make_password(PASSWORD)


class MailsalesTestCase(TestCase):
    """The cast: Alice owns the account, Bob edits, Vera may only view, Charlie owns another account."""

    def setUp(self) -> None:
        super().setUp()
        translation.activate(User.Language.ENGLISH)  # whatever the test before was read in
        self.account = Account.objects.create(
            name="株式会社青葉商店",
            postal_address="〒604-0000 京都府京都市中京区青葉町1-2-3",
            complaint_address="support@aoba.example.jp",
        )
        self.other_account = Account.objects.create(name="有限会社みどり")
        self.alice = self.member("alice", self.account, Membership.Role.OWNER)
        self.bob = self.member("bob", self.account, Membership.Role.EDITOR)
        self.vera = self.member("vera", self.account, Membership.Role.VIEWER)
        self.charlie = self.member("charlie", self.other_account, Membership.Role.OWNER)

    def member(self, name: str, account: Account, role: Membership.Role) -> User:
        values = {"username": name, "email": f"{name}@example.org", "password": hashed()}
        user = User.objects.create(**values, language=User.Language.ENGLISH)
        Membership.objects.create(account=account, user=user, role=role)
        return user
