from __future__ import annotations

from datetime import timedelta
from io import StringIO

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from accounts.domains import rotation
from accounts.domains.keys import import_key
from accounts.models import DkimKey, Domain, Notice
from mailsales.dkim_keys import make_key
from tests.accounts.domains import DomainTestCase

HALF_A_YEAR = timedelta(days=183)


class RotationTest(DomainTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.publish()
        self.recheck()

    def age(self, by: timedelta = HALF_A_YEAR) -> None:
        self.domain.keys.filter(active_at__isnull=False).update(active_at=now() - by)

    def states(self) -> dict[str, str]:
        return {key.selector: key.state.value for key in self.domain.keys.all()}

    def test_young_keys_stay(self) -> None:
        self.age(timedelta(days=100))
        self.assertEqual((rotation.rotate_due(), Notice.objects.count()), (0, 0))

    def test_after_half_a_year_the_next_keys_sign_and_new_ones_are_made(self) -> None:
        self.age()
        self.assertEqual(rotation.rotate_due(), 2)
        expected = {"m1": "old", "e1": "old", "m2": "current", "e2": "current", "m3": "next", "e3": "next"}
        self.assertEqual(self.states(), expected)

    def test_the_owners_are_asked_for_the_new_records(self) -> None:
        self.age()
        rotation.rotate_due()
        text = Notice.objects.get().text
        self.assertIn("m3._domainkey.aoba.example.jp", text)
        self.assertIn(self.domain.keys.get(selector="e3").record, text)

    def test_a_key_that_is_not_in_dns_never_signs(self) -> None:
        self.age()
        self.publish("dkim-m2")
        self.assertEqual(rotation.rotate_due(), 1)
        self.assertEqual((self.states()["m1"], self.states()["e2"]), ("current", "current"))

    def test_nor_while_dns_is_in_trouble(self) -> None:
        self.age()
        self.names.faults = {"m2._domainkey.aoba.example.jp": "servfail", "e2._domainkey.aoba.example.jp": "servfail"}
        with self.assertLogs("accounts.domains.rotation", "WARNING"):
            self.assertEqual(rotation.rotate_due(), 0)

    def test_a_month_before_the_owners_are_reminded_once(self) -> None:
        self.domain.keys.filter(selector="m2").update(published_at=None)
        self.age(timedelta(days=160))
        rotation.rotate_due()
        rotation.rotate_due()
        notice = Notice.objects.get()
        self.assertIn("Reminder", notice.subject)
        self.assertIn("m2._domainkey", notice.text)

    def test_a_replaced_key_is_kept_for_two_weeks(self) -> None:
        self.age()
        rotation.rotate_due()
        self.domain.keys.filter(selector="m1").update(retired_at=now() - timedelta(days=15))
        rotation.rotate_due()
        self.assertNotIn("m1", self.states())
        self.assertIn("e1", self.states())

    def test_both_may_run_at_once_and_one_changes_them(self) -> None:
        first = rotation.rotate(self.domain, is_forced=True)
        again = rotation.rotate(self.domain, is_forced=True)
        self.assertEqual((len(first), again), (2, []))

    def test_the_command_changes_them_now(self) -> None:
        out = StringIO()
        call_command("rotatekeys", "aoba.example.jp", "--now", stdout=out)
        self.assertIn("aoba.example.jp: m2 (RSA) signs now.", out.getvalue())
        with self.assertRaisesRegex(CommandError, "not in DNS"):
            call_command("rotatekeys", "aoba.example.jp", "--now", stdout=out)
        with self.assertRaisesRegex(CommandError, "No account has proven nobody.example"):
            call_command("rotatekeys", "nobody.example")


class ImportTest(DomainTestCase):
    def test_an_rsa_key_keeps_its_selector_and_signs_when_it_is_seen(self) -> None:
        key = import_key(self.domain, "S1._domainkey.aoba.example.jp.", rsa_pem(2048))
        self.assertEqual((key.selector, key.state, key.is_imported), ("s1", DkimKey.State.NEXT, True))
        self.publish("dkim-m1")
        self.assertEqual(self.recheck().state, Domain.State.GOOD)
        key.refresh_from_db()
        self.assertEqual(key.state, DkimKey.State.CURRENT)
        self.assertFalse(self.domain.keys.filter(selector="m1").exists())

    def test_an_ed25519_key_as_well(self) -> None:
        pem, public = make_key(DkimKey.Algorithm.ED25519)
        key = import_key(self.domain, "ed", pem)
        self.assertEqual((key.algorithm, key.public_key), (DkimKey.Algorithm.ED25519, public))

    def test_the_private_half_is_sealed(self) -> None:
        key = import_key(self.domain, "s1", rsa_pem(2048))
        self.assertNotIn("PRIVATE", key.sealed_private_key)
        self.assertIn("PRIVATE", key.private_key)

    def test_what_cannot_sign_is_refused_in_words(self) -> None:
        curve = generate_curve_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for selector, pem, words in (
            ("s1", "hello", "Paste the private key"),
            ("s1", rsa_pem(1024), "1024 bits"),
            ("s1", rsa_pem(2048, BestAvailableEncryption(b"secret")), "password"),
            ("s1", curve.decode(), "Only RSA and Ed25519"),
            ("s1", "-----BEGIN PUBLIC KEY-----", "public half"),
            ("m1", rsa_pem(2048), "already"),
            ("s 1", rsa_pem(2048), "selector"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                import_key(self.domain, selector, pem)


def rsa_pem(bits: int, lock: KeySerializationEncryption | None = None) -> str:
    key = generate_private_key(65537, bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, lock or NoEncryption()).decode()
