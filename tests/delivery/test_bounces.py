from __future__ import annotations

from unittest import TestCase

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.bounce_formats.recipients import command_of
from delivery.bounces import Kind, read_bounce
from delivery.sandbox.reports import delivery_report
from mailsales.reasons import Reason

RAW = "From: 青葉商店 <tayori@aoba.example.jp>\r\nSubject: hello\r\n\r\nbody\r\n".encode()

PERSON = "From: Hanako <hanako@example.net>\n"
RECEIPT = "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/disposition-notification\n\nDisposition: x\n"
KINDS = (
    ("From: postmaster@x.example\nSubject: Success\n\nYour message was successfully delivered to a@b", Kind.DELIVERED),
    (PERSON + RECEIPT, Kind.RECEIPT),
    (PERSON + "Subject: Out of office\n\nI am away; user unknown", Kind.VACATION),
    (PERSON + "Subject: Hello\nAuto-Submitted: auto-replied\n\nI am away", Kind.VACATION),
    (PERSON + "Subject: Please confirm your message\n\nReply to have it delivered", Kind.CHALLENGE),
    (PERSON + "Auto-Submitted: auto-replied\n\nApple Mail sent this email to unsubscribe from x", Kind.OPT_OUT),
    (PERSON + "Subject: Hello\n\nHello", Kind.ORDINARY),
)


def report_of(*groups: str, text: str = "It failed.", kind: str = "message/delivery-status") -> bytes:
    """Return a delivery report with these groups after the one about the message."""
    status = "\n\n".join(["Reporting-MTA: dns; mx.example.jp", *groups])
    lines = [
        "From: MAILER-DAEMON@mx.example.jp",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        f"\n--b\nContent-Type: text/plain\n\n{text}",
        f"--b\nContent-Type: {kind}\n\n{status}\n",
        "--b\nContent-Type: text/rfc822-headers\n\nSubject: hello\n",
        "--b--\n",
    ]
    return "\n".join(lines).encode()


def group(address: str = "taro@example.jp", **fields: str) -> str:
    """Return the group of a recipient who failed with 5.1.1."""
    values = {"Action": "failed", "Status": "5.1.1"} | {name.replace("_", "-"): text for name, text in fields.items()}
    lines = [f"{name}: {text}" for name, text in values.items() if text]
    return "\n".join([f"Final-Recipient: rfc822; {address}", *lines])


class BouncesTest(TestCase):
    def only(self, raw: bytes):  # type: ignore[no-untyped-def]
        [failure] = read_bounce(raw).failures
        return failure

    def test_failed_recipient(self) -> None:
        said = "smtp; 550 5.1.1 <taro@example.jp>: Recipient address\n    rejected: User unknown in table"
        failure = self.only(report_of(group(Diagnostic_Code=said, Remote_MTA="dns; mx2.example.jp")))
        self.assertEqual(
            (failure.recipient, failure.reason, failure.is_hard), ("taro@example.jp", Reason.USER_UNKNOWN, True)
        )
        self.assertEqual((failure.status, failure.code), ("5.1.1", 550))
        self.assertEqual(failure.text, "550 5.1.1 <taro@example.jp>: Recipient address rejected: User unknown in table")

    def test_only_the_action_failed_is_a_failure(self) -> None:
        for action in ("delayed", "delivered", "relayed", "expanded"):
            self.assertEqual(read_bounce(report_of(group(Action=action))).failures, [], action)
        self.assertEqual(len(read_bounce(report_of(group(Action="Failed (bounced)"))).failures), 1)

    def test_missing_action_is_read_from_the_status(self) -> None:
        self.assertEqual(len(read_bounce(report_of(group(Action=""), group(Action="", Status="4.4.1"))).failures), 1)

    def test_several_recipients_in_one_report(self) -> None:
        raw = report_of(
            group("a@example.jp"), group("b@example.jp", Action="delayed"), group("c@example.jp", Status="5.2.2")
        )
        found = [(failure.recipient, failure.reason) for failure in read_bounce(raw).failures]
        self.assertEqual(found, [("a@example.jp", Reason.USER_UNKNOWN), ("c@example.jp", Reason.MAILBOX_FULL)])

    def test_the_message_s_own_recipient_is_found_among_several(self) -> None:
        reading = read_bounce(report_of(group("a@example.jp"), group("B@example.jp", Status="5.2.2")))
        found = reading.failure_of("b@example.jp")
        forwarded = reading.failure_of("forwarded@example.jp")
        self.assertTrue(found and found.reason is Reason.MAILBOX_FULL)
        self.assertTrue(forwarded and forwarded.recipient == "a@example.jp")

    def test_an_unknown_user_is_hard_once_given_up_whatever_the_status(self) -> None:
        fields = {"Status": "4.1.1", "Diagnostic_Code": "smtp; 450 4.1.1 User unknown"}
        self.assertTrue(self.only(report_of(group(**fields))).is_hard)
        [waiting] = read_bounce(report_of(group(Action="delayed", **fields))).recipients
        self.assertFalse(waiting.is_hard)

    def test_a_domain_that_was_not_found_for_the_moment_is_soft(self) -> None:
        failure = self.only(report_of(group(Status="4.4.4", Diagnostic_Code="smtp; host not found")))
        self.assertFalse(failure.is_hard)

    def test_fault_of_ours_is_soft(self) -> None:
        said = "smtp; 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"
        failure = self.only(report_of(group(Status="5.7.1", Diagnostic_Code=said)))
        self.assertEqual((failure.reason, failure.is_hard), (Reason.BLOCKED, False))

    def test_status_alone_is_enough(self) -> None:
        self.assertEqual(self.only(report_of(group(Status="5.2.2"))).reason, Reason.MAILBOX_FULL)

    def test_command_in_the_text_for_people(self) -> None:
        said = "host mx.docomo.ne.jp said: 550 Unknown user (in reply to end of DATA command)"
        raw = report_of(group(Status="5.0.0", Diagnostic_Code="smtp; 550 Unknown user"), text=said)
        self.assertEqual((self.only(raw).reason, self.only(raw).is_hard), (Reason.FILTERED, False))
        self.assertEqual([command_of(">>> RCPT To:<a@b>\n<<< 550"), command_of("what?")], ["rcpt", "dsn"])

    def test_international_report(self) -> None:
        raw = report_of(group("花子@example.jp"), kind="message/global-delivery-status; charset=utf-8")
        self.assertEqual(self.only(raw).recipient, "花子@example.jp")

    def test_an_address_whose_letters_are_escaped(self) -> None:
        raw = report_of(group("x@y").replace("rfc822; x@y", r"utf-8; \x{82B1}\x{5B50}@example.jp"))
        self.assertEqual(self.only(raw).recipient, "花子@example.jp")

    def test_status_in_base64(self) -> None:
        status = "UmVwb3J0aW5nLU1UQTogZG5zOyBhCgpGaW5hbC1SZWNpcGllbnQ6IHJmYzgyMjsgdEBlLmpwCkFjdGlvbjogZmFpbGVkClN0YXR1czogNS4xLjEK"
        raw = report_of().replace(
            b"message/delivery-status", b"message/delivery-status\nContent-Transfer-Encoding: base64"
        )
        raw = raw.replace(b"Reporting-MTA: dns; mx.example.jp", status.encode())
        self.assertEqual(self.only(raw).recipient, "t@e.jp")

    def test_every_kind_of_line_end(self) -> None:
        raw = report_of(group())
        for end in (b"\r\n", b"\r"):
            self.assertEqual(len(read_bounce(raw.replace(b"\n", end)).failures), 1)

    def test_vacation_is_no_failure(self) -> None:
        raw = (
            b"Auto-Submitted: auto-replied\r\nSubject: Out of office\r\n\r\nThe address is not in use until Monday.\r\n"
        )
        self.assertEqual(read_bounce(raw).failures, [])

    def test_sandbox_writes_what_is_read(self) -> None:
        reading = read_bounce(delivery_report("b+x@bounce.example.jp", "dsn+taro@example.jp", RAW))
        found = reading.failure_of("dsn+taro@example.jp")
        assert found
        self.assertEqual((found.reason, found.is_hard, found.code), (Reason.USER_UNKNOWN, True, 550))
        self.assertEqual(reading.returned["subject"], "hello")

    def test_groups_without_an_empty_line_between_them_or_with_one_too_many(self) -> None:
        pair = group("a@example.jp") + "\n" + group("b@example.jp")
        cut = group("c@example.jp").replace("\nAction", "\n\nAction")
        for raw, addresses in ((report_of(pair), ["a@example.jp", "b@example.jp"]), (report_of(cut), ["c@example.jp"])):
            self.assertEqual([one.recipient for one in read_bounce(raw).failures], addresses)

    def test_a_report_without_any_recipient_is_read_from_its_text(self) -> None:
        failure = self.only(report_of(text="This is the mail system at host x.\n\n<taro@example.jp>: mailbox is full"))
        self.assertEqual((failure.recipient, failure.reason), ("taro@example.jp", Reason.MAILBOX_FULL))

    def test_a_delay_is_no_failure_and_never_hard(self) -> None:
        reading = read_bounce(report_of(group(Action="delayed", Status="5.1.1")))
        self.assertEqual(
            (reading.kind, reading.failures, reading.failure_of("taro@example.jp")), (Kind.DELAYED, [], None)
        )
        self.assertEqual([(one.action, one.is_hard) for one in reading.recipients], [("delayed", False)])

    def test_what_came_back_is_told_apart(self) -> None:
        for raw, kind in KINDS:
            self.assertEqual(read_bounce(raw.encode()).kind, kind, raw)
        self.assertEqual(read_bounce(report_of(group(Action="relayed", Status="2.1.5"))).kind, Kind.DELIVERED)

    def test_a_wish_is_nobody_s_but_a_person_s(self) -> None:
        apple = (
            b"From: taro@example.jp\nAuto-Submitted: auto-replied\n\nApple Mail sent this email to unsubscribe from x"
        )
        self.assertEqual((read_bounce(apple).is_automatic, read_bounce(report_of(group())).is_automatic), (False, True))
        self.assertFalse(read_bounce(b"From: taro@example.jp\nSubject: unsubscribe\n\n").is_automatic)

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=400), st.integers(0, 500), st.integers(0, 80))
    def test_any_bytes_are_read_or_refused(self, garbage: bytes, start: int, length: int) -> None:
        raw = report_of(group(), group("b@example.jp"))
        reading = read_bounce(raw[:start] + garbage + raw[start + length :])
        for failure in reading.recipients:
            self.assertTrue(failure.text.isprintable() and failure.recipient.isprintable())
