from __future__ import annotations

from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.bounces import read_bounce
from delivery.parts import DEEPEST, decoded, divided, taken_apart, untagged

NESTED = b"--b\nContent-Type: multipart/mixed; boundary=b\n\n"
MULTIPART = (
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\none\n--b\n\ntwo\n--b--\nnone"
)
PIECES = [
    b"From: MAILER-DAEMON@x.example\n", b"Subject: failure notice\n", b"Content-Type: multipart/report; boundary=b\n", b"\n",
    b"--b\n", b"--b--\n", b"Content-Type: message/delivery-status\n", b"Content-Type: message/rfc822\n", b"Content-Type: text/html\n",
    b"Content-Transfer-Encoding: base64\n", b"Final-Recipient: rfc822; a@b.example\n", b"Action: failed\n", b"Status: 5.1.1\n",
    b"<a@b.example>:\n", b"550 5.1.1 User unknown\n", b"This is the mail system at host x.\n", b"\xff\x1b$B", b"<style><p", b'{"bounce"',
]  # fmt: skip


class PartsTest(TestCase):
    def test_parts_end_where_their_boundary_does(self) -> None:
        _header, parts = taken_apart(MULTIPART)
        self.assertEqual([part.text.strip() for part in parts], ["one", "two"])

    def test_a_boundary_that_no_header_names_is_found(self) -> None:
        for declared in (b"Subject: x\n", b"Content-Type: multipart/report\n"):
            raw = declared + MULTIPART.partition(b"\n")[2].replace(b"--b", b"--bound")
            self.assertIn("one", [part.text.strip() for part in taken_apart(raw)[1]])

    def test_what_returned_is_one_part(self) -> None:
        raw = MULTIPART.replace(
            b"text/plain\n\n", b"message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n"
        )
        self.assertEqual([part.content_type for part in taken_apart(raw)[1]], ["message/rfc822", "text/plain"])

    def test_a_thousand_levels_are_not_gone_down(self) -> None:
        raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1_000))
        self.assertEqual(len(taken_apart(raw)[1]), 1)
        self.assertLessEqual(
            len(taken_apart(b"Content-Type: multipart/mixed; boundary=b\n\n" + NESTED * 1_000)[1]), 200
        )
        self.assertGreater(DEEPEST, 3)

    def test_a_mailbox_line_before_the_header_is_none_of_its_fields(self) -> None:
        self.assertEqual(taken_apart(b"From a@b Mon Nov 2 2026\nSubject: x\n\ny")[0], {"subject": "x"})

    def test_fields_are_unfolded_and_decoded(self) -> None:
        header, body = divided(b"Subject: =?iso-2022-jp?B?GyRCJCIbKEI=?=\n =?utf-8?Q?b?=\nTo : a@b\nno field\n")
        self.assertEqual((header["subject"], header["to"], body), ("あb", "a@b", b"no field\n"))

    def test_a_charset_that_is_missing_or_wrong_is_guessed(self) -> None:
        text = "配信できませんでした"
        for charset in ("utf-8", "iso-2022-jp", "cp932", "euc_jp"):
            self.assertEqual(decoded(text.encode(charset), ""), text, charset)
        self.assertEqual(decoded("é".encode("latin-1"), ""), "é")
        self.assertEqual(decoded(text.encode(), "text/plain; charset=nonsense"), text)

    def test_base64_with_anything_in_it_is_decoded(self) -> None:
        raw = b"Content-Transfer-Encoding: BASE64\n\naGVs\nbG8!\n=x"
        self.assertTrue(taken_apart(raw)[1][0].text.startswith("hello"))

    def test_html_is_read_line_by_line(self) -> None:
        self.assertEqual(untagged("<style>x</style><p>a&amp;b<br>c</p><p\n>d <b>e</b>"), "a&b\nc\nd e")

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=40)), max_size=40))
    def test_any_mail_is_read(self, pieces: list[bytes]) -> None:
        for raw in (b"".join(pieces), b"".join(pieces).replace(b"\n", b"\r\n")):
            reading = read_bounce(raw)
            for one in reading.recipients:
                self.assertTrue(one.text.isprintable() and one.recipient.isprintable())
                self.assertLessEqual(len(one.text), 500)
