from __future__ import annotations

import gzip
import json
import ssl
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from typing import Any
from unittest.mock import patch

import time_machine
from django.core.checks import run_checks
from django.db import connection
from django.test import TestCase, override_settings

from accounts.domains.making import make_domain
from accounts.models import Account, DkimKey
from delivery import tlsrpt, tlsrpt_sending
from delivery.dkim import dns_record, verify
from delivery.models import TlsResult
from delivery.tlsrpt_sending import send_slice
from mailsales import vault
from mailsales.management.bench.names import Names
from tests.delivery.authority import Authority
from tests.delivery.dialogue import scripted
from tests.delivery.sending import sink_thread
from tests.delivery.sink import Sink
from tests.delivery.web import Web

TODAY = datetime.now(UTC).date()
NOON = datetime.combine(TODAY, time(12), UTC)  # near the true time, which OpenSSL goes by
YESTERDAY = TODAY - timedelta(days=1)
CONTACT = "tls-reports@sender.example.jp"
HOST = "tls.example.net"
ZONE = f"""
example.net. MX 10 mx.example.net.
mx.example.net. A 127.0.0.1
{HOST}. A 127.0.0.1
_mta-sts.example.net. TXT "v=STSv1; id=1"
"""


class SendingTest(TestCase):
    """Names, mail servers and web servers of example.net on the loopback, at noon of today."""

    def setUp(self) -> None:
        self.names = self.enterContext(sink_thread(Names(ZONE)))
        self.sink = self.enterContext(sink_thread(Sink()))
        route = f"mx?port={self.sink.port}&ehlo=mail.sender.example.jp"
        values = {"DEFAULT_ROUTE": route, "DNS_SERVERS": [self.names.server], "TLSRPT_FROM": CONTACT}
        self.enterContext(override_settings(ALLOW_PRIVATE_MX=True, **values))
        self.account = Account.objects.create(name="株式会社青葉商店")
        make_domain(self.account, "sender.example.jp")
        self.clock = self.enterContext(time_machine.travel(NOON))

    def wants(self, *uris: str, domain: str = "example.net") -> None:
        """Publish where the domain wants its reports."""
        self.names.zone += f'_smtp._tls.{domain}. TXT "v=TLSRPTv1; rua={",".join(uris)}"\n'

    def count(self, **fields: Any) -> TlsResult:
        values: dict[str, Any] = {"on": YESTERDAY, "domain": "example.net", "policy_type": "no-policy-found", "n": 3}
        return TlsResult.objects.create(**values | fields)

    def is_done(self, domain: str = "example.net") -> bool:
        [is_done] = {row.reported_at is not None for row in TlsResult.objects.filter(domain=domain)}
        return is_done

    def said(self) -> dict[str, Any]:
        """Return what the one mail that arrived reports."""
        [(_recipient, body)] = self.sink.accepted
        _text, file = message_from_bytes(body, policy=policy.default).iter_parts()
        found: dict[str, Any] = json.loads(gzip.decompress(file.get_content()))
        return found


class MailTest(SendingTest):
    def setUp(self) -> None:
        super().setUp()
        self.wants("mailto:tls@example.net")

    def test_yesterdays_counts_arrive(self) -> None:
        self.count()
        self.count(result="starttls-not-supported", mx="mx.example.net", n=2)
        send_slice()
        self.assertEqual(self.sink.accepted[0][0], "tls@example.net")
        [found] = self.said()["policies"]
        summary = {"total-successful-session-count": 3, "total-failure-session-count": 2}
        self.assertEqual(found["summary"], summary)
        self.assertTrue(self.is_done())

    def test_it_is_signed_with_the_key_of_its_domain(self) -> None:
        self.count()
        send_slice()
        domain, records = "sender.example.jp", {}
        for key in DkimKey.objects.signing():
            records[key.selector, domain] = dns_record(domain, key.selector, key.algorithm, key.public_key)[1]
        verdicts = verify(self.sink.accepted[0][1], records)
        self.assertEqual([verdict.is_valid for verdict in verdicts], [True, True], verdicts)

    def test_without_a_key_nothing_goes_by_mail(self) -> None:
        DkimKey.objects.all().delete()
        self.count()
        with self.assertLogs("delivery.tlsrpt_sending", "WARNING") as logged:
            send_slice()
        self.assertIn("no account has a DKIM key of sender.example.jp", logged.output[0])
        self.assertEqual((self.sink.sessions, self.is_done()), (0, False))

    def test_it_goes_out_whatever_is_wrong_with_tls(self) -> None:
        self.sink.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # without a certificate no handshake succeeds
        self.count()
        send_slice()
        self.assertEqual((self.is_done(), self.sink.sessions), (True, 2))
        self.assertFalse([name for name in self.names.asked if "_mta-sts" in name or "TLSA" in name])

    def test_it_is_sent_once(self) -> None:
        self.count()
        self.assertEqual([send_slice(), send_slice()], ["example.net", None])
        self.assertEqual(len(self.sink.accepted), 1)

    def test_a_refusal_is_tried_again_in_an_hour_with_the_same_id(self) -> None:
        self.sink.script = scripted(RCPT_1="450 4.2.1 later")
        self.count()
        with self.assertLogs("delivery.tlsrpt_sending", "WARNING") as logged:
            self.assertIsNone(send_slice(send_slice() or ""))
        self.assertIn("450 4.2.1 later", logged.output[0])
        self.assertFalse(self.is_done())
        self.clock.shift(3_600)
        send_slice()
        self.assertTrue(self.is_done())
        self.assertEqual(self.said()["report-id"], f"{YESTERDAY:%Y%m%d}.example.net@sender.example.jp")

    def test_the_day_before_yesterday_is_over(self) -> None:
        self.count(on=YESTERDAY - timedelta(days=1))
        self.count(on=TODAY)
        self.assertIsNone(send_slice())

    def test_the_source_address_is_told_where_it_is_the_only_one(self) -> None:
        self.count(result="validation-failure")
        with override_settings(SOURCE_ADDRESS="198.41.0.4"):
            [report] = tlsrpt_sending._due(YESTERDAY, CONTACT, "")
            self.assertEqual(report.sending_address, "198.41.0.4")
            Account.objects.create(name="x", sealed_route=vault.seal("mx?source=198.41.0.5"))
            [report] = tlsrpt_sending._due(YESTERDAY, CONTACT, "")
        self.assertEqual(report.sending_address, "")

    def test_a_relay_does_not_carry_reports(self) -> None:
        with override_settings(DEFAULT_ROUTE="smtp://relay.example.jp?tls=verified"):
            self.assertEqual(tlsrpt_sending._postman("sender.example.jp").route.kind, "mx")


class PostTest(SendingTest):
    def setUp(self) -> None:
        authority = Authority()
        context = authority.issue(HOST).server_context()
        self.other = authority.issue("other.example").server_context()
        super().setUp()
        self.enterContext(patch.object(tlsrpt_sending, "verified_context", authority.client_context))
        self.web = self.enterContext(sink_thread(Web(context)))
        self.uri = f"https://{HOST}:{self.web.port}/v1/tlsrpt?of=example.net"
        self.count()

    def fault(self) -> str:
        """Return why it was not taken."""
        with self.assertLogs("delivery.tlsrpt_sending", "WARNING") as logged:
            send_slice()
        self.assertFalse(self.is_done())
        return logged.output[0]

    def test_it_is_posted(self) -> None:
        self.wants(self.uri)
        send_slice()
        [post] = self.web.posts
        self.assertEqual(post.line, "POST /v1/tlsrpt?of=example.net HTTP/1.1")
        self.assertEqual(post.headers["content-type"], "application/tlsrpt+gzip")
        self.assertEqual(post.headers["host"], f"{HOST}:{self.web.port}")
        self.assertEqual(json.loads(gzip.decompress(post.body))["contact-info"], CONTACT)
        self.assertTrue(self.is_done())

    def test_no_answer_but_a_success_is_one(self) -> None:
        self.wants(self.uri)
        for answer in ("HTTP/1.1 302 Found", "HTTP/1.1 500 Oops", "hello 200", "HTTP/1.1 2000 x", ""):
            self.web.answer = answer
            with self.subTest(answer):
                self.assertIn("it answers", self.fault())

    def test_who_does_not_prove_to_be_the_host_gets_nothing(self) -> None:
        with sink_thread(Web(self.other)) as web:
            self.wants(f"https://{HOST}:{web.port}/")
            self.assertIn("CERTIFICATE_VERIFY_FAILED", self.fault())
            self.assertEqual(web.posts, [])

    def test_a_private_address_is_not_asked(self) -> None:
        self.wants(self.uri)
        with override_settings(ALLOW_PRIVATE_MX=False):
            self.assertIn("has no address that may be asked", self.fault())
        self.assertEqual(self.web.posts, [])

    def test_one_destination_that_takes_it_is_enough(self) -> None:
        self.web.answer = "HTTP/1.1 503 Busy"
        self.wants(self.uri, "mailto:tls@example.net")
        with self.assertLogs("delivery.tlsrpt_sending", "WARNING"):
            send_slice()
        self.assertEqual((len(self.web.posts), len(self.sink.accepted), self.is_done()), (1, 1, True))

    def test_who_is_silent_is_not_waited_for(self) -> None:
        self.wants(self.uri)
        with patch.object(tlsrpt_sending, "SECONDS", 0.0):
            self.assertIn("no answer in time", self.fault())


class RoundTest(SendingTest):
    def test_who_publishes_nothing_gets_nothing(self) -> None:
        self.count()
        self.count(domain="text.example.net")
        self.names.zone += '_smtp._tls.text.example.net. TXT "v=spf1 -all"\n'
        send_slice()
        self.assertTrue(self.is_done() and self.is_done("text.example.net"))
        self.assertEqual(self.sink.sessions, 0)

    def test_name_servers_in_trouble_are_asked_again(self) -> None:
        self.count()
        self.names.faults["_smtp._tls.example.net"] = "servfail"
        with self.assertLogs("delivery.tlsrpt_sending", "WARNING"):
            send_slice()
        self.assertFalse(self.is_done())

    def test_a_long_day_is_done_in_slices(self) -> None:
        for number in range(5):
            self.count(domain=f"{number}.example.net")
        with patch.object(tlsrpt_sending, "SLICE", 2):
            last, names = "", []
            while last := send_slice(last) or "":
                names.append(last)
        self.assertEqual(names, ["1.example.net", "3.example.net", "4.example.net"])

    def test_what_befalls_one_report_does_not_stop_the_others(self) -> None:
        for domain in ("example.net", "example.org"):
            self.wants(domain=domain)
            self.count(domain=domain)
        broken = patch.object(tlsrpt, "destinations", side_effect=[KeyError("x"), []])
        with broken, self.assertLogs("delivery.tlsrpt_sending", "ERROR"):
            send_slice()
        self.assertEqual(TlsResult.objects.filter(reported_at=None).count(), 1)

    def test_two_at_once_send_nothing_twice(self) -> None:
        self.count()
        other = connection.copy()
        self.addCleanup(other.close)
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(tlsrpt_sending.ONE_AT_A_TIME)
        self.assertIsNone(send_slice())
        other.rollback()
        self.assertEqual(send_slice(), "example.net")

    def test_it_waits_for_the_last_counts_of_the_day(self) -> None:
        self.count()
        self.clock.move_to(NOON.replace(hour=0, minute=59))
        self.assertIsNone(send_slice())
        self.clock.move_to(NOON.replace(hour=4))
        self.assertEqual(send_slice(), "example.net")

    def test_without_a_sender_rows_are_only_pruned(self) -> None:
        self.count()
        self.count(on=TODAY - timedelta(days=31))
        kept = self.count(on=TODAY - timedelta(days=30))
        with override_settings(TLSRPT_FROM=""):
            self.assertIsNone(send_slice())
        self.assertEqual(TlsResult.objects.order_by("on").first(), kept)
        self.assertFalse(TlsResult.objects.exclude(reported_at=None).exists())
        self.assertEqual(self.names.asked, [])

    def test_a_sender_that_is_no_address_is_named(self) -> None:
        for text, count in (("tls-reports", 1), (CONTACT, 0), ("", 0)):
            with override_settings(TLSRPT_FROM=text):
                self.assertEqual(len([each for each in run_checks() if each.id == "delivery.E002"]), count)
