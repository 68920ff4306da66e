from __future__ import annotations

from unittest import TestCase

from delivery.complaints import feedback_of
from delivery.reports import read_report
from delivery.sandbox.reports import abuse_report, delivery_report

RAW = b"From: tayori@aoba.example.jp\r\nTo: taro@example.jp\r\nMessage-ID: <x@aoba.example.jp>\r\n\r\nbody\r\n"


class ComplaintsTest(TestCase):
    def report(self, feedback_type: str) -> bytes:
        raw = abuse_report("b+x@bounce.example.jp", "taro@example.jp", RAW)
        return raw.replace(b"Feedback-Type: abuse", f"Feedback-Type: {feedback_type}".encode())

    def test_abuse_is_a_complaint(self) -> None:
        feedback = feedback_of(read_report(self.report("abuse")))
        assert feedback
        self.assertEqual(feedback.feedback_type, "abuse")
        self.assertIn("user-agent: Mailsales-Sandbox/1.0; source-ip: 192.0.2.1", feedback.text)

    def test_reader_is_blacked_out_but_the_message_is_known(self) -> None:
        raw = self.report("abuse")
        self.assertNotIn(b"taro@example.jp", raw)
        self.assertEqual(read_report(raw).returned["message-id"], "<x@aoba.example.jp>")

    def test_every_blame_counts(self) -> None:
        for feedback_type in ("fraud", "virus", "other", "opt-out", "ABUSE"):
            feedback = feedback_of(read_report(self.report(feedback_type)))
            self.assertTrue(feedback and feedback.is_against_us, feedback_type)

    def test_praise_and_statistics_do_not(self) -> None:
        for feedback_type in ("not-spam", "auth-failure", "what"):
            feedback = feedback_of(read_report(self.report(feedback_type)))
            self.assertFalse(feedback and feedback.is_against_us, feedback_type)

    def test_bounce_is_no_complaint(self) -> None:
        self.assertIsNone(feedback_of(read_report(delivery_report("b+x@bounce.example.jp", "taro@example.jp", RAW))))

    def test_mail_that_talks_of_spam_is_no_complaint(self) -> None:
        self.assertIsNone(feedback_of(read_report(b"Subject: Feedback-Type: abuse\r\n\r\nFeedback-Type: abuse\r\n")))

    def test_several_readers_in_one_report(self) -> None:
        raw = self.report("abuse").replace(
            b"Version: 1", b"Version: 1\r\nOriginal-Rcpt-To: a@b.jp\r\nOriginal-Rcpt-To: c@d.jp"
        )
        feedback = feedback_of(read_report(raw))
        self.assertEqual(feedback and feedback.recipients, ("a@b.jp", "c@d.jp"))

    def test_hotmail_returns_the_message_behind_a_subject_alone(self) -> None:
        header = "From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\n"
        part = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n"
        report = read_report(
            (header + part).encode() + b"X-HmXmrOriginalRecipient: taro@hotmail.com\nFrom: a@b\n\nx\n--b--"
        )
        feedback = feedback_of(report)
        self.assertEqual(feedback and (feedback.feedback_type, feedback.recipients), ("abuse", ("taro@hotmail.com",)))

    def test_amazon_tells_in_json_and_nobody_else_does(self) -> None:
        said = '{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"a@b.jp"}]}}'
        for sender, recipients in (("no-reply@sns.amazonaws.com", ("a@b.jp",)), ("hanako@example.net", None)):
            feedback = feedback_of(read_report(f"From: {sender}\n\n{said}".encode()))
            self.assertEqual(feedback and feedback.recipients, recipients)
