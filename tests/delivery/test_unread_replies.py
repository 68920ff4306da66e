from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

from django.db import connection
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from delivery import unread_replies
from delivery.models import Message, UnreadReply
from delivery.outcomes import Outcome
from delivery.smtp import Reply
from delivery.unread_replies import COUNT, Unread, unread
from tests.base import MailsalesTestCase
from tests.delivery.sending import SendingTestCase, refuse


def outcome(text: str, *, message_id: int = 1, code: int = 550, host: str = "mx.example.jp") -> Outcome:
    return Outcome(message_id, 1, Message.Status.BOUNCED, reply=Reply(code, text, "rcpt", host))


def nobody(_outcome: Outcome) -> str:
    return ""


def count(*texts: str, host: str = "mx.example.jp") -> None:
    """Count replies as a worker does after it recorded them."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, unread_replies.found([outcome(text, host=host) for text in texts], nobody))


class UnreadRepliesTest(TestCase):
    def only(self, text: str, address: str = "") -> Unread:
        [row] = unread([outcome(text)], lambda _outcome: address)
        return row

    def test_what_a_rule_knows_is_not_unread(self) -> None:
        self.assertEqual(unread([outcome("5.1.1 User unknown"), outcome("Zounds", code=250)], nobody), [])

    def test_an_enhanced_code_that_says_enough_is_not_unread(self) -> None:
        self.assertEqual(unread([outcome("5.2.2 Zounds")], nobody), [])

    def test_what_was_never_said_by_a_server_is_not_unread(self) -> None:
        silent = Outcome(1, 1, Message.Status.QUEUED)
        self.assertEqual(unread([silent, outcome("Zounds", host="")], nobody), [])

    def test_texts_that_differ_in_numbers_alone_are_one_pattern(self) -> None:
        texts = ("Zounds 4F2A-99B1 at 192.0.2.1, day 7", "Zounds 77AC-00F3 at 2001:db8::7, day 12")
        rows = unread([outcome(text) for text in texts], nobody)
        self.assertEqual([(row.pattern, row.n) for row in rows], [("rcpt 550 Zounds # at {ip}, day #", 2)])

    def test_the_enhanced_code_stays_in_the_pattern(self) -> None:
        self.assertEqual(self.only("5.7.0 Zounds (#5.7.0)").pattern, "rcpt 550 5.7.0 Zounds (#5.7.0)")

    def test_no_address_is_kept_in_whatever_form(self) -> None:
        forms = ("<taro@example.jp>", "taro%40example.jp", '"taro."@docomo.ne.jp', "b+taro=example.jp@b.example.jp")
        for form in (*forms, "https://example.jp/why?to=taro@example.jp&x=1", "'taro'", "“taro”", "<taro>"):
            row = self.only(f"Zounds, {form} can't")
            self.assertNotIn("taro", row.sample + row.pattern, form)

    def test_a_name_without_its_domain_is_not_kept_either(self) -> None:
        row = self.only("Zounds: Taro.Yamada in need", "taro.yamada+news@example.jp")
        self.assertEqual((row.sample, row.pattern), ("Zounds: {name} in need", "rcpt 550 Zounds: {name} in need"))

    def test_contractions_are_no_quotation(self) -> None:
        self.assertEqual(self.only("Zounds: doesn't and can't").sample, "Zounds: doesn't and can't")

    def test_the_longest_fit_the_table(self) -> None:
        row = self.only("Zounds ha" * 90)
        self.assertLessEqual((len(row.pattern), len(row.sample)), (300, 500))


class CountTest(TestCase):
    def patterns(self) -> list[tuple[str, int]]:
        return list(UnreadReply.objects.order_by("pattern").values_list("pattern", "n"))

    def test_nothing_is_counted_where_all_was_read(self) -> None:
        self.assertIsNone(unread_replies.found([outcome("5.1.1 User unknown")], nobody))

    def test_a_pattern_is_counted_up(self) -> None:
        count("Zounds 1", "Zounds 2", "Alas")
        count("Zounds 3", host="mx2.example.jp")
        row = UnreadReply.objects.get(pattern="rcpt 550 Zounds #")
        self.assertEqual((row.n, row.sample, row.host), (3, "Zounds 3", "mx2.example.jp"))

    def test_the_table_stays_small(self) -> None:
        with patch.object(unread_replies, "MOST", 1):
            for text in ("Zounds", "Alas", "Zounds"):
                count(text)
        self.assertEqual(self.patterns(), [("rcpt 550 Zounds", 2)])

    def test_what_nobody_says_any_more_is_forgotten(self) -> None:
        count("Forsooth", "Zounds")
        UnreadReply.objects.update(last_at=timezone.now() - timedelta(days=91))
        count("Zounds", "Alas")
        self.assertEqual(self.patterns(), [("rcpt 550 Alas", 1), ("rcpt 550 Zounds", 2)])


class WorkerTest(SendingTestCase):
    readers = 1

    def test_what_a_worker_hears_is_kept_without_the_name(self) -> None:
        self.start(refuse(1, "550 Zounds: reader1 in need"))
        self.until_sent()
        row = UnreadReply.objects.get()
        self.assertEqual((row.sample, row.pattern), ("Zounds: {name} in need", "rcpt 550 Zounds: {name} in need"))


class UnreadReplyAdminTest(MailsalesTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice.is_staff = self.alice.is_superuser = True
        self.alice.save()
        self.client.force_login(self.alice)
        count("Alas", "Zounds", "Zounds")

    def test_the_most_frequent_stands_first(self) -> None:
        page = self.client.get(reverse("admin:delivery_unreadreply_changelist")).content.decode()
        self.assertLess(page.index("rcpt 550 Zounds"), page.index("rcpt 550 Alas"))

    def test_one_can_be_read_but_not_changed(self) -> None:
        row = UnreadReply.objects.get(sample="Alas")
        url = reverse("admin:delivery_unreadreply_change", args=[row.pk])
        self.assertContains(self.client.get(url), row.pattern)
        self.assertEqual(self.client.post(url, {"n": 3}).status_code, 403)
