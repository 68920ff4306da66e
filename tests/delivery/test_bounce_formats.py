from __future__ import annotations

import time
from pathlib import Path
from unittest import TestCase

from delivery.bounce_formats import FORMATS
from delivery.bounce_formats.explanations import explained
from delivery.bounces import Kind, Reading, read_bounce
from delivery.management.commands.readbounce import mails_in
from delivery.parts import taken_apart

MAILS = Path(__file__).parent / "bounces"
LINE_ENDS = (b"\n", b"\r\n", b"\r")
DAEMON = b"From: MAILER-DAEMON@mx.example.net\nReturn-Path: <>\nSubject: failure notice\n"
QMAIL = (
    b"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the\n"
    b"following addresses.\n\n<hanako@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n"
)
PERSON = b"From: Hanako <hanako@example.net>\nSubject: What is this?\n\n"
SLOW = (
    b"a",
    b" ",
    b"<",
    b"\n",
    b"-",
    b"=?",
    b"a@b ",
    b"550-",
    b"could not ",
    b"<p",
    b"{",
    b"Date: x\n",
    b"--b\n\n",
    b"From a b 2026\n",
)


def said(reading: Reading) -> str:
    """Return the reasons of a reading as the mails in `bounces/` expect them."""
    words = []
    for one in reading.recipients:
        words += [", ".join([one.reason, *["hard"] * one.is_hard, *["delayed"] * (one.action == "delayed")])]
    return "; ".join(words)


class BounceFormatsTest(TestCase):
    def test_each_system_s_text_says_what_it_means_with_every_line_end(self) -> None:
        for mail in mails_in((MAILS / "bounces.mbox").read_bytes()):
            name, _semicolon, expected = taken_apart(mail)[0]["x-expected"].partition("; ")
            for end in LINE_ENDS:
                with self.subTest(name, end=end):
                    reading = read_bounce(mail.replace(b"\n", end))
                    self.assertEqual(said(reading), expected)
                    self.assertIn("@", reading.recipients[0].recipient)

    def test_nothing_is_read_in_ordinary_mail(self) -> None:
        for mail in mails_in((MAILS / "ordinary.mbox").read_bytes()):
            with self.subTest(taken_apart(mail)[0]["x-expected"]):
                reading = read_bounce(mail)
                self.assertEqual((reading.recipients, reading.feedback), ([], None))

    def test_a_bounce_quoted_or_forwarded_by_a_person_is_none(self) -> None:
        quoted = b"\n".join(b"> " + line for line in QMAIL.split(b"\n"))
        for body in (quoted, b"Look:\n\n" + QMAIL, b"---------- Forwarded message ---------\n" + QMAIL, QMAIL):
            self.assertEqual(read_bounce(PERSON + body).kind, Kind.ORDINARY)

    def test_a_bounce_between_a_newsletter_s_lines_is_none(self) -> None:
        header = DAEMON.replace(b"MAILER-DAEMON", b"postmaster") + b"List-Unsubscribe: <https://example.net/u>\n\n"
        self.assertEqual(read_bounce(header + QMAIL).recipients, [])

    def test_the_sender_s_own_address_and_the_help_desk_s_are_no_recipients(self) -> None:
        asked = b"\nFor help write to\nsupport@mx.example.net\n\n--- Below this line is a copy of the message.\n\n"
        returned = b"Received: x\nFrom: taro@aoba.example.jp\nTo: hanako@example.net\nMessage-ID: <a@b>\n"
        reading = read_bounce(DAEMON + b"\n" + QMAIL + b"taro@aoba.example.jp\n" + asked + returned)
        self.assertEqual([one.recipient for one in reading.recipients], ["hanako@example.net"])

    def test_what_returned_is_never_read_for_reasons(self) -> None:
        returned = b"\n--- Below this line is a copy of the message.\n\nReceived: x\nFrom: a@b\nMessage-ID: <a@b>\n\n"
        reading = read_bounce(DAEMON + b"\n" + QMAIL + returned + b"bob@example.net: 552 mailbox full\n")
        self.assertEqual(said(reading), "user_unknown, hard")
        self.assertEqual(reading.returned["message-id"], "<a@b>")

    def test_a_returned_header_is_found_without_a_line_that_announces_it(self) -> None:
        lines, returned, _below = explained("It failed.\n\nReceived: x\n y\nFrom: a@b\nDate: z\n\nbody")
        self.assertEqual((lines, returned["received"]), (["It failed.", ""], "x y"))

    def test_a_bounce_that_names_nobody_is_read_from_the_one_inside(self) -> None:
        below = b"\n--- Original message follows.\n\nReceived: x\nDate: y\nFrom: MAILER-DAEMON@relay.example.net\nMessage-ID: <a@b>\n"
        reading = read_bounce(DAEMON + b"\n" + QMAIL.partition(b"<")[0] + below + DAEMON + b"\n" + QMAIL)
        self.assertEqual((said(reading), reading.failures[0].recipient), ("user_unknown, hard", "hanako@example.net"))

    def test_each_format_names_its_system_and_looks_at_lower_case(self) -> None:
        for form in FORMATS:
            self.assertGreater(len(form.source), 2)
            self.assertEqual(
                form.opening.pattern.replace(r"\S", "").replace(r"\W", "").lower(),
                form.opening.pattern.replace(r"\S", "").replace(r"\W", ""),
            )

    def test_megabytes_of_anything_take_no_long_time(self) -> None:
        for unit in SLOW:
            body = unit * (1_000_000 // len(unit))
            start = time.process_time()
            read_bounce(DAEMON + b"\n" + QMAIL + body)
            read_bounce(DAEMON + b"Content-Type: text/html\n\n" + body)
            read_bounce(body)
            self.assertLess(time.process_time() - start, 5, unit)
