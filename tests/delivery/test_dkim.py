from __future__ import annotations

from email import message_from_bytes
from functools import cache

import dkim as dkimpy
import time_machine
from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.compose import Composer, Recipient, Rendition, date_header, freeze
from delivery.dkim import HeaderForm, Headers, Signer, Signers, dns_record, signed_names, verify
from mailsales.dkim_keys import ED25519, RSA, make_key
from tests.delivery import opendkim
from tests.make import make_content

DOMAIN = "aoba.example.jp"
NOW = 1_764_000_000
JAPANESE = st.text(alphabet="あア漢字髙𠮷 \n<&>abc", max_size=60)


@cache
def key(algorithm: str) -> tuple[str, str]:
    return make_key(algorithm)


def signer(algorithm: str = RSA) -> Signer:
    return Signer(DOMAIN, algorithm[:3], algorithm, key(algorithm)[0])


def records() -> dict[tuple[str, str], str]:
    return {(a[:3], DOMAIN): dns_record(DOMAIN, a[:3], a, key(a)[1])[1] for a in (RSA, ED25519)}


def published() -> dict[str, str]:
    return {f"rsa._domainkey.{DOMAIN}": records()[("rsa", DOMAIN)]}


def built(name: str = "佐藤 花子", subject: str = "{{ name }}様、新茶フェアを開きます") -> tuple[Headers, bytes]:
    composer = Composer(Rendition.load(freeze(make_content(subject=subject))), Signers([]), "https://t.example.jp")
    return composer.build(Recipient(4711, "abc.@docomo.ne.jp", name), date_header(NOW))


def signed(*signers: Signer) -> bytes:
    return Signers(signers or [signer()]).sign(*built(), NOW)


class SigningTestCase(SimpleTestCase):
    def stock(self, headers: Headers, body: bytes) -> bytes:
        """Return what dkimpy itself signs, without our code."""
        plain = headers.lines + b"\r\n" + body
        names = signed_names(headers.names)
        with time_machine.travel(NOW, tick=False):
            return bytes(
                dkimpy.DKIM(plain).sign(
                    b"rsa",
                    DOMAIN.encode(),
                    key(RSA)[0].encode(),
                    canonicalize=(b"relaxed", b"relaxed"),
                    include_headers=names,
                )
            )

    def tag_list(self, header: bytes) -> dict[bytes, bytes]:
        value = header.partition(b":")[2]
        return {tag: b"".join(text.split()) for tag, text in dkimpy.util.parse_tag_value(value).items()}

    @given(name=JAPANESE, subject=JAPANESE)
    @settings(deadline=None, max_examples=8)
    def test_it_signs_byte_for_byte_as_dkimpy_does(self, name: str, subject: str) -> None:
        headers, body = built(name, subject + "{{ name }}")
        ours = Signers([signer()]).sign(headers, body, NOW).partition(b"\r\nFrom:")[0]
        self.assertEqual(self.tag_list(ours), self.tag_list(self.stock(headers, body)))

    @given(values=st.lists(st.text(alphabet='aB: %\t=?"<>,;あ\n', max_size=40), min_size=1, max_size=4))
    @settings(deadline=None, max_examples=40)
    def test_it_does_so_for_any_header_folded_anywhere(self, values: list[str]) -> None:
        lines = [b"x" + value.encode().replace(b"\n", b"\r\n ") + b"y" for value in values]
        form = [(b"From", b"a@aoba.example.jp"), *[(b"X-%d" % n, line) for n, line in enumerate(lines)], (b"To", None)]
        headers = HeaderForm(form).fill(lines[0])
        ours = Signers([signer()]).sign(headers, b"x\r\n", NOW).partition(b"\r\nFrom:")[0]
        self.assertEqual(self.tag_list(ours), self.tag_list(self.stock(headers, b"x\r\n")))

    def test_every_header_is_signed_and_nobody_can_add_one(self) -> None:
        raw = signed()
        listed = self.tag_list(raw.partition(b"\r\nFrom:")[0])[b"h"].decode().split(":")
        message = message_from_bytes(raw)
        for name in {name.lower() for name in message.keys()} - {"dkim-signature"}:  # noqa: SIM118
            self.assertIn(name, listed)
        for name in ("from", "to", "subject", "date", "reply-to", "list-unsubscribe", "list-unsubscribe-post"):
            self.assertEqual(listed.count(name), 1 + (name in message))

    def test_the_length_of_the_body_is_not_limited(self) -> None:
        self.assertNotIn(b"l", self.tag_list(signed().partition(b"\r\nFrom:")[0]))

    def test_lines_are_short_wherever_they_can_be_broken(self) -> None:
        lines = [line for line in signed(signer(), signer(ED25519)).split(b"\r\n") if b" " in line.strip()]
        self.assertLessEqual(max(map(len, lines)), 78)

    def test_a_key_of_another_algorithm_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "not of the algorithm"):
            Signers([Signer(DOMAIN, "s", ED25519, key(RSA)[0])])

    def test_without_a_key_the_message_goes_unsigned(self) -> None:
        self.assertTrue(Signers([]).sign(*built(), NOW).startswith(b"From: "))


class VerifyTestCase(SimpleTestCase):
    def test_both_signatures_hold(self) -> None:
        verdicts = verify(signed(signer(), signer(ED25519)), records())
        self.assertEqual([(one.algorithm, one.is_valid) for one in verdicts], [(RSA, True), (ED25519, True)])
        self.assertEqual((verdicts[0].domain, verdicts[0].selector, verdicts[0].fault), (DOMAIN, "rsa", ""))

    def test_a_changed_body_is_noticed(self) -> None:
        for algorithm in (RSA, ED25519):
            raw = signed(signer(algorithm))
            self.assertIn("body hash mismatch", verify(raw[:-30] + b"x" + raw[-29:], records())[0].fault)

    def test_a_changed_or_added_header_is_noticed(self) -> None:
        for algorithm in (RSA, ED25519):
            raw = signed(signer(algorithm))
            for changed in (
                raw.replace(b"\r\nTo: ", b"\r\nTo: x"),
                b"Subject: x\r\n" + raw,
                b"Reply-To: x@y.example\r\n" + raw,
            ):
                self.assertFalse(verify(changed, records())[0].is_valid)

    def test_a_key_that_is_not_published_proves_nothing(self) -> None:
        for known in ({}, {("rsa", DOMAIN): "v=DKIM1; p="}, {("rsa", DOMAIN): "nonsense"}):
            verdict = verify(signed(), known)[0]
            self.assertFalse(verdict.is_valid)
            self.assertTrue(verdict.fault)

    def test_mail_without_a_signature_has_no_verdict(self) -> None:
        self.assertEqual(verify(b"From: a@b.example\r\n\r\nx", {}), [])

    def test_what_is_no_mail_does_no_harm(self) -> None:
        for raw in (b"", b"\xff\xfe", b"DKIM-Signature: v=1\r\n\r\n", b"DKIM-Signature: \xff=;;\r\n\r\nx"):
            self.assertFalse(any(verdict.is_valid for verdict in verify(raw, records())))


class OpendkimTestCase(SimpleTestCase):
    def test_it_finds_our_signature_good(self) -> None:
        self.assertEqual(opendkim.complaints(signed(), published()), "")

    def test_it_notices_a_change(self) -> None:
        self.assertNotEqual(opendkim.complaints(signed().replace(b"\r\nTo: ", b"\r\nTo: x"), published()), "")

    def test_it_needs_the_key(self) -> None:
        self.assertNotEqual(opendkim.complaints(signed(), {}), "")
